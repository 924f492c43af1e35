package tenancy_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/plugin/dbresolver"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
)

// apart is a tenant's database whose replica never catches up, so that it shows which of the two a read went to: the
// primary's customer is called "primary", the replica's "replica".
func apart(t *testing.T, change ...func(*tenancy.Config)) *land {
	t.Helper()
	e := engines[0]
	dir := t.TempDir()
	open := func(name string) gorm.Dialector { return sqlite.Open(filepath.Join(dir, name)) }
	for _, name := range []string{"primary", "replica", "home", "home replica"} {
		plain, err := gorm.Open(open(name), &gorm.Config{})
		require.NoError(t, err)
		require.NoError(t, plain.AutoMigrate(&Customer{}, &Order{}, &Tag{}, &Country{}))
		require.NoError(t, plain.Create(&Customer{ID: 1, TenantID: "a", Name: name}).Error)
		require.NoError(t, plain.Create(&Country{ID: 1, Name: name}).Error)
		pool, err := plain.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	}
	cfg := tenancy.Config{
		Global: []any{&Country{}}, Resolver: tenancy.List(map[tenancy.ID]tenancy.Placement{"a": {Shard: "s"}}),
		Shards: []tenancy.Shard{
			{Name: "s", Primary: open("primary"), Replicas: []gorm.Dialector{open("replica")}},
			{Name: "", Replicas: []gorm.Dialector{open("home replica")}},
		},
	}
	for _, fn := range change {
		fn(&cfg)
	}
	return newLand(t, e, open("home"), &gorm.Config{}, cfg)
}

func TestReadsGoToReplicas(t *testing.T) {
	t.Parallel()
	l := apart(t)
	name := func(db *gorm.DB) string {
		t.Helper()
		var c Customer
		require.NoError(t, db.First(&c, 1).Error)
		return c.Name
	}
	raw := func(db *gorm.DB, sql string) string {
		t.Helper()
		var s string
		require.NoError(t, db.Raw(sql).Scan(&s).Error)
		return s
	}
	a := l.as("a")
	require.Equal(t, "replica", name(a))
	require.Equal(t, "replica", raw(a, "SELECT name FROM customers"))
	require.Equal(t, "primary", name(a.Clauses(dbresolver.Write)))
	require.Equal(t, "primary", raw(a, "WITH c AS (SELECT * FROM customers) SELECT name FROM c WHERE random() IS NOT NULL"), "a function that is not known")
	require.Equal(t, "replica", raw(a.Clauses(dbresolver.Read), "SELECT name FROM customers WHERE random() IS NOT NULL"))
	require.Equal(t, "primary", raw(a, "UPDATE customers SET name = 'primary' WHERE id = 1 RETURNING name"))
	require.NoError(t, a.Transaction(func(tx *gorm.DB) error {
		require.Equal(t, "primary", name(tx))
		return nil
	}))
	require.NoError(t, a.Model(&Customer{}).Where("id = ?", 1).Update("name", "primary").Error)
	require.Equal(t, "replica", name(a), "another request")

	ctx := tenancy.ReadYourWrites(ctxOf("a"))
	mine := l.db.WithContext(ctx)
	require.Equal(t, "replica", name(mine), "before its first write")
	require.NoError(t, mine.Model(&Customer{}).Where("id = ?", 1).Update("name", "primary").Error)
	require.Equal(t, "primary", name(mine))
	require.Equal(t, "primary", name(l.db.WithContext(tenancy.ReadYourWrites(ctx))), "one request")
	var country Country
	require.NoError(t, l.db.WithContext(ctx).First(&country).Error)
	require.Equal(t, "home replica", country.Name, "nothing was written there")

	rows, err := a.Model(&Customer{}).Rows()
	require.NoError(t, err)
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	var c Customer
	require.NoError(t, a.Clauses(clause.Returning{}).Model(&c).Where("id = ?", 1).Update("name", "primary").Error)
	require.Equal(t, "primary", c.Name)
}

