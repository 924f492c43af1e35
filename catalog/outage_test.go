package catalog

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// TestChangesWithoutTheMaster is about changes and readings while the master is down: the driver's error passes, and when the master is
// back, so are they.
func TestChangesWithoutTheMaster(t *testing.T) {
	t.Parallel()
	type server interface {
		Kill(t testing.TB)
		Start(t testing.TB)
	}
	for name, start := range map[string]func(t *testing.T) (server, gorm.Dialector){
		"postgres": func(t *testing.T) (server, gorm.Dialector) {
			t.Helper()
			s := testdb.StartPostgres(t)
			return s, postgres.Open(s.Database(t))
		},
		"mysql": func(t *testing.T) (server, gorm.Dialector) {
			t.Helper()
			s := testdb.StartMariaDB(t)
			return s, mysql.Open(s.Database(t))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dialector := start(t)
			m := master{name, func() gorm.Dialector { return dialector }}
			c, ctx := m.open(t), t.Context()
			made := create(t, c, NewTenant{ID: "a"})
			s.Kill(t)

			fails := func(err error) {
				t.Helper()
				require.Error(t, err)
				require.NotErrorIs(t, err, tenancy.ErrTenantNotFound)
				require.NotContains(t, err.Error(), "catalog:")
			}
			short, cancel := context.WithTimeout(ctx, 3*time.Second)
			defer cancel()
			_, err := c.Create(short, NewTenant{ID: "b"})
			fails(err)
			_, err = c.SetState(short, made, Active, "")
			fails(err)
			_, err = c.Read(short, "a")
			fails(err)
			for _, err := range c.List(short, Filter{}) {
				fails(err)
			}
			for _, err := range c.Tenants(short) {
				fails(err)
			}
			for _, err := range c.Places(short) {
				fails(err)
			}
			s.Start(t)
			_, err = c.SetState(ctx, made, Active, "")
			require.NoError(t, err)
			create(t, c, NewTenant{ID: "b"})

			s.Kill(t) // while all connections are idle
			s.Start(t)
			create(t, c, NewTenant{ID: "c"})
			require.Len(t, collect(t, c.List(ctx, Filter{})), 3)
		})
	}
}

// TestOpenWithoutMaster fails with what the driver says.
func TestOpenWithoutMaster(t *testing.T) {
	t.Parallel()
	master := openMemory(t)
	db, err := master.DB()
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = Open(t.Context(), master, Config{})
	require.ErrorContains(t, err, "database is closed")
}

// TestDrained is about how long to wait until nobody acts on what was before.
func TestDrained(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t, Config{MaxStale: 500 * time.Millisecond}), t.Context()
			create(t, c, NewTenant{ID: "a"})
			before := time.Now()
			now, err := c.Activate(ctx, "a", "")
			require.NoError(t, err)
			after := time.Now()
			require.WithinRange(t, c.Drained(now), before.Add(500*time.Millisecond), after.Add(500*time.Millisecond))
			first := c.Drained(now)
			require.Equal(t, first, c.Drained(now), "it does not move away")

			slow := m.open(t, Config{MaxStale: 7 * time.Second})
			_, err = c.Suspend(ctx, "a", "a test")
			require.NoError(t, err)
			read, err := c.Read(ctx, "a")
			require.NoError(t, err)
			require.WithinRange(t, c.Drained(read), before.Add(7*time.Second), time.Now().Add(7*time.Second))

			// Another process knows no better than that it was committed when it read it.
			asked := time.Now()
			require.WithinRange(t, slow.Drained(read), asked.Add(7*time.Second), time.Now().Add(7*time.Second))
			first = slow.Drained(read)
			require.Equal(t, first, slow.Drained(read))
			quick := m.open(t, Config{MaxStale: 100 * time.Millisecond})
			require.Equal(t, 7*time.Second, quick.store.maxStale())
		})
	}
}

// TestDrainedAfterASlowCommit is about changes that take long: it is their end that counts, not what UpdatedAt says.
func TestDrainedAfterASlowCommit(t *testing.T) {
	t.Parallel()
	var chosen time.Time
	c := openSQLite(t, Config{MaxStale: 100 * time.Millisecond, Strategy: StrategyFunc(func(context.Context, Tenant, []Shard) (string, error) {
		time.Sleep(300 * time.Millisecond)
		chosen = time.Now()
		return "", nil
	})})
	made := create(t, c, NewTenant{ID: "a"})
	require.True(t, made.UpdatedAt.Add(200*time.Millisecond).Before(chosen))
	require.False(t, c.Drained(made).Before(chosen.Add(100*time.Millisecond)))
}
