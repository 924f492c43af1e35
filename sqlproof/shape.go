package sqlproof

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// Lists of placeholders make a new text for each length: "id IN (?,?,?)", "VALUES (?,?),(?,?)". Such a text is proven in
// its shortest form, with one unit of each list, so that all lengths have one plan; what that says of the one unit holds
// for each.

// run is a list of equal units in a text.
type run struct {
	from, to int // the tokens of its first unit
	removed  int // tokens of the others, with the commas between them
	mark     int // the ordinal of the first unit's first placeholder, in the short form
	width    int // placeholders in a unit
	count    int // units
}

// shape is a text in its shortest form.
type shape struct {
	sql  string
	runs []run // of the text that it was made of
}

//nolint:gochecknoglobals // memory for tokens, of no meaning
var tokenPool = sync.Pool{New: func() any { return new([]sqltext.Token) }}

// shapeOf returns the shortest form of a text; runs is empty if it is in that already, or cannot be read.
func shapeOf(d sqltext.Dialect, sql string) shape {
	if strings.Count(sql, ",") == 0 {
		return shape{}
	}
	buffer, ok := tokenPool.Get().(*[]sqltext.Token)
	if !ok {
		return shape{}
	}
	defer tokenPool.Put(buffer)
	tokens, why := d.Tokens(sql, (*buffer)[:0])
	if why != "" {
		return shape{}
	}
	*buffer = tokens
	st := Statement{SQL: sql, dialect: d, tokens: tokens}
	var runs []run
	marks, removed := 0, 0 // placeholders so far in the text, and how many of them are left out
	for i := 0; i < len(tokens); i++ {
		if tokens[i].Kind == sqltext.Mark {
			if d == sqltext.Postgres && !numbered(sql, tokens[i], marks+1) {
				return shape{}
			}
			marks++
			continue
		}
		from := i + 1
		switch {
		case st.is(i, "in") && from < len(tokens) && tokens[from].Kind == sqltext.Open:
			from++
		case st.is(i, "values"):
		default:
			continue
		}
		r, next := st.run(from, marks-removed)
		if next == from {
			continue
		}
		if d == sqltext.Postgres && !st.sequential(from, next, marks) {
			return shape{}
		}
		marks += r.width * r.count
		if r.count > 1 {
			runs = append(runs, r)
			removed += r.width * (r.count - 1)
		}
		i = next - 1
	}
	if len(runs) == 0 {
		return shape{}
	}
	return shape{sql: shorten(d, sql, tokens, runs), runs: runs}
}

// numbered tells whether a placeholder has a number.
func numbered(sql string, t sqltext.Token, n int) bool {
	got := 0
	for _, digit := range sql[t.Start+1 : t.End] {
		if got = got*10 + int(digit-'0'); got > 1<<16 {
			return false
		}
	}
	return got == n
}

// sequential tells whether the placeholders between two tokens are numbered on from a count of those before.
func (s *Statement) sequential(from, to, marks int) bool {
	for i := from; i < to; i++ {
		if s.tokens[i].Kind == sqltext.Mark {
			if marks++; !numbered(s.SQL, s.tokens[i], marks) {
				return false
			}
		}
	}
	return true
}

// run reads a list of equal units from a token on; next is the token behind it, or from if there is none.
func (s *Statement) run(from, mark int) (r run, next int) {
	end, width := s.unit(from)
	if width == 0 {
		return run{}, from
	}
	r = run{from: from, to: end, mark: mark, width: width, count: 1}
	next = end
	for next+1 < len(s.tokens) && s.tokens[next].Kind == sqltext.Comma {
		behind, w := s.unit(next + 1)
		if w != width || behind-next-1 != end-from {
			break
		}
		r.count++
		next = behind
	}
	r.removed = next - end
	return r, next
}

