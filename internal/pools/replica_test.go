package pools_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// withReplicas returns a leased database with a replica on each server.
func withReplicas(t testing.TB, spec pools.Spec, dialect string, replicas ...*server) *pools.Database {
	t.Helper()
	spec.Name = "a"
	if spec.Primary == nil {
		spec.Primary = &stub{dialect: dialect, server: new(server)}
	}
	for _, one := range replicas {
		spec.Replicas = append(spec.Replicas, &stub{dialect: dialect, server: one})
	}
	s := newSet(t, pools.Options{Dialect: dialect}, spec)
	d := lease(t, s, "a")
	t.Cleanup(d.Done)
	return d
}

// A policy gets those that are fit, one caller at a time, and its answer counts if it is among them.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]pools.Policy{
		"none": nil, "random": dbresolver.RandomPolicy{}, "round robin": dbresolver.RoundRobinPolicy(),
		"strict round robin": dbresolver.StrictRoundRobinPolicy(),
		"alone": dbresolver.PolicyFunc(func() func([]gorm.ConnPool) gorm.ConnPool {
			var running atomic.Int64
			var n int
			return func(from []gorm.ConnPool) gorm.ConnPool {
				assert.Equal(t, int64(1), running.Add(1))
				defer running.Add(-1)
				runtime.Gosched()
				n++
				return from[n%len(from)]
			}
		}()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Databases may share a policy.
			specs := make([]pools.Spec, 2)
			for i := range specs {
				specs[i] = pools.Spec{
					Name: shard(i), Primary: &stub{server: new(server)}, Policy: policy,
					Replicas: []gorm.Dialector{&stub{server: new(server)}, &stub{server: new(server)}},
				}
			}
			s := newSet(t, pools.Options{Dialect: "stub"}, specs...)
			for i := range specs {
				d := lease(t, s, shard(i))
				t.Cleanup(d.Done)
				var seen sync.Map
				require.Eventually(t, func() bool { // until both are open
					seen.Store(d.Replica(t.Context()), true)
					return length(&seen) == 2
				}, 10*time.Second, time.Millisecond)
			}
			var wait sync.WaitGroup
			for i := range 8 {
				wait.Go(func() {
					d, err := s.Lease(t.Context(), shard(i%2))
					if !assert.NoError(t, err) {
						return
					}
					defer d.Done()
					for range 500 {
						assert.NotNil(t, d.Replica(t.Context()))
					}
				})
			}
			wait.Wait()
		})
	}
}

func length(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

// A policy that answers with something else does not decide, not even if that cannot be compared.
func TestPolicyThatMakesThingsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		for _, answer := range []gorm.ConnPool{nil, uncomparable{f: func() {}}} {
			one := &stub{server: new(server), wrap: func(db *sql.DB) gorm.ConnPool { return uncomparable{DB: db} }}
			d := withReplicas(t, pools.Spec{
				Replicas: []gorm.Dialector{one},
				Policy: dbresolver.PolicyFunc(func([]gorm.ConnPool) gorm.ConnPool {
					asked.Add(1)
					return answer
				}),
			}, "stub", new(server))
			require.NotNil(t, d.Replica(t.Context()))
			synctest.Wait()
			require.NotNil(t, d.Replica(t.Context()))
		}
		require.Positive(t, asked.Load())
	})
}

type uncomparable struct {
	*sql.DB

	f func()
}

// A replica that fails once is not read until a ping has found it well again: no statement pays for it twice.
func TestDeadReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good := new(server), new(server)
		d := withReplicas(t, pools.Spec{Policy: first{}}, "stub", bad, good)
		ctx := t.Context()
		d.Replica(ctx)
		synctest.Wait()
		dead := d.Replica(ctx)
		bad.down.Store(true)
		dead.Report(ctx, errRefused)
		for range 100 {
			require.NotSame(t, dead, d.Replica(ctx))
			time.Sleep(100 * time.Millisecond)
		}
		require.Less(t, bad.dials.Load(), int64(30), "it is left alone most of the time")
		bad.down.Store(false)
		begin := time.Now()
		for d.Replica(ctx) != dead {
			time.Sleep(100 * time.Millisecond)
		}
		require.Less(t, time.Since(begin), 30*time.Second)
		good.down.Store(true)
		dead.Report(ctx, errRefused)
		other := d.Replica(ctx)
		require.NotNil(t, other)
		other.Report(ctx, errRefused)
		require.Nil(t, d.Replica(ctx), "the primary is read")
	})
}