// TestStandby is about PostgreSQL, whose standbys refuse what locks or writes.
func TestStandby(t *testing.T) {
	t.Parallel()
	primary := testdb.StartPostgres(t)
	dsn := primary.Database(t)
	standby := primary.Standby(t)
	copied := standby.On(t, dsn)
	shard := tenancy.Shard{Name: "s", Primary: postgres.Open(dsn), Replicas: []gorm.Dialector{postgres.Open(copied)}, MaxLag: 200 * time.Millisecond}
	l := newLand(t, engines[1], postgres.Open(testdb.Postgres(t)), &gorm.Config{}, tenancy.Config{
		Global: []any{&Country{}}, Resolver: tenancy.Single(tenancy.Placement{Shard: "s"}), Shards: []tenancy.Shard{shard},
	}, "a")
	a := l.as("a")
	require.NoError(t, a.Create(&Customer{ID: 1, Name: "ann"}).Error)
	standby.CatchUp(t)

	onReplica := func() bool {
		t.Helper()
		var recovering bool
		there := tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "test"), tenancy.Placement{Shard: "s"})
		require.NoError(t, l.db.WithContext(there).Clauses(dbresolver.Read).Raw("SELECT pg_is_in_recovery() FROM customers").Scan(&recovering).Error)
		return recovering
	}
	require.Eventually(t, onReplica, 10*time.Second, 10*time.Millisecond)
	var c Customer
	for _, locking := range []clause.Locking{{Strength: "UPDATE", Options: "SKIP LOCKED"}, {Strength: "SHARE"}} {
		require.NoError(t, a.Clauses(locking).First(&c).Error, "a standby would refuse it")
	}
	var n int
	require.NoError(t, a.Raw("SELECT nextval(pg_get_serial_sequence('customers', 'id')) FROM customers").Scan(&n).Error)
	require.Positive(t, n)

	// A replica that is behind is not read, and taken back when it has caught up.
	standby.PauseReplay(t)
	require.NoError(t, a.Model(&c).Update("name", "bob").Error)
	require.Eventually(t, func() bool { return !onReplica() }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, a.First(&c).Error)
	require.Equal(t, "bob", c.Name)
	standby.ResumeReplay(t)
	require.Eventually(t, onReplica, 10*time.Second, 10*time.Millisecond)

	// A replica that is dead is not read either: no statement fails for it.
	standby.Kill(t)
	for range 5 {
		require.NoError(t, a.First(&c).Error)
	}
	require.False(t, onReplica())
	standby.Start(t)
	require.Eventually(t, onReplica, 30*time.Second, 20*time.Millisecond)

	// The primary is down: reads go on, writes fail, at last at once.
	standby.CatchUp(t)
	primary.Kill(t)
	require.Eventually(t, func() bool { return errors.Is(a.Create(&Customer{}).Error, tenancy.ErrTenantUnavailable) }, 10*time.Second, time.Millisecond)
	primary.Start(t)
	require.Eventually(t, func() bool { return a.Create(&Customer{Name: "eve"}).Error == nil }, 30*time.Second, 20*time.Millisecond)
}

// TestMariaDBReplica is about a replica that replays nothing: it is not read, and taken back when it has caught up.
func TestMariaDBReplica(t *testing.T) {
	t.Parallel()
	primary := testdb.StartMariaDB(t)
	dsn := primary.Database(t)
	replica := primary.Replica(t)
	replica.CatchUp(t)
	shard := tenancy.Shard{Name: "s", Primary: mysql.Open(dsn), Replicas: []gorm.Dialector{mysql.Open(replica.On(t, dsn))}, MaxLag: time.Second}
	l := newLand(t, engines[2], engines[2].fresh(t)(), &gorm.Config{}, tenancy.Config{
		Global: []any{&Country{}}, Resolver: tenancy.Single(tenancy.Placement{Shard: "s"}), Shards: []tenancy.Shard{shard},
	}, "a")
	a := l.as("a")
	c := Customer{ID: 1, Name: "ann"}
	require.NoError(t, a.Create(&c).Error)
	replica.CatchUp(t)
	onReplica := func() bool {
		t.Helper()
		var readOnly bool
		there := tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "test"), tenancy.Placement{Shard: "s"})
		require.NoError(t, l.db.WithContext(there).Clauses(dbresolver.Read).Raw("SELECT @@read_only FROM customers").Scan(&readOnly).Error)
		return readOnly
	}
	require.Eventually(t, onReplica, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, a.Clauses(clause.Locking{Strength: "UPDATE"}).First(&c).Error)

	replica.PauseReplay(t)
	require.Eventually(t, func() bool { return !onReplica() }, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, a.Model(&c).Update("name", "bob").Error)
	require.NoError(t, a.First(&c).Error)
	require.Equal(t, "bob", c.Name)
	replica.ResumeReplay(t)
	require.Eventually(t, onReplica, 20*time.Second, 10*time.Millisecond)

	replica.Kill(t)
	for range 5 {
		require.NoError(t, a.First(&c).Error)
	}
	require.False(t, onReplica())
}
