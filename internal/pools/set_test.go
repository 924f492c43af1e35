package pools_test

import (
	"context"
	"database/sql"
	"errors"
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
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
)

// A hundred goroutines that want a database open it once, and all get the same one.
func TestOneOpeningForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		one := new(server)
		s := newSet(t, pools.Options{Dialect: "stub", Open: func(context.Context, string) (pools.Spec, error) {
			asked.Add(1)
			time.Sleep(time.Second)
			return pools.Spec{Primary: &stub{server: one}}, nil
		}})
		found := make([]*pools.Database, 100)
		var wait sync.WaitGroup
		for i := range found {
			wait.Go(func() {
				d, err := s.Lease(t.Context(), "a")
				if assert.NoError(t, err) {
					found[i] = d
				}
			})
		}
		wait.Wait()
		require.Equal(t, int64(1), asked.Load())
		require.Equal(t, int64(1), one.dials.Load(), "the connection of the ping is kept")
		require.Equal(t, 100, s.Stats()[0].Leases)
		for _, d := range found {
			require.Same(t, found[0], d)
			require.Equal(t, "a", d.Name())
			d.Done()
		}
		require.Zero(t, s.Stats()[0].Leases)
	})
}

// A caller whose context ends goes at once, whatever the driver does; the opening goes on for the others.
func TestWaitingForAnOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{
			server: new(server), before: func() error { <-release; return nil }, // as MySQL's driver, which takes no context
		}})
		patient := make(chan error, 1)
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		go func() { // the one who starts it leaves first
			_, err := s.Lease(impatient, "a")
			patient <- err
		}()
		synctest.Wait()
		go func() {
			_, err := s.Lease(t.Context(), "a")
			patient <- err
		}()
		err := <-patient
		require.Equal(t, time.Second, time.Since(begin))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, errUnavailable)
		close(release)
		require.NoError(t, <-patient)
	})
}

// A driver that hangs does not hold those who wait longer than a while; there is one such attempt at a time, and what
// comes of it in the end is closed.
func TestHangingDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		one := new(server)
		var attempts atomic.Int64
		s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Databases: 1}},
			pools.Spec{Name: "a", Primary: &stub{server: one, before: func() error {
				attempts.Add(1)
				<-release
				return nil
			}}},
			pools.Spec{Name: "b", Primary: &stub{server: new(server)}})
		_, err := s.Lease(t.Context(), "a")
		require.ErrorIs(t, err, errUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for range 5 {
			_, err = s.Lease(t.Context(), "a")
			require.ErrorIs(t, err, errUnavailable)
			require.Contains(t, err.Error(), "hangs")
		}
		require.Equal(t, int64(1), attempts.Load())
		lease(t, s, "b").Done() // a server that is down takes no room
		close(release)
		synctest.Wait()
		require.Zero(t, one.now.Load(), "what came too late is closed")
		lease(t, s, "a").Done()
	})
}

// What a driver opens in the end that does not listen to contexts is closed too.
func TestDeafDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		one.deaf.Store(true)
		release := one.hold()
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: one}})
		_, err := s.Lease(t.Context(), "a")
		require.ErrorIs(t, err, errUnavailable)
		release()
		synctest.Wait()
		require.Equal(t, int64(1), one.most.Load())
		require.Zero(t, one.now.Load())
	})
}

// Nobody is left waiting when the user's code panics or ends its goroutine.
func TestOpenThatPanics(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(){
		"panic":  func() { panic("secret") },
		"error":  func() { panic(errRefused) },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSet(t, pools.Options{Dialect: "stub", Open: func(context.Context, string) (pools.Spec, error) {
				fail()
				return pools.Spec{}, nil
			}})
			var wait sync.WaitGroup
			for range 10 {
				wait.Go(func() {
					_, err := s.Lease(t.Context(), "a")
					if assert.ErrorIs(t, err, errUnavailable) {
						assert.NotContains(t, err.Error(), "secret")
					}
				})
			}
			wait.Wait()
		})
		t.Run(name+" of the dialector", func(t *testing.T) {
			t.Parallel()
			s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{
				server: new(server), before: func() error { fail(); return nil },
			}})
			_, err := s.Lease(t.Context(), "a")
			require.ErrorIs(t, err, errUnavailable)
		})
	}
}