// A replica that cannot be opened is not fit, does not make those who read wait, and is opened later.
func TestReplicaThatCannotBeOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		one.down.Store(true)
		d := withReplicas(t, pools.Spec{}, "stub", one)
		ctx := t.Context()
		require.Zero(t, one.dials.Load(), "it is opened on first need")
		for range 10 {
			require.Nil(t, d.Replica(ctx))
		}
		require.Equal(t, int64(1), one.dials.Load())
		one.down.Store(false)
		release := one.hold()
		time.Sleep(500 * time.Millisecond)
		begin := time.Now()
		require.Nil(t, d.Replica(ctx))
		require.Equal(t, time.Second, time.Since(begin), "it is waited for, but not for long")
		require.Nil(t, d.Replica(ctx))
		require.Equal(t, time.Second, time.Since(begin), "and not by everybody")
		release()
		synctest.Wait()
		require.NotNil(t, d.Replica(ctx))
		require.Equal(t, int64(2), one.dials.Load())
	})
}

// A context that ends while a replica is opened ends the wait.
func TestReplicaHonoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		release := one.hold()
		d := withReplicas(t, pools.Spec{}, "stub", one)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		begin := time.Now()
		require.Nil(t, d.Replica(ctx))
		require.Equal(t, time.Millisecond, time.Since(begin))
		release()
	})
}

// A database is not closed while one of its replicas is being opened, and what is opened too late is closed.
func TestCloseWhileAReplicaIsOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		release := make(chan struct{})
		o := pools.Options{Dialect: "stub", Errors: sentinels(), Limits: pools.Limits{Databases: 1, Wait: time.Second}}
		s := pools.New(o, append(stubs(new(server), "b"), pools.Spec{
			Name: "a", Primary: &stub{server: new(server)},
			Replicas: []gorm.Dialector{&stub{server: one, before: func() error { <-release; return nil }}},
		})...)
		d := lease(t, s, "a")
		require.Nil(t, d.Replica(t.Context()))
		d.Done()
		_, err := s.Lease(t.Context(), "b")
		require.ErrorIs(t, err, errOverloaded)
		require.NoError(t, s.Close())
		close(release)
		synctest.Wait()
		require.Zero(t, one.now.Load())
	})
}

// standby is a stub of a PostgreSQL primary and its standby, whose positions a test sets.
type standby struct {
	written, replayed atomic.Uint64
	primary, replica  server
	asked             atomic.Int64
	broken            atomic.Bool
}

func newStandby() *standby {
	s := new(standby)
	lsn := func(position *atomic.Uint64) (string, error) {
		n := position.Load()
		return fmt.Sprintf("%X/%X", n>>32, n&0xFFFFFFFF), nil
	}
	s.primary.answers = func(query string) (string, error) {
		if !strings.Contains(query, "pg_current_wal_lsn") {
			return "1", nil
		}
		return lsn(&s.written)
	}
	s.replica.answers = func(query string) (string, error) {
		if !strings.Contains(query, "pg_last_wal_replay_lsn") {
			return "1", nil
		}
		s.asked.Add(1)
		if s.broken.Load() {
			return "", errors.New("permission denied")
		}
		return lsn(&s.replayed)
	}
	return s
}

func (s *standby) lease(t *testing.T, bound time.Duration) *pools.Database {
	t.Helper()
	return withReplicas(t, pools.Spec{MaxLag: bound, Primary: &stub{dialect: "postgres", server: &s.primary}}, "postgres", &s.replica)
}