// unit reads a placeholder, or a list of them in parentheses. end is the token behind it, and width how many it has.
func (s *Statement) unit(from int) (end, width int) {
	if from >= len(s.tokens) {
		return from, 0
	}
	if s.tokens[from].Kind == sqltext.Mark {
		return from + 1, 1
	}
	if s.tokens[from].Kind != sqltext.Open {
		return from, 0
	}
	for i := from + 1; i+1 < len(s.tokens) && s.tokens[i].Kind == sqltext.Mark; i += 2 {
		switch width++; s.tokens[i+1].Kind {
		case sqltext.Comma:
		case sqltext.Close:
			return i + 2, width
		default:
			return from, 0
		}
	}
	return from, 0
}

// shorten leaves out all units but the first of each list. PostgreSQL's placeholders are numbered anew.
func shorten(d sqltext.Dialect, sql string, tokens []sqltext.Token, runs []run) string {
	var b strings.Builder
	b.Grow(len(sql))
	from, marks := 0, 0
	for i := 0; i < len(tokens); i++ {
		if len(runs) > 0 && i == runs[0].to {
			b.WriteString(sql[from:tokens[i-1].End])
			i += runs[0].removed
			from = int(tokens[i-1].End)
			if runs = runs[1:]; i == len(tokens) {
				break
			}
		}
		if t := tokens[i]; t.Kind == sqltext.Mark && d == sqltext.Postgres {
			b.WriteString(sql[from:t.Start])
			marks++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(marks))
			from = int(t.End)
		}
	}
	b.WriteString(sql[from:])
	return b.String()
}

// expand makes the plan of a text of the plan of its short form; nil if that cannot be done.
func (plan *Plan) expand(d sqltext.Dialect, sql string, s shape) *Plan {
	long := *plan
	long.SQL = sql
	long.placing = nil
	if r := plan.Refusal; r != nil {
		somewhere := *r
		somewhere.Offset, somewhere.Line, somewhere.Column = -1, 0, 0 // it was found in another text
		long.Refusal = &somewhere
		return &long
	}
	for _, r := range s.runs {
		long.Arguments += r.width * (r.count - 1)
	}
	long.placing = &placing{analyzer: plan.placing.analyzer, named: plan.placing.named, sources: plan.placing.sources, short: plan, runs: s.runs}
	if plan.Rewritten() {
		edits, ok := s.edits(plan.edits)
		if !ok {
			return nil
		}
		tokens, why := d.Tokens(sql, nil)
		if why != "" {
			return nil
		}
		long.edits = edits
		long.SQL, long.placing.added, long.Inserted = render(d, sql, tokens, edits)
	}
	moves := moves{runs: s.runs, short: plan.Inserted, long: long.Inserted, dialect: d}
	long.Checks = slices.Clone(plan.Checks)
	for i := range long.Checks {
		if c := &long.Checks[i]; c.Argument >= 0 {
			c.Argument, c.Every, c.Times = moves.argument(c.Argument)
		}
	}
	if len(plan.Keys) > 0 {
		long.Keys = moves.keys(plan.Keys)
	}
	return &long
}

// edits moves edits to the tokens of the long text.
func (s *shape) edits(short []edit) ([]edit, bool) {
	long := slices.Clone(short)
	for i := range long {
		for _, r := range s.runs {
			switch from := r.from; {
			case long[i].token >= from && long[i].token < r.to:
				return nil, false // in a unit: it would have to be in each
			case long[i].token >= r.to:
				long[i].token += r.removed
			}
		}
	}
	return long, true
}

// moves takes arguments of the short text to those of the long one.
type moves struct {
	runs        []run
	short, long []Insertion
	dialect     sqltext.Dialect
}

// argument moves one argument. One in a unit is for all units: times of them, at distances of every.
func (m *moves) argument(n int) (moved, every, times int) {
	own := n // among the arguments of the short text itself
	if m.dialect != sqltext.Postgres {
		for _, in := range m.short {
			if in.At < n {
				own--
			}
		}
	}
	moved = own
	for _, r := range m.runs {
		switch {
		case own >= r.mark+r.width:
			moved += r.width * (r.count - 1)
		case own >= r.mark:
			every, times = r.width, r.count
		}
	}
	if m.dialect != sqltext.Postgres {
		for _, in := range m.long {
			if in.At <= moved {
				moved++
			}
		}
	}
	return moved, every, times
}
