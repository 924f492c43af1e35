package mysql

import (
	"slices"
	"sort"
	"strings"

	"github.com/sqlc-dev/marino/ast"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// The parser tells of expressions, and of most tables, where they begin, and of other names nothing. Those are looked for
// among the tokens. What is found in a wrong place ends in a refusal: it names something else, or the text with a condition
// in that place reads otherwise.

// text returns the token at an index; "" is none.
func (r *reader) text(i int) string {
	if i < 0 || i >= len(r.tokens) {
		return ""
	}
	t := r.tokens[i]
	return r.sql[t.Start:t.End]
}

// is tells whether token i is one of the keywords, which are in lower case.
func (r *reader) is(i int, keywords ...string) bool {
	return i >= 0 && i < len(r.tokens) && r.tokens[i].Kind == sqltext.Word &&
		slices.ContainsFunc(keywords, func(k string) bool { return strings.EqualFold(k, r.text(i)) })
}

// index returns the token that begins at an offset; -1 if none does.
func (r *reader) index(at int) int {
	i := sort.Search(len(r.tokens), func(i int) bool { return int(r.tokens[i].Start) >= at })
	if i == len(r.tokens) || int(r.tokens[i].Start) != at {
		return -1
	}
	return i
}

// at returns where token i begins; -1 for none.
func (r *reader) at(i int) int {
	if i < 0 || i >= len(r.tokens) {
		return -1
	}
	return int(r.tokens[i].Start)
}

// isName tells whether token i can be a name.
func (r *reader) isName(i int) bool {
	return i >= 0 && i < len(r.tokens) && (r.tokens[i].Kind == sqltext.Word || r.tokens[i].Kind == sqltext.Name)
}

// outside finds the first of some keywords behind token from that stands outside of all parentheses; -1 if there is none.
func (r *reader) outside(from int, keywords ...string) int {
	for i := from + 1; i < len(r.tokens); i++ {
		if r.tokens[i].Depth == 0 && r.is(i, keywords...) {
			return i
		}
	}
	return -1
}

// count counts a keyword that is reserved, so that without quotes it is a name only behind a dot.
func (r *reader) count(keyword string) (n int) {
	for i := range r.tokens {
		if r.is(i, keyword) && (i == 0 || r.tokens[i-1].Kind != sqltext.Dot) {
			n++
		}
	}
	return n
}

// tableStatement returns where the name stands behind the keyword TABLE.
func (r *reader) tableStatement(n *ast.TableName) int {
	first := n.Name.O
	if n.Schema.O != "" {
		first = n.Schema.O
	}
	for i := range r.tokens {
		if r.is(i-1, "table") && sqltext.MySQL.Unquote(r.text(i)) == first {
			return r.at(i)
		}
	}
	return -1
}

// span returns where a table's name stands that begins at an offset.
func (r *reader) span(n *ast.TableName, at int) sqlproof.Span {
	if n.Schema.O != "" {
		return r.NameSpan(at, 2)
	}
	return r.NameSpan(at, 1)
}

// claimNames claims names from token i on, with dots and commas between them.
func (r *reader) claimNames(i int) {
	for r.isName(i) {
		r.Claim(r.at(i))
		if i++; i >= len(r.tokens) || r.tokens[i].Kind != sqltext.Comma && r.tokens[i].Kind != sqltext.Dot {
			return
		}
		i++
	}
}

// claimCTE claims the name that is given to the query whose parenthesis opens at an offset, and those of its columns.
func (r *reader) claimCTE(at int) {
	i := r.index(at) - 2 // name AS (
	if i < 0 {
		return
	}
	if t := r.tokens[i]; t.Kind == sqltext.Close {
		for i--; i >= 0 && r.tokens[i].Depth > t.Depth; i-- {
			r.Claim(r.at(i))
		}
		i--
	}
	if r.isName(i) {
		r.Claim(r.at(i))
	}
}

// claimLocked claims the names behind OF in the locking clauses of the block in which a token is.
func (r *reader) claimLocked(at int) {
	i := max(r.index(at), 0)
	for depth := r.tokens[i].Depth; i < len(r.tokens) && r.tokens[i].Depth >= depth; i++ {
		if r.tokens[i].Depth == depth && r.is(i, "of") && r.is(i-1, "update", "share") {
			r.claimNames(i + 1)
		}
	}
}
