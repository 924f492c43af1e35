package sqlproof

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// A tenant's tables can stand in a schema of its own, or have a suffix of its own behind their names. Which one is known
// only when a statement is sent, and a plan holds for every tenant: so it keeps where in its text the names stand, and what
// is sent is put together from pieces. That those are the names of the tenants' tables and no others is shown once for
// each plan: the text is read again with the names of a sample in it, and its tree must be the same but for those.

// At returns the text of the plan with the tenants' tables in a schema, and with a suffix behind their names; "" is none.
// Tables that belong to no tenant stay where they are. It may be called concurrently, and parses nothing but the first time.
func (plan *Plan) At(schema, suffix string) (sql string, refusal *Refusal) {
	p, refusal := plan.placementFor(schema, suffix)
	if refusal != nil {
		return "", refusal
	}
	if p == nil {
		return plan.SQL, nil
	}
	return p.text(plan.SQL, schema, suffix), nil
}

// WriteAt replaces what is in b by the text that [Plan.At] returns, unless that is refused.
func (plan *Plan) WriteAt(b *strings.Builder, schema, suffix string) *Refusal {
	p, refusal := plan.placementFor(schema, suffix)
	if refusal != nil {
		return refusal
	}
	b.Reset()
	if p == nil {
		b.WriteString(plan.SQL)
		return nil
	}
	p.write(b, plan.SQL, schema, suffix)
	return nil
}

// placementFor returns what the text becomes; nil if it stays as it is.
func (plan *Plan) placementFor(schema, suffix string) (*placement, *Refusal) {
	if plan.Refusal != nil {
		return nil, plan.Refusal
	}
	m := modeOf(schema, suffix)
	if m == 0 || len(plan.Tables) == 0 {
		return nil, nil
	}
	p := plan.placement(m)
	return p, p.refuses(schema, suffix)
}

// mode says what of a name is to be added.
type mode uint8

const (
	inSchema   mode = 1 << iota // a schema
	withSuffix                  // a suffix
	modes                       // how many there are, with none
)

func modeOf(schema, suffix string) (m mode) {
	if schema != "" {
		m |= inSchema
	}
	if suffix != "" {
		m |= withSuffix
	}
	return m
}

// placing is what [Plan.At] needs, and keeps once it is known. Copies of a plan share it.
type placing struct {
	analyzer Analyzer
	named    *Refusal // a tenant's table that the text itself gives a schema
	sources  int      // how often the text names tables of tenants
	added    []Span   // what the rewriting has added to the text
	short    *Plan    // the plan of the text's short form; nil if the text is that itself
	runs     []run    // what it has more than that
	known    [modes]atomic.Pointer[placement]
}

// size is about how many bytes it takes once it has found what becomes of the text in one mode: an application has its
// tenants in places of one kind.
func (at *placing) size() int { return 192 + 64*at.sources + 16*len(at.added) + 40*len(at.runs) }

// placement is what a plan's text becomes with one mode of names.
type placement struct {
	refusal *Refusal
	dialect sqltext.Dialect
	pieces  []piece
	grows   int      // how many bytes the pieces have more than what they replace, without schemas and suffixes
	schemas int      // how often the schema is written
	ends    int      // how often the suffix is
	longest int      // the bytes of the longest name
	taken   []string // suffixes that make the name of a table that of a common table expression
}

// piece replaces a part of a text.
type piece struct {
	from, to   int32
	schema     bool // it begins with the schema
	suffix     bool // the suffix stands between head and tail
	head, tail string
}

// placement returns what is known of a mode. Two that find it out at once find the same.
func (plan *Plan) placement(m mode) *placement {
	at := plan.placing
	if at == nil {
		return &placement{refusal: refuse(plan.SQL, -1, "nothing is known of the tables of the statement", "")}
	}
	if p := at.known[m].Load(); p != nil {
		return p
	}
	var p *placement
	if at.short != nil {
		p = plan.placeLike(at.short, m)
	}
	if p == nil {
		p = plan.place(m)
	}
	at.known[m].Store(p)
	return p
}

// mostBytes is how long PostgreSQL's names may be: of longer ones it drops the end without an error, and with it the suffix
// that tells one tenant's table from another's.
const mostBytes = 63

// refuses says why a schema or a suffix cannot be taken.
func (p *placement) refuses(schema, suffix string) *Refusal {
	if p.dialect == sqltext.Postgres && (len(schema) > mostBytes || suffix != "" && p.longest+len(suffix) > mostBytes) {
		return &Refusal{
			Why:     "with the tenant's schema or suffix a name has more than 63 bytes, of which PostgreSQL drops the end",
			Instead: "use a shorter one", Offset: -1,
		}
	}
	if p.refusal != nil {
		return p.refusal
	}
	if slices.ContainsFunc(p.taken, func(t string) bool { return strings.EqualFold(t, suffix) }) {
		return &Refusal{
			Why:     "with the tenant's suffix a table goes by the name of a common table expression",
			Instead: "give that another name", Offset: -1,
		}
	}
	return nil
}

// write puts a text together.
func (p *placement) text(sql, schema, suffix string) string {
	var b strings.Builder
	p.write(&b, sql, schema, suffix)
	return b.String()
}

func (p *placement) write(b *strings.Builder, sql, schema, suffix string) {
	quote := quoteOf(p.dialect)
	quotes, quotesOfSuffix := strings.Count(schema, quote), strings.Count(suffix, quote)
	b.Grow(len(sql) + p.grows + p.schemas*(len(schema)+quotes+len(`"".`)) + p.ends*(len(suffix)+quotesOfSuffix))
	from := int32(0)
	for i := range p.pieces {
		e := &p.pieces[i]
		b.WriteString(sql[from:e.from])
		from = e.to
		if e.schema && schema != "" {
			b.WriteString(quote)
			writeName(b, schema, quote, quotes)
			b.WriteString(quote)
			b.WriteByte('.')
		}
		b.WriteString(e.head)
		if e.suffix {
			writeName(b, suffix, quote, quotesOfSuffix)
		}
		b.WriteString(e.tail)
	}
	b.WriteString(sql[from:])
}

// writeName writes what stands between quotes, and the quotes in it twice, of which it has some number.
func writeName(b *strings.Builder, name, quote string, quotes int) {
	for range quotes {
		before, after, _ := strings.Cut(name, quote)
		b.WriteString(before)
		b.WriteString(quote)
		b.WriteString(quote)
		name = after
	}
	b.WriteString(name)
}

// quoteOf returns what names are quoted with.
func quoteOf(d sqltext.Dialect) string {
	if d == sqltext.Postgres {
		return `"`
	}
	return "`"
}
