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

	was     contents
	next    uint // the next key, in worlds where the application makes them
	planted bool
	keyed   bool // a row of B has been named by its key
	granted bool // and nothing was refused, as the key is nobody's where A is
}

// same runs do with plain GORM on A's rows alone, and with the plugin among B's: what it returns and what A has then must
// be equal.
func (c *trial) same(do func(db *gorm.DB) any) {
	c.Helper()
	c.next = 0
	want := c.show(do(c.stage.alone.WithContext(c.Context())))
	wantRows := c.snapshot.read(c).own
	c.next = 0
	got := c.show(do(c.a))
	if want != got {
		c.Errorf("plain GORM on A's rows alone gives other results: %s\nplain:  %s\nplugin: %s", c.rule, want, got)
	}
	c.leaves(wantRows)
}

// leaves asserts that A has these rows.
func (c *trial) leaves(want map[string][]string) {
	c.Helper()
	if diff := differ(want, c.ownRows(c)); diff != "" {
		c.Errorf("plain GORM leaves A with other rows: %s\n%s", c.rule, diff)
	}
}

// refused asserts that a statement in A's context ended in a typed error, and tells whether it did. A key of B's is
// nobody's where A and B are apart: then a statement that names it is none to be refused.
func (c *trial) refused(err, sentinel error) bool {
	c.Helper()
	if c.strange(err) && errors.Is(sentinel, tenancy.ErrTenantMismatch) {
		c.granted = true
		if err != nil {
			assert.ErrorIs(c, err, gorm.ErrRecordNotFound, c.rule)
		}
		return false
	}
	if !assert.ErrorIs(c, err, sentinel, c.rule) {
		return true
	}
	var statement *tenancy.StatementError
	if assert.ErrorAs(c, err, &statement, "a refusal is a *tenancy.StatementError: %s", c.rule) {
		assert.Equal(c, c.world.a, statement.Tenant, "it names the tenant of the context")
		assert.NotEmpty(c, statement.Op, "it names the kind of statement")
	}
	if len(c.world.b) > 3 {
		assert.NotContains(c, err.Error(), string(c.world.b), "an error never names another tenant")
	}
	return true
}

// strange tells whether a statement has named a key of B's that is nobody's where A is, and was not refused for it. Under
// row-level security a row that is not there looks like one that is another tenant's, and keys to it may be refused.
func (c *trial) strange(err error) bool {
	return c.keyed && c.apart() && (c.setting == "" || !errors.Is(err, tenancy.ErrTenantMismatch))
}

// foreign asserts that a call that points at a row of B is refused and leaves A's rows alone. Where B's rows are elsewhere
// and the call has only a key of B's, it does what plain GORM does with a key that is nobody's.
func (c *trial) foreign(do func(db *gorm.DB) error, after func()) {
	c.Helper()
	c.next = 0
	err := do(c.a)
	if !c.strange(err) {
		c.refused(err, tenancy.ErrTenantMismatch)
		after()
		return
	}
	c.next = 0
	want, got := c.show(do(c.stage.alone.WithContext(c.Context()))), c.show(err)
	if want != got {
		c.Errorf("plain GORM, with a key that is nobody's, gives other results: %s\nplain:  %s\nplugin: %s", c.rule, want, got)
	}
	c.leaves(c.snapshot.read(c).own)
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
	if c.granted {
		return
	}
	if diff := differ(c.was.own, c.ownRows(c)); diff != "" {
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

// plant changes rows with plain GORM, wherever there are rows of tenants, before the case itself: rows that should not be,
// such as a child of another tenant's parent.
func (c *trial) plant(do func(raw *gorm.DB) error) {
	c.Helper()
	err := do(c.stage.alone.WithContext(c.Context()))
	for _, here := range c.all {
		if len(here.owners) > 0 {
			err = errors.Join(err, do(here.db.WithContext(c.Context())))
		}
	}
	if err != nil {
		c.Fatal("plant: ", err)
	}
	c.planted = true
	c.was = c.rows(c)
}

// in returns the application's handle in a context.
func (c *trial) in(ctx context.Context) *gorm.DB { return c.plugin.WithContext(ctx) }

// asA, asB put a tenant into a context.
func (c *trial) asA(ctx context.Context) context.Context { return tenancy.WithTenant(ctx, c.world.a) }

// asAll puts all tenants of A's place into a context.
func (c *trial) asAll(ctx context.Context, reason string) context.Context {
	ctx = tenancy.WithoutTenant(ctx, reason)
	if c.placed {
		ctx = tenancy.WithPlacement(ctx, c.where[c.world.a])
	}
	return ctx
}

// count is how many rows there are in A's place, of n for each tenant.
func (c *trial) count(n int) int {
	if c.apart() {
		return n
	}
	return 2 * n
}

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