// An observer that panics leaves nothing open and nobody waiting.
func TestObserverThatPanics(t *testing.T) {
	t.Parallel()
	one := new(server)
	s := newSet(t, pools.Options{Dialect: "stub", Opened: func(string) { panic("no") }},
		pools.Spec{Name: "a", Primary: &stub{server: one}})
	_, err := s.Lease(t.Context(), "a")
	require.ErrorIs(t, err, errUnavailable)
	require.Zero(t, one.now.Load())
	require.Empty(t, s.Stats())
}

// Unknown names are not found, however they are unknown.
func TestNotFound(t *testing.T) {
	t.Parallel()
	t.Run("not among the known ones", func(t *testing.T) {
		t.Parallel()
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: new(server)}})
		_, err := s.Lease(t.Context(), "b")
		require.ErrorIs(t, err, errNotFound)
		require.Contains(t, err.Error(), `"b"`)
	})
	t.Run("no home", func(t *testing.T) {
		t.Parallel()
		s := newSet(t, pools.Options{Dialect: "stub", Open: func(context.Context, string) (pools.Spec, error) {
			t.Error("the name of no database is asked for")
			return pools.Spec{}, nil
		}})
		_, err := s.Lease(t.Context(), "")
		require.ErrorIs(t, err, errNotFound)
	})
	t.Run("Open", func(t *testing.T) {
		t.Parallel()
		cause := errors.Join(errNotFound, errors.New("password"))
		s := newSet(t, pools.Options{Dialect: "stub", Open: func(context.Context, string) (pools.Spec, error) {
			return pools.Spec{}, cause
		}})
		_, err := s.Lease(t.Context(), "b")
		require.ErrorIs(t, err, errNotFound)
		require.ErrorIs(t, err, cause)
		require.NotContains(t, err.Error(), "password")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		dsn := testdb.Postgres(t)
		s := newSet(t, pools.Options{Dialect: "postgres"},
			pools.Spec{Name: "a", Primary: postgres.Open(dsn)}, pools.Spec{Name: "b", Primary: postgres.Open(withDatabase(t, dsn, "nowhere"))})
		lease(t, s, "a").Done()
		_, err := s.Lease(t.Context(), "b")
		require.ErrorIs(t, err, errNotFound)
		require.NotContains(t, err.Error(), "nowhere")
	})
	t.Run("MySQL", func(t *testing.T) {
		t.Parallel()
		dsn := testdb.MySQL(t)
		s := newSet(t, pools.Options{Dialect: "mysql"},
			pools.Spec{Name: "a", Primary: gormmysql.Open(dsn)}, pools.Spec{Name: "b", Primary: gormmysql.Open(withMySQLDatabase(t, dsn, "nowhere"))})
		lease(t, s, "a").Done()
		_, err := s.Lease(t.Context(), "b")
		require.ErrorIs(t, err, errNotFound)
		require.NotContains(t, err.Error(), "nowhere")
	})
}

// No file comes into being because somebody asks for a database.
func TestNoFileIsCreated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{"x.db", "with space.db", "per%cent.db", "quest?ion.db", "ha#sh.db", "ünï.db", "none/x.db"} {
		dialectors := []gorm.Dialector{sqlite.Open(filepath.Join(dir, path))}
		if path == "x.db" {
			dialectors = append(dialectors,
				sqlite.New(sqlite.Config{DSN: filepath.Join(dir, path)}),
				sqlite.New(sqlite.Config{DSN: filepath.Join(dir, path) + "?_pragma=foreign_keys(1)"}),
				sqlite.New(sqlite.Config{DSN: "file:" + filepath.Join(dir, path) + "?cache=shared"}),
				wrapped{sqlite.Open(filepath.Join(dir, path))})
		}
		for _, dialector := range dialectors {
			s := newSet(t, pools.Options{Dialect: "sqlite"}, pools.Spec{Name: "a", Primary: dialector})
			_, err := s.Lease(t.Context(), "a")
			require.ErrorIs(t, err, errNotFound, path)
			require.NotContains(t, err.Error(), dir)
		}
	}
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, found)

	// But the files that are there are found, under the same names.
	for _, path := range []string{"with space.db", "per%cent.db", "quest?ion.db", "ha#sh.db", "ünï.db"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), nil, 0o600))
		s := newSet(t, pools.Options{Dialect: "sqlite"}, pools.Spec{Name: "a", Primary: sqlite.Open(filepath.Join(dir, path))})
		lease(t, s, "a").Done()
	}
	found, err = os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range found {
		require.Contains(t, entry.Name(), ".db")
		require.NotContains(t, entry.Name(), "%20")
	}
}

