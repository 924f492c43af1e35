package pools_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/sqlite"
)

// stubs returns known databases of one server.
func stubs(one *server, names ...string) []pools.Spec {
	var specs []pools.Spec
	for _, name := range names {
		specs = append(specs, pools.Spec{Name: name, Primary: &stub{server: one}})
	}
	return specs
}

func openNames(s *pools.Set) []string {
	var names []string
	for _, stat := range s.Stats() {
		names = append(names, stat.Name)
	}
	return names
}

// The least recently used database is closed for a new one, and its room is free only then.
func TestLeastRecentlyUsedIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var events []string
		note := func(what string) func(string) {
			return func(name string) {
				mu.Lock()
				defer mu.Unlock()
				events = append(events, what+name)
			}
		}
		one := new(server)
		s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Databases: 2}, Opened: note("+"), Closed: note("-")},
			stubs(one, "a", "b", "c", "d")...)
		for _, name := range []string{"a", "b", "a", "c", "b", "d"} {
			time.Sleep(time.Second)
			lease(t, s, name).Done()
		}
		require.Equal(t, []string{"+a", "+b", "-b", "+c", "-a", "+b", "-c", "+d"}, events)
		require.Equal(t, []string{"b", "d"}, openNames(s))
		require.Equal(t, int64(2), one.now.Load())
	})
}

// When all are in use, a statement waits until one is free, in the order of arrival, and at the end is told so.
func TestWaitingForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Databases: 1, Wait: 10 * time.Second}},
			stubs(new(server), "a", "b", "c", "d")...)
		a := lease(t, s, "a")

		begin := time.Now()
		_, err := s.Lease(t.Context(), "b")
		require.Equal(t, 10*time.Second, time.Since(begin))
		require.ErrorIs(t, err, errOverloaded)
		require.NotErrorIs(t, err, errUnavailable)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin = time.Now()
		_, err = s.Lease(ctx, "b")
		require.Equal(t, time.Second, time.Since(begin))
		require.ErrorIs(t, err, errOverloaded)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		order := make(chan string, 3)
		for _, name := range []string{"b", "c", "d"} {
			go func() {
				d, err := s.Lease(t.Context(), name)
				if !assert.NoError(t, err) {
					return
				}
				order <- name
				time.Sleep(time.Second)
				d.Done()
			}()
			synctest.Wait()
		}
		begin = time.Now()
		a.Done()
		for _, name := range []string{"b", "c", "d"} {
			require.Equal(t, name, <-order)
		}
		require.Equal(t, 2*time.Second, time.Since(begin), "the end of a lease is seen at once")
		synctest.Wait()
		time.Sleep(time.Second)
		databases, _ := s.Reserved()
		require.Equal(t, 1, databases)
	})
}

// Who comes when there is room does not overtake those who wait for it, and have not seen it yet.
func TestNobodyJumpsTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Databases: 1}}, stubs(new(server), "a", "b", "c")...)
		a := lease(t, s, "a")
		conn, err := primary(t, a).DB().Conn(t.Context())
		require.NoError(t, err)
		a.Done()
		order := make(chan string, 2)
		use := func(name string) {
			d, err := s.Lease(t.Context(), name)
			if assert.NoError(t, err) {
				order <- name
				d.Done()
			}
		}
		go use("b")
		synctest.Wait()
		require.NoError(t, conn.Close()) // of which there is no sign
		go use("c")
		require.Equal(t, "b", <-order)
		require.Equal(t, "c", <-order)
	})
}

// Those who went away do not open what nobody wants, and who comes after them is served.
func TestAbandonedOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Databases: 1}}, stubs(one, "a", "b")...)
		a := lease(t, s, "a")
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := s.Lease(ctx, "b")
			gone <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		synctest.Wait()
		a.Done()
		time.Sleep(time.Second)
		require.Equal(t, []string{"a"}, openNames(s))
		lease(t, s, "b").Done()
	})
}