// A replica that falls behind is not read once MaxLag is over, and read again when it has caught up. An idle primary makes
// no lag.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStandby()
		s.written.Store(1)
		s.replayed.Store(1)
		d := s.lease(t, time.Second)
		ctx := t.Context()
		read := func(for_ time.Duration) (fit time.Duration) {
			for begin := time.Now(); time.Since(begin) < for_; time.Sleep(10 * time.Millisecond) {
				if d.Replica(ctx) != nil {
					fit += 10 * time.Millisecond
				}
				synctest.Wait()
			}
			return fit
		}
		require.NotNil(t, d.Replica(ctx), "the first one waits for a measurement")
		require.Equal(t, time.Minute, read(time.Minute), "nothing happens, so nothing is missing")
		require.InDelta(t, 60*4, s.asked.Load(), 10, "four times in MaxLag")

		s.written.Store(2) // it is cut off
		fit := read(time.Minute)
		require.Greater(t, fit, 700*time.Millisecond)
		require.LessOrEqual(t, fit, time.Second)

		s.replayed.Store(2)
		require.GreaterOrEqual(t, read(time.Minute), time.Minute-300*time.Millisecond)

		// It follows at a distance.
		for range 100 {
			s.replayed.Store(s.written.Load())
			s.written.Add(1)
			read(100 * time.Millisecond)
		}
		require.NotNil(t, d.Replica(ctx))
		require.Equal(t, int64(1), s.replica.now.Load(), "measurements need one connection")

		// After a pause the first one waits.
		time.Sleep(time.Minute)
		s.replayed.Store(s.written.Load())
		require.NotNil(t, d.Replica(ctx))
		time.Sleep(time.Minute)
		s.written.Add(1)
		require.Nil(t, d.Replica(ctx))
	})
}

// No replica is read whose lag is not known.
func TestUnknownLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStandby()
		s.broken.Store(true)
		d := s.lease(t, time.Second)
		require.Nil(t, d.Replica(t.Context()))
		s.broken.Store(false)
		time.Sleep(time.Second)
		require.NotNil(t, d.Replica(t.Context()))

		// It hangs: one waits a second, the others do not; then it is taken for dead.
		time.Sleep(time.Minute)
		release := s.replica.hold()
		begin := time.Now()
		require.Nil(t, d.Replica(t.Context()))
		require.Equal(t, time.Second, time.Since(begin))
		for range 1000 {
			require.Nil(t, d.Replica(t.Context()))
		}
		require.Equal(t, time.Second, time.Since(begin))
		time.Sleep(5 * time.Second)
		begin = time.Now()
		require.Nil(t, d.Replica(t.Context()))
		require.Zero(t, time.Since(begin))
		release()
		for d.Replica(t.Context()) == nil {
			time.Sleep(100 * time.Millisecond)
		}
		require.Less(t, time.Since(begin), 10*time.Second)
	})
}

// A PostgreSQL server that is no standby is never behind.
func TestLagOfNoStandby(t *testing.T) {
	t.Parallel()
	dsn := testdb.Postgres(t)
	s := newSet(t, pools.Options{Dialect: "postgres"}, pools.Spec{
		Name: "a", Primary: postgres.Open(dsn), Replicas: []gorm.Dialector{postgres.Open(dsn)}, MaxLag: time.Minute,
	})
	d := lease(t, s, "a")
	defer d.Done()
	require.NotNil(t, d.Replica(t.Context()))
}

// Neither is a MySQL or MariaDB server that is no replica.
func TestLagOfNoReplica(t *testing.T) {
	t.Parallel()
	dsn := testdb.MySQL(t)
	s := newSet(t, pools.Options{Dialect: "mysql"}, pools.Spec{
		Name: "a", Primary: mysqlOpen(dsn), Replicas: []gorm.Dialector{mysqlOpen(dsn)}, MaxLag: time.Minute,
	})
	d := lease(t, s, "a")
	defer d.Done()
	require.NotNil(t, d.Replica(t.Context()))
}

// A PostgreSQL replica that is cut off is skipped at the cost of one statement, and read again when it is back.
func TestPostgresReplicaGoesAndComesBack(t *testing.T) {
	t.Parallel()
	dsn := testdb.Postgres(t)
	far, cable := throughProxy(t, dsn)
	s := newSet(t, pools.Options{Dialect: "postgres"}, pools.Spec{
		Name: "a", Primary: postgres.Open(dsn), Replicas: []gorm.Dialector{postgres.Open(far)},
	})
	d := lease(t, s, "a")
	defer d.Done()
	read := func(p *pools.Pool) error {
		var one int
		err := p.Plain().QueryRowContext(t.Context(), "SELECT 1").Scan(&one)
		p.Report(t.Context(), err)
		return err
	}
	p := d.Replica(t.Context())
	require.NotNil(t, p)
	require.NoError(t, read(p))
	cable.cut()
	require.Error(t, read(p))
	for range 100 {
		require.Nil(t, d.Replica(t.Context()))
	}
	cable.mend()
	require.Eventually(t, func() bool { return d.Replica(t.Context()) == p }, 20*time.Second, time.Millisecond)
	require.NoError(t, read(p))
}
