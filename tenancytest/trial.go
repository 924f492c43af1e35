package tenancytest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// trial is one run of a case.
type trial struct {
	*testing.T
	*stage
	rule string

	a, b, none *gorm.DB // the application's handle, in the contexts of A, of B and of nobody
	raw        *gorm.DB // the same database, plain GORM

	was          contents
	changedAlone bool
	next         uint // the next key, in worlds where the application makes them
}

// same runs do with plain GORM on A's rows alone, and with the plugin among B's: what it returns and what A has then must
// be equal.
func (c *trial) same(do func(db *gorm.DB) any) {
	c.Helper()
	c.next = 0
	want := c.show(do(c.stage.alone.WithContext(c.Context())))
	wantRows := c.read(c, c.stage.alone).own
	c.changedAlone = c.changedAlone || !assert.ObjectsAreEqual(wantRows, c.pristineAlone.own)
	c.next = 0
	got := c.show(do(c.a))
	if want != got {
		c.Errorf("plain GORM on A's rows alone gives other results: %s\nplain:  %s\nplugin: %s", c.rule, want, got)
	}
	if diff := differ(wantRows, c.read(c, c.stage.raw).own); diff != "" {
		c.Errorf("plain GORM leaves A with other rows: %s\n%s", c.rule, diff)
	}
}

// refused asserts that a statement in A's context ended in a typed error.
func (c *trial) refused(err, sentinel error) {
	c.Helper()
	if !assert.ErrorIs(c, err, sentinel, c.rule) {
		return
	}
	var statement *tenancy.StatementError
	if assert.ErrorAs(c, err, &statement, "a refusal is a *tenancy.StatementError: %s", c.rule) {
		assert.Equal(c, c.world.a, statement.Tenant, "it names the tenant of the context")
		assert.NotEmpty(c, statement.Op, "it names the kind of statement")
	}
	if len(c.world.b) > 3 {
		assert.NotContains(c, err.Error(), string(c.world.b), "an error never names another tenant")
	}
}

// noTenant asserts that a statement without a tenant was refused.
func (c *trial) noTenant(err error) {
	c.Helper()
	assert.ErrorIs(c, err, tenancy.ErrNoTenant, c.rule)
	var statement *tenancy.StatementError
	if assert.ErrorAs(c, err, &statement, c.rule) {
		assert.Empty(c, statement.Tenant)
	}
}

// unchanged asserts that A's rows are what they were.
func (c *trial) unchanged() {
	c.Helper()
	if diff := differ(c.was.own, c.read(c, c.stage.raw).own); diff != "" {
		c.Errorf("rows of A have changed: %s\n%s", c.rule, diff)
	}
}

// undone asserts the same of a call that sends several statements, which only GORM's default transaction makes one.
func (c *trial) undone() {
	c.Helper()
	if !c.plugin.SkipDefaultTransaction {
		c.unchanged()
	}
}

// plant changes rows with plain GORM, in both databases, before the case itself: rows that should not be, such as a child
// of another tenant's parent.
func (c *trial) plant(do func(raw *gorm.DB) error) {
	c.Helper()
	if err := errors.Join(do(c.raw), do(c.stage.alone.WithContext(c.Context()))); err != nil {
		c.Fatal("plant: ", err)
	}
	c.changedAlone = true
	c.was = c.read(c, c.stage.raw)
}

// in returns the application's handle in a context.
func (c *trial) in(ctx context.Context) *gorm.DB { return c.plugin.WithContext(ctx) }

// asA, asB put a tenant into a context.
func (c *trial) asA(ctx context.Context) context.Context { return tenancy.WithTenant(ctx, c.world.a) }

func (c *trial) asB(ctx context.Context) context.Context { return tenancy.WithTenant(ctx, c.world.b) }

// reading is a case that must give what plain GORM gives.
func reading(name, rule string, do func(c *trial, db *gorm.DB) any) check {
	return check{name: name, rule: rule, run: func(c *trial) {
		c.same(func(db *gorm.DB) any { return do(c, db) })
	}}
}

// only restricts cases to some worlds.
func only(when func(*world) bool, checks ...check) []check {
	out := slices.Clone(checks)
	for i, c := range out {
		before := c.when
		out[i].when = func(w *world) bool { return when(w) && (before == nil || before(w)) }
	}
	return out
}