// A sql.Rows and a transaction keep their database open after the lease; that they end is seen within milliseconds.
func TestRowsAndTransactionsKeepOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files(t, dir, 2, 10)
	for name, use := range map[string]func(*testing.T, *sql.DB) (end func() error){
		"rows": func(t *testing.T, db *sql.DB) func() error {
			t.Helper()
			rows, err := db.QueryContext(t.Context(), "SELECT name FROM marks") //nolint:rowserrcheck // checked at the end
			require.NoError(t, err)
			require.True(t, rows.Next())
			return func() error {
				assert.True(t, rows.Next())
				return errors.Join(rows.Err(), rows.Close())
			}
		},
		"transaction": func(t *testing.T, db *sql.DB) func() error {
			t.Helper()
			tx, err := db.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			return tx.Commit
		},
		"connection": func(t *testing.T, db *sql.DB) func() error {
			t.Helper()
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			return conn.Close
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSet(t, pools.Options{
				Dialect: "sqlite", Open: fromFiles(dir), Limits: pools.Limits{Databases: 1},
			})
			d := lease(t, s, shard(0))
			end := use(t, primary(t, d).DB())
			d.Done()
			soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := s.Lease(soon, shard(1))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, []string{shard(0)}, openNames(s))
			require.NoError(t, end())
			d = lease(t, s, shard(1))
			d.Done()
		})
	}
}

// So does one on a replica or on the pool for administration.
func TestPartsKeepOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		known := append(stubs(one, "b"), pools.Spec{
			Name: "a", Primary: &stub{server: one}, Replicas: []gorm.Dialector{&stub{server: one}}, Admin: &stub{server: one},
		})
		s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Databases: 1, Wait: time.Second}}, known...)
		for _, which := range []func(*pools.Database) *pools.Pool{
			func(d *pools.Database) *pools.Pool { return d.Replica(t.Context()) },
			func(d *pools.Database) *pools.Pool {
				p, err := d.Admin(t.Context())
				require.NoError(t, err)
				return p
			},
		} {
			d := lease(t, s, "a")
			conn, err := which(d).DB().Conn(t.Context())
			require.NoError(t, err)
			d.Done()
			_, err = s.Lease(t.Context(), "b")
			require.ErrorIs(t, err, errOverloaded)
			require.NoError(t, conn.Close())
			lease(t, s, "b").Done()
			require.Equal(t, int64(1), one.now.Load(), "all pools of a are closed")
		}
	})
}

// Databases that have not been used for a while are closed, and then nothing runs.
func TestIdleDatabasesAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{IdleTime: time.Minute}}, stubs(one, "a", "b", "c")...)
		require.False(t, s.JanitorRuns())
		lease(t, s, "a").Done()
		time.Sleep(30 * time.Second)
		lease(t, s, "b").Done()
		c := lease(t, s, "c")
		time.Sleep(29 * time.Second)
		require.Equal(t, []string{"a", "b", "c"}, openNames(s))
		time.Sleep(time.Second + 2)
		synctest.Wait()
		require.Equal(t, []string{"b", "c"}, openNames(s))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"c"}, openNames(s), "it is leased")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"c"}, openNames(s), "it is leased")
		conn, err := primary(t, c).DB().Conn(t.Context())
		require.NoError(t, err)
		c.Done()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"c"}, openNames(s), "a connection of it is in use")
		require.NoError(t, conn.Close())
		time.Sleep(2*time.Minute + 2)
		synctest.Wait()
		require.Empty(t, s.Stats())
		require.Zero(t, one.now.Load())
		require.False(t, s.JanitorRuns())
		lease(t, s, "a").Done()
		require.True(t, s.JanitorRuns())
	})
}

// A database is not opened again before it is closed.
func TestOpenedAfterClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		release := make(chan struct{})
		s := newSet(t, pools.Options{
			Dialect: "stub", Limits: pools.Limits{IdleTime: time.Minute}, Closed: func(string) { <-release },
		}, stubs(one, "a")...)
		lease(t, s, "a").Done()
		time.Sleep(time.Minute + time.Nanosecond)
		synctest.Wait()
		got := make(chan error)
		go func() {
			_, err := s.Lease(t.Context(), "a")
			got <- err
		}()
		synctest.Wait()
		require.Equal(t, int64(1), one.dials.Load())
		close(release)
		require.NoError(t, <-got)
		require.Equal(t, int64(2), one.dials.Load())
	})
}

// Every pool that a database may have counts against Total, opened or not.
func TestTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		big := pools.Spec{Name: "big", Primary: &stub{server: one}, Replicas: []gorm.Dialector{&stub{server: one}}, Admin: &stub{server: one}}
		s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Connections: 2, Total: 7, Wait: time.Second}},
			append(stubs(one, "a", "b", "c", "d"), big)...)
		for _, name := range []string{"a", "b", "c", "d"} {
			time.Sleep(time.Second)
			lease(t, s, name).Done()
		}
		require.Equal(t, []string{"b", "c", "d"}, openNames(s), "3 times 2 connections")
		b := lease(t, s, "b")
		_, err := s.Lease(t.Context(), "big")
		require.ErrorIs(t, err, errOverloaded)
		require.Equal(t, []string{"b", "c", "d"}, openNames(s), "nothing is closed in vain")
		b.Done()
		time.Sleep(time.Second)
		lease(t, s, "d").Done()
		lease(t, s, "big").Done()
		require.Equal(t, []string{"big"}, openNames(s))
		_, connections := s.Reserved()
		require.Equal(t, 6, connections)
		lease(t, s, "a").Done()
		require.Equal(t, []string{"a"}, openNames(s))
		_, connections = s.Reserved()
		require.Equal(t, 2, connections)
	})
}

