package benchmarks

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"strings"
	"testing"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// securedStatements run through the plugin on both sides: alone, which the site's backend keeps out of transactions, and in
// a transaction, where the tenant is told once.
func securedStatements() []statement {
	statements := append(single(ownedStatements()),
		statement{
			name: "tx-first", title: "transaction of a SELECT by key",
			tenancy: func(s *session) *gorm.DB { return s.firsts(1) },
		},
		statement{
			name: "tx-first10", title: "transaction of ten",
			tenancy: func(s *session) *gorm.DB { return s.firsts(10) },
		},
		statement{
			name: "tx-insert", title: "transaction of an INSERT", before: clearBefore,
			tenancy: func(s *session) *gorm.DB {
				return s.transaction(func(tx *gorm.DB) *gorm.DB {
					return tx.Create(&Invoice{Number: "2026-8", Status: "open", Cents: 1})
				})
			},
		},
	)
	for i := range statements {
		statements[i].plain = statements[i].tenancy
	}
	return statements
}

// firsts reads a row n times in one transaction.
func (s *session) firsts(n int) *gorm.DB {
	return s.transaction(func(tx *gorm.DB) (found *gorm.DB) {
		for range n {
			var x Invoice
			if found = tx.First(&x, 7); found.Error != nil {
				break
			}
		}
		return found
	})
}

// transaction returns what the last statement of a transaction has done.
func (s *session) transaction(fn func(tx *gorm.DB) *gorm.DB) *gorm.DB {
	var last *gorm.DB
	err := s.with().Transaction(func(tx *gorm.DB) error {
		last = fn(tx)
		return last.Error
	})
	if err != nil {
		_ = last.AddError(err)
	}
	return last
}

// securedSite has a database with policies, and one without for the other side. Tables and rows are the same.
func securedSite(tb testing.TB, b backend) *site {
	tb.Helper()
	role, openOwner := asRole(tb, b)
	plain, again := role(), role()
	role, owner := asRole(tb, b)
	secured := role()
	off := tenancy.Config{Models: []any{&Invoice{}}, Global: []any{&Rate{}}}
	on := off
	on.RowSecurity = "app.tenant_id"
	through := b.use(tb, postgres.New(postgres.Config{Conn: secured}), on)
	plugin, _ := through.Plugins["tenancy"].(*tenancy.Plugin)
	ddl, err := plugin.RowSecurityDDL(tenancy.Placement{})
	check(tb, err)
	for _, text := range ddl {
		_, err := owner.ExecContext(tb.Context(), text)
		check(tb, err)
	}
	without := func(pool *sql.DB) *gorm.DB { return b.use(tb, postgres.New(postgres.Config{Conn: pool}), off) }
	s := newSite(tb, true, without(plain), without(again), through, openOwner, owner)
	s.apart = []*sql.DB{plain, again, secured}
	s.plain.ctx, s.again.ctx = s.tenancy.ctx, s.tenancy.ctx
	return s
}

// asRole makes a database with rows, and a role that policies hold. It returns what opens a pool of the role's, and the
// owner's pool.
func asRole(tb testing.TB, b backend) (pool func() *sql.DB, owner *sql.DB) {
	tb.Helper()
	dsn := testdb.Postgres(tb)
	owner = openPool(tb, "pgx", dsn)
	b.seed(tb, b.gorm(tb, postgres.New(postgres.Config{Conn: owner})), true)
	role := "r" + strings.ToLower(rand.Text()[:12])
	for _, text := range []string{
		"CREATE ROLE " + role + " LOGIN",
		"GRANT ALL ON ALL TABLES IN SCHEMA public TO " + role,
		"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO " + role,
	} {
		_, err := owner.ExecContext(tb.Context(), text)
		check(tb, err)
	}
	tb.Cleanup(func() {
		_, err := owner.ExecContext(context.WithoutCancel(tb.Context()), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		check(tb, err)
	})
	u, err := url.Parse(dsn)
	check(tb, err)
	u.User = url.User(role)
	return func() *sql.DB { return openPool(tb, "pgx", u.String()) }, owner
}
