package tenancy_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

// guarded is a PostgreSQL database whose tables have policies, and an application whose role they hold.
type guarded struct {
	*land
	owner *sql.DB // a superuser
	role  string
	dsn   string // of the role
	// ownerDSN is the superuser's.
	ownerDSN string
}

// roleOf makes a role in the cluster of dsn, and returns it and the DSN with it.
func roleOf(t *testing.T, owner *sql.DB, dsn, attributes string) (role, with string) {
	t.Helper()
	role = "r" + strings.ToLower(rand.Text()[:12])
	_, err := owner.Exec("CREATE ROLE " + role + " LOGIN " + attributes)
	require.NoError(t, err)
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.User = url.User(role)
	t.Cleanup(func() {
		_, err := owner.Exec("DROP OWNED BY " + role + "; DROP ROLE " + role)
		require.NoError(t, err)
		_ = owner.Close()
	})
	return role, u.String()
}

func newGuarded(t *testing.T, change ...func(*gorm.Config, *tenancy.Config)) *guarded {
	t.Helper()
	dsn := testdb.Postgres(t)
	owner, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	g := &guarded{owner: owner, ownerDSN: dsn}
	g.role, g.dsn = roleOf(t, owner, dsn, "")
	gcfg := &gorm.Config{}
	cfg := tenancy.Config{RowSecurity: "app.tenant_id", Shards: []tenancy.Shard{{Admin: postgres.Open(dsn)}}, Global: []any{&Country{}}}
	for _, fn := range change {
		fn(gcfg, &cfg)
	}
	_, err = owner.Exec("GRANT ALL ON SCHEMA public TO " + g.role)
	require.NoError(t, err)
	g.land = newLand(t, engines[1], postgres.Open(g.dsn), gcfg, cfg)
	require.NoError(t, g.db.AutoMigrate(&Customer{}, &Order{}, &Tag{}), "the role owns its tables")
	g.log.take()
	return g
}

func (g *guarded) protect(t *testing.T) {
	t.Helper()
	ddl, err := g.plugin.RowSecurityDDL(tenancy.Placement{})
	require.NoError(t, err)
	for range 2 { // it can be run again
		for _, text := range ddl {
			_, err := g.owner.Exec(text)
			require.NoError(t, err, text)
		}
	}
}

func TestRowSecurity(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*gorm.Config, *tenancy.Config){
		"proven":          func(*gorm.Config, *tenancy.Config) {},
		"prepared":        func(g *gorm.Config, _ *tenancy.Config) { g.PrepareStmt = true },
		"no transactions": func(g *gorm.Config, _ *tenancy.Config) { g.SkipDefaultTransaction = true },
		"resolved":        func(_ *gorm.Config, c *tenancy.Config) { c.Resolver = tenancy.Single(tenancy.Placement{}) },
		"in front of others": func(_ *gorm.Config, c *tenancy.Config) {
			c.Shards = append(c.Shards, tenancy.Shard{Name: "x", Primary: postgres.Open("host=nowhere")})
			c.Resolver = tenancy.Single(tenancy.Placement{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t, change)
			require.ErrorIs(t, g.as("a").Find(&[]Customer{}).Error, tenancy.ErrInvalidConfig, "no policies yet")
			require.ErrorIs(t, g.as("a").Transaction(func(tx *gorm.DB) error { return tx.Find(&[]Customer{}).Error }), tenancy.ErrInvalidConfig)
			g.protect(t)
			mine := Customer{Name: "ann", Orders: []Order{{Item: "apple"}, {Item: "axe"}}, Tags: []Tag{{Label: "x"}}}
			them := Customer{Name: "bea", Orders: []Order{{Item: "bell"}}, Tags: []Tag{{Label: "x"}}}
			require.NoError(t, g.as("a").Create(&mine).Error)
			require.NoError(t, g.as("b").Create(&them).Error)

			for _, db := range []*gorm.DB{g.as("a"), g.as("a").Session(&gorm.Session{PrepareStmt: true})} {
				var cs []Customer
				require.NoError(t, db.Preload("Orders").Preload("Tags").Find(&cs).Error)
				require.Len(t, cs, 1)
				require.Len(t, cs[0].Orders, 2)
				require.Len(t, cs[0].Tags, 1)
				var n int64
				require.NoError(t, db.Model(&Order{}).Joins("Customer").Count(&n).Error)
				require.EqualValues(t, 2, n)
				require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
					require.NoError(t, tx.SavePoint("s").Error)
					require.NoError(t, tx.Find(&cs).Error)
					require.NoError(t, tx.RollbackTo("s").Error)
					return tx.Find(&cs).Error
				}))
				require.Len(t, cs, 1)
				rows, err := db.Model(&Order{}).Rows()
				require.NoError(t, err)
				require.True(t, rows.Next())
				require.NoError(t, rows.Err())
				require.NoError(t, rows.Close())
			}
			require.ErrorIs(t, g.as("a").Create(&Order{Item: "stolen", CustomerID: &them.ID}).Error, tenancy.ErrTenantMismatch, "policies hide the parent, constraints do not")
			require.ErrorIs(t, g.as("a").Model(&Order{}).Where("1 = 1").Update("customer_id", gorm.Expr("customer_id + ?", them.ID-mine.ID)).Error, tenancy.ErrTenantMismatch)
			require.ErrorIs(t, g.as("a").Save(&Customer{ID: them.ID, Name: "mine"}).Error, tenancy.ErrTenantMismatch)
			require.ErrorIs(t, g.as("a").Clauses(clause.OnConflict{UpdateAll: true}).Create(&Customer{ID: them.ID, Name: "mine"}).Error, tenancy.ErrTenantMismatch)

			// WithoutTenant has the role that policies exempt.
			everyone := tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "report"), tenancy.Placement{})
			var all []Customer
			require.NoError(t, g.db.WithContext(everyone).Order("id").Find(&all).Error)
			require.Equal(t, []string{"ann", "bea"}, []string{all[0].Name, all[1].Name})
			require.NoError(t, g.db.WithContext(everyone).Transaction(func(tx *gorm.DB) error { return tx.Find(&all).Error }))
			require.Len(t, all, 2)
			require.NoError(t, g.db.WithContext(everyone).Raw("SELECT name FROM customers").Scan(&[]string{}).Error)
			err := g.as("a").Transaction(func(tx *gorm.DB) error {
				require.NoError(t, tx.First(&Customer{}).Error)
				return tx.WithContext(everyone).Find(&all).Error
			})
			require.ErrorIs(t, err, tenancy.ErrCrossShard)

			// Nothing is left on a connection: whoever comes next sees nothing.
			pool, err := sql.Open("pgx", g.dsn)
			require.NoError(t, err)
			t.Cleanup(func() { _ = pool.Close() })
			var n int
			require.NoError(t, pool.QueryRow("SELECT count(*) FROM customers").Scan(&n))
			require.Zero(t, n)
			base, ok := unwrapPool(g.baseOf()).(*sql.DB)
			require.True(t, ok)
			require.NoError(t, base.QueryRow("SELECT count(*) FROM customers").Scan(&n))
			require.Zero(t, n, "on the plugin's own connections")
			require.Zero(t, base.Stats().InUse)
		})
	}
}