// Connections never exceed the bound, whatever is opened and closed at the same time.
func TestConnectionsStayWithinTotal(t *testing.T) {
	t.Parallel()
	one := new(server)
	s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Connections: 2, Total: 20, Wait: time.Minute}, Open: func(context.Context, string) (pools.Spec, error) {
		spec := pools.Spec{Primary: &stub{server: one}}
		if rand.IntN(2) == 0 {
			spec.Replicas = []gorm.Dialector{&stub{server: one}, &stub{server: one}}
		}
		return spec, nil
	}})
	rounds := 200
	if testing.Short() || raceDetector {
		rounds = 20
	}
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for range rounds {
				d, err := s.Lease(t.Context(), shard(rand.IntN(50)))
				if !assert.NoError(t, err) {
					return
				}
				pool := d.Replica(t.Context())
				if pool == nil {
					pool, err = d.Primary()
					assert.NoError(t, err)
				}
				conn, err := pool.DB().Conn(t.Context())
				d.Done()
				if assert.NoError(t, err) {
					runtime.Gosched()
					assert.NoError(t, conn.Close())
				}
			}
		})
	}
	wait.Wait()
	require.LessOrEqual(t, one.most.Load(), int64(20))
	_, connections := s.Reserved()
	require.LessOrEqual(t, connections, 20)
}

// A database in memory is never closed: it would be lost.
func TestMemoryIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files(t, dir, 2, 1)
	for i, dialector := range []gorm.Dialector{
		sqlite.Open(":memory:"),
		sqlite.New(sqlite.Config{DSN: ":memory:"}),
		sqlite.New(sqlite.Config{DSN: "file::memory:?cache=shared"}),
		sqlite.New(sqlite.Config{DSN: "file:kept?mode=memory"}),
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := newSet(t, pools.Options{Dialect: "sqlite", Open: fromFiles(dir), Limits: pools.Limits{Databases: 1, IdleTime: time.Millisecond}},
				pools.Spec{Name: "m", Primary: dialector})
			d := lease(t, s, "m")
			_, err := primary(t, d).DB().ExecContext(t.Context(), "CREATE TABLE marks (name TEXT); INSERT INTO marks VALUES ('m')")
			require.NoError(t, err)
			d.Done()
			lease(t, s, shard(0)).Done()
			lease(t, s, shard(1)).Done()
			require.Eventually(t, func() bool { return len(s.Stats()) == 1 }, 10*time.Second, time.Millisecond, "the files are idle")
			d = lease(t, s, "m")
			got, err := mark(t.Context(), primary(t, d).DB())
			require.NoError(t, err)
			require.Equal(t, "m", got)
			d.Done()
		})
	}
	require.NoFileExists(t, "kept")
}

// A pool that the dialector was given is not ours: it is neither bounded nor closed.
func TestPoolOfTheDialector(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files(t, dir, 1, 1)
	db, err := gorm.Open(sqlite.Open(file(dir, shard(0))))
	require.NoError(t, err)
	base, err := db.DB()
	require.NoError(t, err)
	defer func() { require.NoError(t, base.Close()) }()
	s := pools.New(pools.Options{Dialect: "sqlite", Errors: sentinels(), Limits: pools.Limits{Databases: 1}},
		pools.Spec{Name: "a", Primary: sqlite.New(sqlite.Config{Conn: base})},
		pools.Spec{Name: "b", Primary: sqlite.Open(file(dir, shard(0)))})
	d := lease(t, s, "a")
	lease(t, s, "b").Done() // there is still room
	require.Same(t, base, primary(t, d).DB())
	require.Zero(t, base.Stats().MaxOpenConnections)
	d.Done()
	require.NoError(t, s.Close())
	require.NoError(t, base.PingContext(t.Context()))
}

