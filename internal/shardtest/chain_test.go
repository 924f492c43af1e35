package shardtest

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// side is what a chain runs on.
type side struct {
	db      *gorm.DB // a fresh session with the context of the statement
	bare    *gorm.DB // likewise: for subqueries and groups
	ctx     context.Context
	dialect string
}

// part is a call of a chain, which can be left out.
type part struct {
	text   string
	apply  func(s *side, db *gorm.DB) *gorm.DB
	binds  bool // it names a shard key in a condition, so it may say where the rows are
	limits bool
	order  []sortKey
}

// sortKey is what a chain orders by.
type sortKey struct {
	column string // empty: an expression
	loose  bool   // it may take different values for equal
	last   bool   // no two rows are equal by the keys up to this one
}

// finisher ends a chain.
type finisher struct {
	text  string
	run   func(s *side, db *gorm.DB) outcome
	total bool      // it orders by the primary key
	one   bool      // it is for the first row
	some  bool      // it may stop before the last row
	all   *finisher // reads the rows that it takes the first one of
}

// chain is what one throw of the dice makes.
type chain struct {
	of     *table
	start  part
	parts  []part
	finish finisher
	writes bool
	inside bool // a transaction of the application's
	steps  bool // it is several statements, each by itself
	binds  bool // its start or finish names a shard key
}

func (c chain) String() string {
	var b strings.Builder
	if c.inside {
		b.WriteString("in a transaction: ")
	}
	b.WriteString(c.start.text)
	for _, p := range c.parts {
		b.WriteString("." + p.text)
	}
	b.WriteString("." + c.finish.text)
	return b.String()
}

// bound tells whether something in the chain may say where its rows are.
func (c chain) bound() bool {
	return c.binds || slices.ContainsFunc(c.parts, func(p part) bool { return p.binds })
}

func (c chain) limited() bool {
	return c.finish.one || c.finish.some || slices.ContainsFunc(c.parts, func(p part) bool { return p.limits })
}

// order returns the keys that rows are sorted by as far as they can be compared, and whether that leaves no ties.
func (c chain) order() (keys []sortKey, total bool) {
	for _, p := range c.parts {
		keys = append(keys, p.order...)
	}
	total = c.finish.total || slices.ContainsFunc(keys, func(k sortKey) bool { return k.last })
	for i, k := range keys {
		if k.column == "" || k.loose {
			return keys[:i], total
		}
	}
	return keys, total
}

// without returns the chain without some of its parts.
func (c chain) without(drop func(i int, p part) bool) chain {
	var kept []part
	for i, p := range c.parts {
		if !drop(i, p) {
			kept = append(kept, p)
		}
	}
	c.parts = kept
	return c
}

// all returns the chain without its limits.
func (c chain) all() chain {
	all := c.without(func(_ int, p part) bool { return p.limits })
	switch {
	case c.finish.some:
		all.finish = rows(1000)
	case c.finish.one:
		all.finish = *c.finish.all
	}
	return all
}

// run runs the chain on a side.
func (c chain) run(s *side) outcome {
	if !c.inside {
		return c.send(s)
	}
	var out outcome
	err := s.db.Transaction(func(tx *gorm.DB) error {
		in := *s
		in.db = tx
		out = c.send(&in)
		return out.err
	})
	if out.err == nil && err != nil {
		return outcome{err: err}
	}
	return out
}

func (c chain) send(s *side) outcome {
	db := s.db
	if c.start.apply != nil {
		db = c.start.apply(s, db)
	}
	for _, p := range c.parts {
		db = p.apply(s, db)
	}
	return c.finish.run(s, db)
}
