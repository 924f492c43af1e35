package sqlproof

import (
	"sort"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// Where the clauses of a query block begin and end is read from the tokens: keywords at the depth of the block's own. That
// is no proof, since a name can look like a keyword; what is spliced in the wrong place is found when the text is read
// again.

func (s *Statement) text(i int) string {
	t := s.tokens[i]
	return s.SQL[t.Start:t.End]
}

// is tells whether token i is one of the keywords, which are in lower case. What comes behind a dot is a name.
func (s *Statement) is(i int, keywords ...string) bool {
	if i < 0 || i >= len(s.tokens) || s.tokens[i].Kind != sqltext.Word || i > 0 && s.tokens[i-1].Kind == sqltext.Dot {
		return false
	}
	text := s.text(i)
	for _, k := range keywords {
		if len(k) == len(text) && strings.EqualFold(k, text) {
			return true
		}
	}
	return false
}

// tokenAt returns the first token that does not end before an offset.
func (s *Statement) tokenAt(offset int) int {
	return sort.Search(len(s.tokens), func(i int) bool { return int(s.tokens[i].End) > offset })
}

// keywordBefore finds the keyword of a block in which an offset is.
func (s *Statement) keywordBefore(kind Kind, offset int) int {
	if offset < 0 {
		return -1
	}
	i := min(s.tokenAt(offset), len(s.tokens)-1)
	depth := s.tokens[i].Depth
	for ; i >= 0; i-- {
		t := s.tokens[i]
		if t.Depth < depth {
			return -1
		}
		if t.Depth != depth {
			continue
		}
		switch kind {
		case Select:
			if s.is(i, "select") {
				return i
			}
		case Values:
			if s.is(i, "values") {
				return i
			}
		case Insert:
			if s.is(i, "insert", "replace") {
				return i
			}
		case Update:
			if s.is(i, "update") {
				return i
			}
		case Delete:
			if s.is(i, "delete") {
				return i
			}
		}
	}
	return -1
}

// wordBefore finds the last keyword before an offset; -1 if there is none.
func (s *Statement) wordBefore(keyword string, offset int) int {
	if offset < 0 {
		return -1
	}
	for i := min(s.tokenAt(offset), len(s.tokens)-1); i >= 0; i-- {
		if s.is(i, keyword) {
			return i
		}
	}
	return -1
}

// blockEnd returns the token behind the last of a block: a closing parenthesis, a set operation or the end.
func (s *Statement) blockEnd(from int) int {
	depth := s.tokens[from].Depth
	for i := from + 1; i < len(s.tokens); i++ {
		t := s.tokens[i]
		if t.Depth < depth {
			return i
		}
		if t.Depth == depth && s.is(i, "union", "intersect", "except") {
			return i
		}
	}
	return len(s.tokens)
}

// clause finds a keyword of a block at its own depth, from a token on; -1 if there is none.
func (s *Statement) clause(block *Block, from int, keyword string) int {
	depth, end := s.tokens[block.keyword].Depth, s.blockEnd(int(block.keyword))
	for i := from; i < end; i++ {
		if s.tokens[i].Depth == depth && s.is(i, keyword) {
			return i
		}
	}
	return -1
}

// afterFrom tells whether token i begins what comes after FROM and WHERE in a block.
func (s *Statement) afterFrom(i int) bool {
	switch {
	case s.is(i, "group"):
		return s.is(i+1, "by")
	case s.is(i, "order"):
		return s.is(i+1, "by") && !s.is(i-1, "for")
	case s.is(i, "having", "limit", "offset", "returning", "into"):
		return true
	case s.is(i, "window"):
		return i+2 < len(s.tokens) && s.is(i+2, "as")
	case s.is(i, "fetch"):
		return s.is(i+1, "first", "next")
	case s.is(i, "for"):
		return s.is(i+1, "update", "share", "no", "key")
	case s.dialect == sqltext.MySQL && s.is(i, "lock"):
		return s.is(i+1, "in")
	case s.is(i, "on"):
		return s.is(i+1, "conflict", "duplicate")
	}
	return false
}

// itemEnd returns the last token of an item of a SELECT list, or of RETURNING, that begins at from.
func (s *Statement) itemEnd(from int) int {
	depth := s.tokens[min(from, len(s.tokens)-1)].Depth
	for i := from + 1; i < len(s.tokens); i++ {
		t := s.tokens[i]
		switch {
		case t.Depth < depth, t.Depth == depth && t.Kind == sqltext.Comma:
			return i - 1
		case t.Depth > depth:
		case s.is(i, "from") && !s.is(i-1, "distinct"), s.is(i, "where", "union", "intersect", "except"), s.afterFrom(i):
			return i - 1
		}
	}
	return len(s.tokens) - 1
}

// conditionEnd returns the token behind a condition, or behind a FROM clause, that begins at from.
func (s *Statement) conditionEnd(block *Block, from int) int {
	depth, end := s.tokens[block.keyword].Depth, s.blockEnd(int(block.keyword))
	for i := from; i < end; i++ {
		if s.tokens[i].Depth == depth && s.afterFrom(i) {
			return i
		}
	}
	return end
}

// onEnd returns the token behind the condition of a join whose ON is token on.
func (s *Statement) onEnd(on int) int {
	depth := s.tokens[on].Depth
	for i := on + 1; i < len(s.tokens); i++ {
		t := s.tokens[i]
		if t.Depth < depth {
			return i
		}
		if t.Depth != depth {
			continue
		}
		switch {
		case t.Kind == sqltext.Comma, s.is(i, "where", "on", "set", "join", "straight_join", "union", "intersect", "except"), s.afterFrom(i):
			return i
		case s.is(i, "left", "right", "full", "inner", "cross", "natural"):
			if s.is(i+1, "join", "outer", "inner", "left", "right", "full", "cross") {
				return i
			}
		}
	}
	return len(s.tokens)
}

// itemsEnd returns the token behind the SELECT list of a block without FROM.
func (s *Statement) itemsEnd(block *Block) int {
	depth, end := s.tokens[block.keyword].Depth, s.blockEnd(int(block.keyword))
	for i := int(block.keyword) + 1; i < end; i++ {
		if s.tokens[i].Depth == depth && (s.is(i, "where") || s.afterFrom(i)) {
			return i
		}
	}
	return end
}
