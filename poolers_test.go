package tenancy_test

import (
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// throughPooler opens a DSN through a PgBouncer in transaction mode, with a mode of pgx.
func throughPooler(t *testing.T, dsn, mode string) gorm.Dialector {
	t.Helper()
	u, err := url.Parse(testdb.PgBouncer(t, dsn))
	require.NoError(t, err)
	if mode == "simple" {
		return postgres.New(postgres.Config{DSN: u.String(), PreferSimpleProtocol: true})
	}
	q := u.Query()
	q.Set("default_query_exec_mode", mode)
	u.RawQuery = q.Encode()
	return postgres.Open(u.String())
}

// crowd lets many goroutines read, write and run transactions as one of the tenants, and looks at each row.
func (l *land) crowd(t *testing.T, tenants ...tenancy.ID) {
	t.Helper()
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for n := range 20 {
				id := tenants[(g+n)%len(tenants)]
				db := l.as(id)
				err := db.Transaction(func(tx *gorm.DB) error {
					tag := Tag{Label: string(id)}
					if err := tx.Create(&tag).Error; err != nil {
						return err
					}
					return tx.Model(&Tag{}).Where("id = ?", tag.ID).Update("label", string(id)).Error
				})
				var tags []Tag
				if err == nil {
					err = db.Find(&tags).Error
				}
				if err != nil || len(tags) == 0 {
					t.Errorf("%s: %d tags, %v", id, len(tags), err)
					return
				}
				for _, tag := range tags {
					if tag.TenantID != string(id) || tag.Label != string(id) {
						t.Errorf("%s got a row of %s", id, tag.TenantID)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// TestBehindPgBouncer is about promise 2 behind a pooler that gives a server connection to another client with each
// transaction: what one leaves on it, the next one would have.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "cache_describe", "simple"} {
		t.Run("schemas, "+mode, func(t *testing.T) {
			t.Parallel()
			dsn := testdb.Postgres(t)
			inSchemas(t, engines[1], postgres.Open(dsn), "s_a", "s_b", "s_c")
			l := newLand(t, engines[1], throughPooler(t, dsn, mode), &gorm.Config{}, tenancy.Config{
				Global: []any{&Country{}}, Resolver: tenancy.SchemaPerTenant("", "s_"),
			}, "a", "b", "c")
			l.crowd(t, "a", "b", "c")
			require.False(t, l.db.Migrator().HasTable("tags"))
		})
		t.Run("row security, "+mode, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t)
			g.protect(t)
			l := newLand(t, engines[1], throughPooler(t, g.dsn, mode), &gorm.Config{}, tenancy.Config{Global: []any{&Country{}}, RowSecurity: "app.tenant_id"})
			l.crowd(t, "a", "b", "c")
			pool, err := tenancy.DB(l.db)
			require.NoError(t, err)
			for range 50 {
				var n int
				require.NoError(t, pool.QueryRow("SELECT count(*) FROM tags").Scan(&n))
				require.Zero(t, n, "nobody's setting is left on a server connection")
			}
		})
	}
	for _, c := range []struct {
		mode string
		gorm.Config
	}{
		{mode: "cache_statement"}, {mode: "describe_exec"}, {mode: "exec", Config: gorm.Config{PrepareStmt: true}},
	} {
		t.Run("refused, "+c.mode, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t)
			g.protect(t)
			inSchemas(t, engines[1], postgres.Open(g.ownerDSN), "s_a")
			one, two := c.Config, c.Config
			l := newLand(t, engines[1], throughPooler(t, g.dsn, c.mode), &one, tenancy.Config{RowSecurity: "app.tenant_id"})
			require.ErrorIs(t, l.as("a").Find(&[]Tag{}).Error, tenancy.ErrInvalidConfig)
			require.ErrorIs(t, l.as("a").Create(&Tag{}).Error, tenancy.ErrInvalidConfig)
			l = newLand(t, engines[1], throughPooler(t, g.dsn, c.mode), &two, tenancy.Config{Resolver: tenancy.SchemaPerTenant("", "s_")})
			require.ErrorIs(t, l.as("a").Find(&[]Tag{}).Error, tenancy.ErrInvalidConfig)
		})
	}
}

// TestSchemasThatDiffer is about promise 4: a plan that is cached for one schema is not taken for another, whose table has
// other columns.
func TestSchemasThatDiffer(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		home := e.fresh(t)
		prefix := fmt.Sprintf("d%p_", t)
		inSchemas(t, e, home(), prefix+"a", prefix+"b")
		plain, err := gorm.Open(home(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		for i, id := range []string{"a", "b"} {
			columns := []string{"id int, tenant_id varchar(63), label varchar(20)", "label varchar(20), more int, id int, tenant_id varchar(63)"}[i]
			require.NoError(t, plain.Exec("CREATE TABLE "+prefix+id+".tags ("+columns+")").Error)
			require.NoError(t, plain.Exec("INSERT INTO "+prefix+id+".tags (id, tenant_id, label) VALUES (1, '"+id+"', '"+id+"')").Error)
		}
		pool, err := plain.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
		for _, prepare := range []bool{false, true} {
			l := newLand(t, e, home(), &gorm.Config{PrepareStmt: prepare}, tenancy.Config{
				Models: []any{&Tag{}}, Global: []any{&Country{}}, Resolver: tenancy.SchemaPerTenant("", prefix),
			})
			for range 3 {
				for _, id := range []tenancy.ID{"a", "b"} {
					var tag Tag
					require.NoError(t, l.as(id).First(&tag).Error)
					require.Equal(t, string(id), tag.Label)
					require.NoError(t, l.as(id).Raw("SELECT * FROM tags").Scan(&tag).Error)
					require.Equal(t, string(id), tag.Label)
					types, err := l.as(id).Migrator().ColumnTypes(&Tag{})
					require.NoError(t, err)
					require.Len(t, types, map[tenancy.ID]int{"a": 3, "b": 4}[id])
				}
			}
		}
	}, "sqlite")
}

// TestRoundTripsOfSchemas counts what a schema costs between the application and PostgreSQL: nothing.
func TestRoundTripsOfSchemas(t *testing.T) {
	t.Parallel()
	dsn := testdb.Postgres(t)
	inSchemas(t, engines[1], postgres.Open(dsn), "s_a", "s_b")
	trips, through := testdb.CountRoundTrips(t, dsn)
	for _, prepare := range []bool{false, true} {
		l := newLand(t, engines[1], postgres.Open(through), &gorm.Config{PrepareStmt: prepare}, tenancy.Config{
			Global: []any{&Country{}}, Resolver: tenancy.SchemaPerTenant("", "s_"),
		}, "a", "b")
		pool, err := tenancy.DB(l.db)
		require.NoError(t, err)
		pool.SetMaxOpenConns(1)
		count := func(do func(db *gorm.DB) error) int {
			for range 3 {
				require.NoError(t, do(l.as("a")))
				require.NoError(t, do(l.as("b")))
			}
			trips.Reset()
			require.NoError(t, do(l.as("a")))
			return trips.Count()
		}
		got := []int{
			count(func(db *gorm.DB) error { return db.Find(&[]Tag{}).Error }),
			count(func(db *gorm.DB) error { return db.Joins("Customer").Find(&[]Order{}).Error }),
			count(func(db *gorm.DB) error { return db.Raw("SELECT label FROM tags").Scan(&[]string{}).Error }),
			count(func(db *gorm.DB) error { return db.Create(&Tag{Label: "x"}).Error }),
		}
		require.Equal(t, []int{1, 1, 1, 3}, got, "BEGIN and COMMIT are GORM's own")
	}
}
