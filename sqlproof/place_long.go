package sqlproof

import (
	"sort"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// A text with longer lists than its short form has the same names in the same order: what was shown of the short form holds
// for it, and the pieces move to their places in it.

// placeLike makes the placement of a plan of that of its short form; nil if the two do not fit.
func (plan *Plan) placeLike(short *Plan, m mode) *placement {
	p := *short.placement(m)
	if p.refusal != nil {
		somewhere := *p.refusal
		somewhere.Offset, somewhere.Line, somewhere.Column = -1, 0, 0
		p.refusal = &somewhere
		return &p
	}
	from, why := p.dialect.Tokens(short.SQL, nil)
	to, whyNot := p.dialect.Tokens(plan.SQL, nil)
	if why != "" || whyNot != "" {
		return nil
	}
	own, added := parted(from, short.placing.added)
	longOwn, longAdded := parted(to, plan.placing.added)
	if len(added) != len(longAdded) {
		return nil
	}
	long := make(map[int32]sqltext.Token, len(from)) // the tokens of the long text, by where those of the short one begin
	for i, t := range added {
		long[t.Start] = longAdded[i]
	}
	for i, t := range own {
		moved := i
		for _, r := range plan.placing.runs { // whose tokens are those of the long text
			if moved >= r.to {
				moved += r.removed
			}
		}
		if moved >= len(longOwn) {
			return nil
		}
		long[t.Start] = longOwn[moved]
	}
	pieces := make([]piece, len(p.pieces))
	for i, e := range p.pieces {
		t, ok := tokenWith(from, &e)
		if !ok {
			return nil
		}
		moved := long[t.Start]
		if short.SQL[t.Start:t.End] != plan.SQL[moved.Start:moved.End] {
			return nil
		}
		pieces[i] = e
		pieces[i].from += moved.Start - t.Start
		pieces[i].to += moved.Start - t.Start
	}
	p.pieces = pieces
	return &p
}

// parted parts the tokens of a text from those that the rewriting has added.
func parted(tokens []sqltext.Token, spans []Span) (own, added []sqltext.Token) {
	for _, t := range tokens {
		for len(spans) > 0 && int(t.Start) >= spans[0].End {
			spans = spans[1:]
		}
		if len(spans) > 0 && int(t.Start) >= spans[0].Start {
			added = append(added, t)
		} else {
			own = append(own, t)
		}
	}
	return own, added
}

// tokenWith returns the token that a piece replaces or stands before, or the one that it stands behind.
func tokenWith(tokens []sqltext.Token, e *piece) (t sqltext.Token, ok bool) {
	i := sort.Search(len(tokens), func(i int) bool { return tokens[i].Start >= e.from })
	if !e.schema && e.from == e.to {
		i--
		return tokens[max(i, 0)], i >= 0 && tokens[i].End == e.from
	}
	if i == len(tokens) {
		return t, false
	}
	return tokens[i], tokens[i].Start == e.from
}