// Each pool that is ours has the bound of Limits.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Connections: 3}}, stubs(new(server), "a")...)
	d := lease(t, s, "a")
	defer d.Done()
	require.Equal(t, 3, primary(t, d).DB().Stats().MaxOpenConnections)
	require.Equal(t, 3, s.Stats()[0].Primary.MaxOpenConnections)
}

// A database is never closed under a statement, a transaction or a sql.Rows, however few may be open.
func TestNothingIsClosedInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files(t, dir, 40, 20)
	var open, most atomic.Int64
	s := newSet(t, pools.Options{
		Dialect: "sqlite", Open: fromFiles(dir), Limits: pools.Limits{Databases: 5, Wait: 2 * time.Minute, IdleTime: 5 * time.Millisecond},
		Opened: func(string) {
			if n := open.Add(1); n > most.Load() {
				most.Store(n)
			}
		},
		Closed: func(string) { open.Add(-1) },
	})
	rounds := 60
	if testing.Short() || raceDetector {
		rounds = 10
	}
	var wait sync.WaitGroup
	for g := range 64 {
		wait.Go(func() {
			for i := range rounds {
				name := shard(rand.IntN(40))
				if !assert.NoError(t, useOne(t.Context(), s, name, (g+i)%3), name) {
					return
				}
			}
		})
	}
	wait.Wait()
	require.LessOrEqual(t, most.Load(), int64(5))
}

// useOne uses a database in one of three ways, two of which go on after the lease.
func useOne(ctx context.Context, s *pools.Set, name string, how int) error {
	d, err := s.Lease(ctx, name)
	if err != nil {
		return err
	}
	p, err := d.Primary()
	if err != nil {
		d.Done()
		return err
	}
	switch how {
	case 0:
		defer d.Done()
		got, err := mark(ctx, p.DB())
		return mustBe(name, got, err)
	case 1:
		tx, err := p.DB().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		d.Done()
		if err != nil {
			return err
		}
		for range 3 {
			runtime.Gosched()
			var got string
			err := tx.QueryRowContext(ctx, "SELECT name FROM marks LIMIT 1").Scan(&got)
			if err := mustBe(name, got, err); err != nil {
				return err
			}
		}
		return tx.Commit()
	default:
		rows, err := p.DB().QueryContext(ctx, "SELECT name FROM marks")
		d.Done()
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // it is half read
		for range 10 {
			runtime.Gosched()
			var got string
			if !rows.Next() {
				return fmt.Errorf("too few rows: %w", rows.Err())
			}
			err := rows.Scan(&got)
			if err := mustBe(name, got, err); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

func mustBe(want, got string, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("%s answered for %s", got, want)
	}
	return err
}

// Ten thousand tenants in two thousand databases, of which fifty may be open.
func TestManyTenants(t *testing.T) { //nolint:paralleltest // it counts goroutines and takes both processors
	tenants, databases := 10_000, 2_000
	if testing.Short() || raceDetector {
		tenants, databases = 1_000, 200
	}
	dir := t.TempDir()
	manyFiles(t, dir, databases)
	before := runtime.NumGoroutine()
	o := pools.Options{Dialect: "sqlite", Errors: sentinels(), Open: func(_ context.Context, name string) (pools.Spec, error) {
		return pools.Spec{Primary: sqlite.Open(file(dir, name))}, nil
	}}
	o.Databases = 50
	s := pools.New(o)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			for i := next.Add(1); i <= int64(tenants); i = next.Add(1) {
				name := fmt.Sprintf("shard%05d", i*7919%int64(databases))
				if !assert.NoError(t, useOne(t.Context(), s, name, int(i)%3), name) {
					return
				}
			}
		})
	}
	wait.Wait()
	require.LessOrEqual(t, len(s.Stats()), 50)
	require.NoError(t, s.Close())
	goroutinesBack(t, before)
}

// manyFiles makes databases as files does, but quicker: by copying one, and writing the name into the copy.
func manyFiles(t *testing.T, dir string, n int) {
	t.Helper()
	template := t.TempDir()
	files(t, template, 1, 20)
	blank := []byte("shard00000")
	db, err := gorm.Open(sqlite.Open(file(template, shard(0))))
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	_, err = pool.ExecContext(t.Context(), "UPDATE marks SET name = ?", string(blank))
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	text, err := os.ReadFile(file(template, shard(0)))
	require.NoError(t, err)
	require.Equal(t, 20, bytes.Count(text, blank))
	for i := range n {
		name := fmt.Sprintf("shard%05d", i)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".db"), bytes.ReplaceAll(text, blank, []byte(name)), 0o600))
	}
}