// baseOf returns the pool that gorm.Open opened.
func (g *guarded) baseOf() gorm.ConnPool {
	pool, err := tenancy.DB(g.db)
	require.NoError(g, err)
	return pool
}

func TestRowSecurityRefusesRolesThatPassPoliciesBy(t *testing.T) {
	t.Parallel()
	for _, attributes := range []string{"SUPERUSER", "BYPASSRLS"} {
		dsn := testdb.Postgres(t)
		owner, err := sql.Open("pgx", dsn)
		require.NoError(t, err)
		role, with := roleOf(t, owner, dsn, attributes)
		_, err = owner.Exec("GRANT ALL ON SCHEMA public TO " + role)
		require.NoError(t, err)
		l := newLand(t, engines[1], postgres.Open(with), &gorm.Config{}, tenancy.Config{RowSecurity: "app.tenant_id", Global: []any{&Country{}}})
		err = l.as("a").Find(&[]Customer{}).Error
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig, attributes)
		require.ErrorContains(t, err, "role")
		require.ErrorIs(t, l.as("a").Create(&Customer{}).Error, tenancy.ErrInvalidConfig, attributes)
		require.NoError(t, l.db.Find(&[]Country{}).Error, "global tables need no policy")
		err = l.db.WithContext(tenancy.WithoutTenant(context.Background(), "report")).Find(&[]Customer{}).Error
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		require.ErrorContains(t, err, "Admin")
	}
}

func TestRowSecurityIsForPostgreSQL(t *testing.T) {
	t.Parallel()
	db, err := gorm.Open(engines[0].fresh(t)(), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.ErrorIs(t, db.Use(tenancy.New(tenancy.Config{RowSecurity: "app.tenant_id"})), tenancy.ErrInvalidConfig)
	pg, err := gorm.Open(postgres.Open(testdb.Postgres(t)), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.ErrorIs(t, pg.Use(tenancy.New(tenancy.Config{RowSecurity: "tenant'; DROP"})), tenancy.ErrInvalidConfig)
}

// TestRoundTrips counts what a statement costs between the application and PostgreSQL.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.protect(t)
	trips, through := testdb.CountRoundTrips(t, g.dsn)
	open := func(setting string) *gorm.DB {
		db, err := gorm.Open(postgres.Open(through), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		pool, err := db.DB()
		require.NoError(t, err)
		pool.SetMaxOpenConns(1)
		t.Cleanup(func() { _ = pool.Close() })
		if setting != "-" {
			require.NoError(t, db.Use(tenancy.New(tenancy.Config{Models: []any{&Customer{}, &Order{}, &Tag{}}, SQL: postgresproof.New(), RowSecurity: setting})))
		}
		return db
	}
	count := func(db *gorm.DB, do func(db *gorm.DB) error) int {
		for range 2 {
			require.NoError(t, do(db))
		}
		trips.Reset()
		require.NoError(t, do(db))
		return trips.Count()
	}
	read := func(db *gorm.DB) error { return db.Find(&[]Customer{}).Error }
	readTwice := func(db *gorm.DB) error {
		return db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Find(&[]Customer{}).Error; err != nil {
				return err
			}
			return tx.Find(&[]Customer{}).Error
		})
	}
	write := func(db *gorm.DB) error { return db.Create(&Tag{Label: "x"}).Error }
	alone := func(db *gorm.DB) error { return write(db.Session(&gorm.Session{SkipDefaultTransaction: true})) }

	with, without := open("app.tenant_id").WithContext(ctxOf("a")), open("").WithContext(ctxOf("a"))
	got := fmt.Sprint([]int{count(without, read), count(with, read)}, []int{count(without, readTwice), count(with, readTwice)},
		[]int{count(with, write)}, []int{count(with, alone)})
	require.Equal(t, "[1 1] [4 5] [4] [1]", got, "row-level security costs nothing outside a transaction, and one round trip in it")
}