// wrapped is a dialector of a user's own that wraps another one.
type wrapped struct{ gorm.Dialector }

// A file that is missing is not created for a replica or for administration either.
func TestNoFileIsCreatedForParts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files(t, dir, 1, 1)
	missing := filepath.Join(dir, "missing.db")
	s := newSet(t, pools.Options{Dialect: "sqlite"}, pools.Spec{
		Name: "a", Primary: sqlite.Open(file(dir, shard(0))),
		Replicas: []gorm.Dialector{sqlite.Open(missing)}, Admin: sqlite.Open(missing),
	})
	d := lease(t, s, "a")
	require.True(t, d.HasReplicas())
	require.Nil(t, d.Replica(t.Context()))
	require.True(t, d.HasAdmin())
	_, err := d.Admin(t.Context())
	require.ErrorIs(t, err, errUnavailable)
	require.NoFileExists(t, missing)
	d.Done()
}

// A flood of unknown names does not reach Open more than once in two seconds each.
func TestUnknownNamesAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		var exists atomic.Bool
		s := newSet(t, pools.Options{Dialect: "stub", Open: func(context.Context, string) (pools.Spec, error) {
			asked.Add(1)
			if !exists.Load() {
				return pools.Spec{}, errNotFound
			}
			return pools.Spec{Primary: &stub{server: new(server)}}, nil
		}})
		for range 1000 {
			_, err := s.Lease(t.Context(), "a")
			require.ErrorIs(t, err, errNotFound)
		}
		require.Equal(t, int64(1), asked.Load())
		exists.Store(true)
		time.Sleep(time.Second)
		_, err := s.Lease(t.Context(), "a")
		require.ErrorIs(t, err, errNotFound)
		time.Sleep(time.Second)
		lease(t, s, "a").Done()
		require.Equal(t, int64(2), asked.Load())
	})
}

// What is remembered of names is bounded.
func TestMemoryOfNamesIsBounded(t *testing.T) {
	t.Parallel()
	for failure, want := range map[error]error{errNotFound: errNotFound, errRefused: errUnavailable} {
		s := newSet(t, pools.Options{Dialect: "stub", Open: func(context.Context, string) (pools.Spec, error) {
			return pools.Spec{}, failure
		}})
		for i := range 5000 {
			_, err := s.Lease(t.Context(), shard(i))
			require.ErrorIs(t, err, want)
		}
		missing, troubles := s.Remembered()
		require.LessOrEqual(t, missing, 1024)
		require.LessOrEqual(t, troubles, 1024)
	}
}

// What cannot be opened is left alone after three failures, for twice as long each time, and then tried once.
func TestOpeningBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		one.down.Store(true)
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: one}})
		for range 100 {
			_, err := s.Lease(t.Context(), "a")
			require.ErrorIs(t, err, errUnavailable)
			require.ErrorIs(t, err, errRefused)
		}
		dials := one.dials.Load()
		require.Equal(t, int64(3), dials)
		for _, pause := range []time.Duration{
			500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second,
		} {
			time.Sleep(pause - time.Millisecond)
			_, err := s.Lease(t.Context(), "a")
			require.ErrorIs(t, err, errUnavailable)
			require.Equal(t, dials, one.dials.Load(), pause)
			time.Sleep(time.Millisecond)
			_, err = s.Lease(t.Context(), "a")
			require.ErrorIs(t, err, errUnavailable)
			dials++
			require.Equal(t, dials, one.dials.Load(), pause)
		}
		one.down.Store(false)
		time.Sleep(30 * time.Second)
		// While one tries, the others fail at once.
		release := one.hold()
		result := make(chan error)
		go func() {
			_, err := s.Lease(t.Context(), "a")
			result <- err
		}()
		time.Sleep(10 * time.Second)
		begin := time.Now()
		_, err := s.Lease(t.Context(), "a")
		require.ErrorIs(t, err, errUnavailable)
		require.Zero(t, time.Since(begin))
		release()
		require.NoError(t, <-result)
		lease(t, s, "a").Done()
	})
}

// A context that has ended opens nothing.
func TestLeaseWithAnEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: one}})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := s.Lease(ctx, "a")
		require.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		require.Zero(t, one.dials.Load())
	})
}

