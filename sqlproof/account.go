package sqlproof

import (
	"slices"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// Each name of a tenants' table in a text must be accounted for: as a table that the proof has looked at, or as something else.

// account refuses a statement in which something spells a tenant's table that no part of the analysis has taken for what
// it is.
func (p *proof) account() *Refusal {
	st := p.st
	for i, t := range st.tokens {
		if t.Kind != sqltext.Word && t.Kind != sqltext.Name {
			continue
		}
		text := st.text(i)
		if t.Kind == sqltext.Word && sqltext.Reserved(text) {
			continue // a table of that name is written in quotes
		}
		if !p.tables.Confined(st.dialect.Unquote(text)) || st.accounted(i) {
			continue
		}
		r := refuse(st.SQL, int(t.Start), "the name "+text+", which is a tenant's table, stands where no table was expected", "give what it names another name, or write AS before it")
		r.Table = text
		return r
	}
	return nil
}

// accounted tells whether it is known what the name at token i is.
func (s *Statement) accounted(i int) bool {
	t := s.tokens[i]
	if slices.Contains(s.claimed, t.Start) || s.is(i-1, "as") || s.isAlias(i) {
		return true
	}
	if i > 0 && s.text(i-1) == "." || i+1 < len(s.tokens) && s.text(i+1) == "." {
		return true
	}
	for _, b := range s.Blocks {
		for _, c := range b.Sources {
			if int(t.Start) >= c.Start && int(t.End) <= c.End || c.Alias != "" && s.same(s.dialect.Unquote(s.text(i)), c.Alias) && s.behind(c, i) {
				return true
			}
		}
		for _, c := range b.Columns {
			if int(t.Start) == c.Start {
				return true
			}
		}
	}
	return false
}

// isAlias tells whether token i is an alias that ends an item.
func (s *Statement) isAlias(i int) bool {
	for _, a := range s.aliases {
		if a.at < int(s.tokens[i].Start) && s.dialect.Unquote(s.text(i)) == a.name && s.itemEnd(s.tokenAt(a.at)) == i {
			return true
		}
	}
	return false
}

// behind tells whether token i comes directly behind the name of a source, and so is its alias.
func (s *Statement) behind(c *Source, i int) bool {
	return i > 0 && c.End > 0 && int(s.tokens[i-1].End) == c.End || i > 0 && c.End == 0 && s.text(i-1) == ")"
}
