package tenancy_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

// Grain is one of many rows, on two servers.
type Grain struct {
	ID   int64
	Silo int64 `tenancy:"shard_key"`
	Text string
}

// silos is an application whose shards are servers of their own: silo 0 is on the first, silo 1 on the second.
type silos struct {
	*testing.T
	db      *gorm.DB
	servers [2]*testdb.Cluster
	pools   [2]*sql.DB // of the plugin
}

const grains = 60_000

func newSilos(t *testing.T) *silos {
	t.Helper()
	s := &silos{T: t}
	at := map[int64]tenancy.Placement{}
	var shards []tenancy.Shard
	for i := range s.servers {
		s.servers[i] = testdb.StartPostgres(t)
		name := fmt.Sprintf("silo%d", i)
		shards = append(shards, tenancy.Shard{Name: name, Primary: postgres.Open(s.servers[i].Database(t))})
		at[int64(i)] = tenancy.Placement{Shard: name}
	}
	db, err := gorm.Open(postgres.Open(testdb.Postgres(t)), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	s.db = db
	plugin := tenancy.New(tenancy.Config{
		SQL: postgresproof.New(), Shards: shards,
		Sharding: []tenancy.Sharding{{Models: []any{&Grain{}}, Resolver: tenancy.List(at)}},
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	require.NoError(t, s.everywhere().AutoMigrate(&Grain{}))
	for i := range s.servers {
		ctx := tenancy.WithPlacement(t.Context(), at[int64(i)])
		s.pools[i], err = tenancy.DB(db.WithContext(ctx))
		require.NoError(t, err)
		_, err = s.pools[i].ExecContext(ctx, "INSERT INTO grains SELECT n*2+$1, $1, repeat('x', 100) FROM generate_series(1, $2::bigint) n", i, grains)
		require.NoError(t, err)
	}
	return s
}

func (s *silos) everywhere() *gorm.DB { return s.db.WithContext(tenancy.OnAllShards(s.Context())) }

// failed asserts that an error says that the second silo failed.
func (s *silos) failed(err error, done ...string) {
	s.Helper()
	var p *tenancy.PartialError
	require.ErrorAs(s, err, &p)
	require.Len(s, p.Failed, 1)
	require.Equal(s, "silo1", p.Failed[0].Name)
	require.ElementsMatch(s, done, p.Done)
}

// idle asserts that no connection is left in use.
func (s *silos) idle() {
	s.Helper()
	for _, pool := range s.pools {
		require.Eventually(s, func() bool { return pool.Stats().InUse == 0 }, 10*time.Second, 10*time.Millisecond, "a connection is in use")
	}
}

// TestShardIsKilled kills a server in the midst of statements over it and another.
func TestShardIsKilled(t *testing.T) {
	t.Parallel()
	s := newSilos(t)
	rows, err := s.everywhere().Model(&Grain{}).Order("id").Rows()
	require.NoError(t, err)
	for range 10 {
		require.True(t, rows.Next())
	}
	s.servers[1].Kill(t)
	n := 10
	for rows.Next() {
		n++
	}
	s.failed(rows.Err())
	require.Less(t, n, 2*grains)
	require.NoError(t, rows.Close())
	s.idle()

	var count int64
	s.failed(s.everywhere().Model(&Grain{}).Count(&count).Error)
	s.failed(s.everywhere().Model(&Grain{}).Where("text = ?", "x").Update("text", "y").Error, "silo0")
	s.failed(s.everywhere().Create(&[]Grain{{ID: 900_001, Silo: 1}, {ID: 900_000, Silo: 0}}).Error, "silo0")
	require.NoError(t, s.db.First(&Grain{}, "silo = ? AND id = ?", 0, 900_000).Error, "the other shard has its part")
	s.idle()

	s.servers[1].Start(t)
	require.Eventually(t, func() bool { return s.everywhere().Model(&Grain{}).Count(&count).Error == nil }, 30*time.Second, 50*time.Millisecond)
	require.EqualValues(t, 2*grains+1, count)
}

// TestShardIsSlow stops a server, and ends the statements that wait for it by their contexts.
func TestShardIsSlow(t *testing.T) {
	t.Parallel()
	s := newSilos(t)
	ctx, cancel := context.WithCancel(s.everywhere().Statement.Context)
	rows, err := s.db.WithContext(ctx).Model(&Grain{}).Order("id").Rows()
	require.NoError(t, err)
	require.True(t, rows.Next())
	cancel()
	for rows.Next() {
	}
	require.ErrorIs(t, rows.Err(), context.Canceled)
	require.NoError(t, rows.Close())
	s.idle()

	rows, err = s.everywhere().Model(&Grain{}).Rows()
	require.NoError(t, err)
	require.True(t, rows.Next())
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close(), "long before the end")
	s.idle()

	s.servers[1].Pause(t)
	for _, do := range []func(db *gorm.DB) error{
		func(db *gorm.DB) error { return db.Model(&Grain{}).Count(new(int64)).Error },
		func(db *gorm.DB) error { return db.Model(&Grain{}).Where("text = ?", "x").Update("text", "y").Error },
		func(db *gorm.DB) error {
			return db.Create(&[]Grain{{ID: 900_003, Silo: 1}, {ID: 900_002, Silo: 0}}).Error
		},
	} {
		ctx, cancel := context.WithTimeout(s.everywhere().Statement.Context, 200*time.Millisecond)
		begun := time.Now()
		require.ErrorIs(t, do(s.db.WithContext(ctx)), context.DeadlineExceeded)
		require.Less(t, time.Since(begun), 10*time.Second)
		cancel()
	}
	s.servers[1].Resume(t)
	s.idle()
	require.Eventually(t, func() bool { return s.everywhere().Model(&Grain{}).Count(new(int64)).Error == nil }, 30*time.Second, 50*time.Millisecond)
}