// What Open answers with is checked as what is known.
func TestSpecOfOpenIsChecked(t *testing.T) {
	t.Parallel()
	answer := pools.Spec{}
	s := newSet(t, pools.Options{Dialect: "stub", Limits: pools.Limits{Total: 10}, Open: func(context.Context, string) (pools.Spec, error) {
		return answer, nil
	}})
	good := &stub{server: new(server)}
	for _, answer = range []pools.Spec{
		{},
		{Primary: &stub{dialect: "other", server: new(server)}},
		{Primary: good, Replicas: []gorm.Dialector{nil}},
		{Primary: good, Admin: &stub{dialect: "other"}},
		{Primary: good, MaxLag: time.Second},
		{Primary: good, Admin: good}, // more connections than Total
	} {
		_, err := s.Lease(t.Context(), "a")
		require.ErrorIs(t, err, errInvalid)
	}
	answer = pools.Spec{Name: "another", Primary: good}
	d := lease(t, s, "a")
	require.Equal(t, "a", d.Name())
	d.Done()
}

// The database that gorm.Open opened is there at once, and not ours to close.
func TestHome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files(t, dir, 3, 1)
	for name, prepare := range map[string]bool{"plain": false, "prepared": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := gorm.Open(sqlite.Open(file(dir, shard(0))), &gorm.Config{PrepareStmt: prepare})
			require.NoError(t, err)
			base, err := db.DB()
			require.NoError(t, err)
			defer func() { require.NoError(t, base.Close()) }()
			o := pools.Options{Dialect: "sqlite", Errors: sentinels()}
			s := pools.New(o, pools.Spec{Replicas: []gorm.Dialector{sqlite.Open(file(dir, shard(1)))}, Admin: sqlite.Open(file(dir, shard(2)))})
			s.Home(db.ConnPool)
			d := lease(t, s, "")
			require.Empty(t, d.Name())
			require.Empty(t, s.Stats())
			p := primary(t, d)
			require.Same(t, base, p.DB())
			require.Same(t, base, p.Plain())
			again := p.Prepared()
			require.Same(t, again, p.Prepared())
			replica := d.Replica(t.Context())
			require.NotNil(t, replica)
			got, err := mark(t.Context(), replica.DB())
			require.NoError(t, err)
			require.Equal(t, shard(1), got)
			admin, err := d.Admin(t.Context())
			require.NoError(t, err)
			got, err = mark(t.Context(), admin.DB())
			require.NoError(t, err)
			require.Equal(t, shard(2), got)
			d.Done()
			require.NoError(t, s.Close())
			require.NoError(t, base.PingContext(t.Context()))
			require.Error(t, replica.DB().PingContext(t.Context()))
			require.Error(t, admin.DB().PingContext(t.Context()))
			d = lease(t, s, "")
			require.Same(t, base, primary(t, d).DB(), "it is the application's")
			require.Nil(t, d.Replica(t.Context()))
			_, err = d.Admin(t.Context())
			require.Error(t, err)
			_, err = s.Lease(t.Context(), "x")
			require.Error(t, err)
		})
	}
}

// A pool of statements is made once, and its statements go with the pool.
func TestPrepared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files(t, dir, 1, 1)
	s := newSet(t, pools.Options{Dialect: "sqlite", Open: fromFiles(dir), MostPrepared: 1})
	d := lease(t, s, shard(0))
	p := primary(t, d)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			var name string
			if assert.NoError(t, p.Prepared().QueryRowContext(t.Context(), "SELECT name FROM marks").Scan(&name)) {
				assert.Equal(t, shard(0), name)
			}
		})
	}
	wait.Wait()
	require.NoError(t, p.Prepared().QueryRowContext(t.Context(), "SELECT 1 FROM marks").Err())
	require.Equal(t, 1, p.Prepared().Len())
	d.Done()
	require.NoError(t, s.Close())
	require.Zero(t, p.Prepared().Len())
}

