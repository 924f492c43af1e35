package callbacks

import (
	"sync"
	"sync/atomic"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// Reads tells whether a replica can answer the statement: what dbresolver's clauses say (dbresolver v1.6.2 clauses.go),
// and otherwise what its text shows. What the hooks send themselves goes to the primary: it is part of a write.
func (p *Pass) Reads(query string) bool {
	if p.stmt == nil || p.Op >= OpCreate || p.exempt {
		return false
	}
	if _, ok := p.stmt.Settings.Load("gorm:db_resolver:write"); ok {
		return false
	}
	if p.plan != nil && (p.plan.Kind > sqlproof.SetOperation || p.plan.Writes) {
		return false
	}
	if _, ok := p.stmt.Settings.Load("gorm:db_resolver:read"); ok {
		return true
	}
	return p.hooks.reading.only(p.hooks.text, query)
}

// Harmless tells whether a statement surely reads only what it names, and calls no function of the application's own; or
// whether it is one of GORM's on a global table.
func (p *Pass) Harmless(query string) bool {
	return p.reach == Home && !p.raw || p.hooks.reading.only(p.hooks.text, query)
}

// readings remembers which texts only read. It forgets all of them when there are many.
type readings struct {
	known sync.Map // text → bool
	size  atomic.Int32
}

func (r *readings) only(d sqltext.Dialect, query string) bool {
	if v, ok := r.known.Load(query); ok {
		return v == true
	}
	reads := d.ReadsOnly(query)
	if r.size.Add(1) > 4096 {
		r.known.Clear()
		r.size.Store(1)
	}
	r.known.Store(query, reads)
	return reads
}