// Once runs until it has succeeded, one at a time, and per key.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: new(server)}})
	d := lease(t, s, "a")
	defer d.Done()
	p := primary(t, d)
	var running, runs, failed atomic.Int64
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			err := p.Once("k", func() error {
				assert.Equal(t, int64(1), running.Add(1))
				defer running.Add(-1)
				for range 100 {
					runtime.Gosched()
				}
				if runs.Add(1) <= 3 {
					return errRefused
				}
				return nil
			})
			if err != nil {
				failed.Add(1)
			}
		})
	}
	wait.Wait()
	require.Equal(t, int64(4), runs.Load())
	require.Equal(t, int64(3), failed.Load())
	require.ErrorIs(t, p.Once("other", func() error { return errRefused }), errRefused)
	require.Panics(t, func() { _ = p.Once("panics", func() error { panic("no") }) })
	require.NoError(t, p.Once("panics", func() error { return nil }), "it is not locked for ever")
}

// Close ends what is under way, leaves what is in use to its end, and can be called again.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging, fine := new(server), new(server)
		release := hanging.hold()
		defer release()
		s := pools.New(pools.Options{Dialect: "stub", Errors: sentinels(), Limits: pools.Limits{Databases: 2}},
			pools.Spec{Name: "hanging", Primary: &stub{server: hanging}},
			pools.Spec{Name: "fine", Primary: &stub{server: fine}},
			pools.Spec{Name: "queued", Primary: &stub{server: fine}})
		d := lease(t, s, "fine")
		p := primary(t, d)
		tx, err := p.DB().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		failed := make(chan error, 2)
		for _, name := range []string{"hanging", "queued"} {
			go func() {
				_, err := s.Lease(t.Context(), name)
				failed <- err
			}()
			synctest.Wait()
		}
		begin := time.Now()
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		for range 2 {
			require.EqualError(t, <-failed, "sql: database is closed")
		}
		require.Zero(t, time.Since(begin))
		_, err = s.Lease(t.Context(), "fine")
		require.EqualError(t, err, "sql: database is closed")
		_, err = tx.ExecContext(t.Context(), "x")
		require.NotErrorIs(t, err, sql.ErrConnDone)
		require.NoError(t, tx.Commit(), "a transaction can end")
		d.Done()
		synctest.Wait()
		require.Zero(t, fine.now.Load())
		require.Zero(t, hanging.now.Load())
	})
}

// What is opened at the moment of Close is closed.
func TestCloseWhileADatabaseIsOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := new(server)
		reached, release := make(chan struct{}), make(chan struct{})
		var closed []string
		s := pools.New(pools.Options{Dialect: "stub", Errors: sentinels(), Opened: func(string) {
			close(reached)
			<-release
		}, Closed: func(name string) { closed = append(closed, name) }}, stubs(one, "a")...)
		failed := make(chan error)
		go func() {
			_, err := s.Lease(t.Context(), "a")
			failed <- err
		}()
		<-reached
		require.NoError(t, s.Close())
		close(release)
		require.EqualError(t, <-failed, "sql: database is closed")
		synctest.Wait()
		require.Zero(t, one.now.Load())
		require.Equal(t, []string{"a"}, closed)
	})
}

// Close may come at any time, and leaves no goroutine.
func TestCloseDuringTraffic(t *testing.T) { //nolint:paralleltest // it counts goroutines
	dir := t.TempDir()
	files(t, dir, 10, 1)
	before := runtime.NumGoroutine()
	for range 5 {
		s := pools.New(pools.Options{
			Dialect: "sqlite", Errors: sentinels(), Limits: pools.Limits{Databases: 3, IdleTime: 20 * time.Millisecond},
			Open: func(_ context.Context, name string) (pools.Spec, error) {
				d := sqlite.Open(file(dir, name))
				return pools.Spec{Primary: d, Replicas: []gorm.Dialector{d}, Admin: d}, nil
			},
		})
		var wait sync.WaitGroup
		var served atomic.Int64
		for g := range 16 {
			wait.Go(func() {
				for i := g; ; i++ {
					d, err := s.Lease(t.Context(), shard(i%10))
					if err != nil {
						assert.EqualError(t, err, "sql: database is closed")
						return
					}
					p := d.Replica(t.Context())
					if p == nil {
						p, _ = d.Primary()
					}
					if _, err := mark(t.Context(), p.DB()); err == nil {
						served.Add(1)
					}
					d.Done()
				}
			})
		}
		require.Eventually(t, func() bool { return served.Load() > 100 }, 20*time.Second, time.Millisecond)
		require.NoError(t, s.Close())
		wait.Wait()
		require.Empty(t, s.Stats())
	}
	goroutinesBack(t, before)
}
