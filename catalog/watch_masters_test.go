package catalog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// oracle knows what had been committed when: no look-up may return what is older than MaxStale.
type oracle struct {
	maxStale time.Duration

	mu      sync.Mutex
	commits map[tenancy.ID][]commit
}

// commit is a change of a tenant that had been committed by a time.
type commit struct {
	by    time.Time
	epoch int64
}

func newOracle(maxStale time.Duration) *oracle {
	return &oracle{maxStale: maxStale, commits: map[tenancy.ID][]commit{}}
}

func (o *oracle) note(t Tenant) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.commits[t.ID] = append(o.commits[t.ID], commit{time.Now(), t.Epoch})
}

// owed returns the epoch that a look-up must see at least that begins at a time.
func (o *oracle) owed(id tenancy.ID, began time.Time) (epoch int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.commits[id] {
		if began.Sub(c.by) > o.maxStale {
			epoch = c.epoch
		}
	}
	return epoch
}

// look looks a tenant up in one of the ways there are, and checks what it gets.
func (o *oracle) look(t *testing.T, c *Catalog, id tenancy.ID) {
	t.Helper()
	began := time.Now()
	owed := o.owed(id, began)
	var got Tenant
	var err error
	switch rand.IntN(4) {
	case 0:
		got, err = c.Tenant(t.Context(), id)
	case 1:
		got, err = c.ByName(t.Context(), string(id))
	case 2:
		got, err = c.ByDomain(t.Context(), string(id)+".example")
	case 3: // the place says when it was chosen
		var p tenancy.Placement
		p, err = c.Resolve(Maintenance(t.Context()), id)
		assert.NoError(t, err)
		round, _ := strconv.ParseInt(strings.TrimPrefix(p.TableSuffix, "_"), 10, 64)
		assert.GreaterOrEqual(t, round, o.owedRound(id, began), "%s, %s after", id, time.Since(began))
		return
	}
	assert.NoError(t, err)
	assert.GreaterOrEqual(t, got.Epoch, owed, "%s, %s after", id, time.Since(began))
}

// owedRound is the number of moves that a look-up must have seen.
func (o *oracle) owedRound(id tenancy.ID, began time.Time) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, c := range o.commits[id] {
		if began.Sub(c.by) > o.maxStale {
			n++
		}
	}
	return int64(n / 3) // the first one activates: the third, the sixth, … is a move
}

// moveOn moves a tenant: three changes.
func (o *oracle) moveOn(ctx context.Context, c *Catalog, t Tenant, round int) (Tenant, error) {
	t, err := c.SetState(ctx, t, Moving, "a test")
	if err != nil {
		return t, err
	}
	o.note(t)
	if t, err = c.Place(ctx, t, tenancy.Placement{TableSuffix: fmt.Sprintf("_%d", round)}, SharedTables, "a test"); err != nil {
		return t, err
	}
	o.note(t)
	if t, err = c.SetState(ctx, t, Active, "a test"); err != nil {
		return t, err
	}
	o.note(t)
	return t, nil
}

// scene is a master with tenants, and some catalogs over it as several processes have them.
type scene struct {
	*oracle

	ids      []tenancy.ID
	catalogs []*Catalog
}

const sceneStale = 300 * time.Millisecond

func newScene(t *testing.T, m master, tenants, catalogs int) *scene {
	t.Helper()
	s := &scene{oracle: newOracle(sceneStale)}
	for range catalogs {
		s.catalogs = append(s.catalogs, m.open(t, Config{MaxStale: sceneStale}))
	}
	for n := range tenants {
		id := tenancy.ID(fmt.Sprintf("t%d", n))
		s.ids = append(s.ids, id)
		made := create(t, s.catalogs[0], NewTenant{ID: id, Domains: []string{string(id) + ".example"}})
		made, err := s.catalogs[0].SetState(t.Context(), made, Active, "")
		require.NoError(t, err)
		s.note(made)
	}
	return s
}

// play moves tenants and looks them up, everywhere at once, and disturbs meanwhile. A change whose end is not known because of
// that is read back.
func (s *scene) play(t *testing.T, length time.Duration, disturb func()) {
	t.Helper()
	var stop atomic.Bool
	var all sync.WaitGroup
	var looks, moves atomic.Int64
	for i, id := range s.ids {
		c := s.catalogs[i%len(s.catalogs)]
		all.Go(func() {
			for round := 1; !stop.Load(); round++ {
				now, err := c.Read(t.Context(), id)
				if !assert.NoError(t, err) {
					return
				}
				if _, err := s.moveOn(t.Context(), c, now, round); !assert.NoError(t, err) {
					return
				}
				moves.Add(1)
				time.Sleep(rand.N(sceneStale))
			}
		})
	}
	for _, c := range s.catalogs {
		for range 2 {
			all.Go(func() {
				for !stop.Load() {
					s.look(t, c, s.ids[rand.IntN(len(s.ids))])
					looks.Add(1)
					if rand.IntN(16) == 0 {
						time.Sleep(rand.N(5 * time.Millisecond))
					}
				}
			})
		}
	}
	for began := time.Now(); time.Since(began) < length; {
		disturb()
		time.Sleep(20 * time.Millisecond)
	}
	stop.Store(true)
	all.Wait()
	require.Positive(t, moves.Load())
	for _, c := range s.catalogs {
		require.Zero(t, c.cache.watch.failures.Load(), "the machine was too busy for this test: the master was taken for unreachable")
	}
	t.Logf("%d look-ups, %d moves", looks.Load(), moves.Load())
}

// TestNobodyUsesWhatIsStale has several processes change tenants and look them up at once: no look-up that begins later than
// MaxStale after a change was committed returns what was before.
func TestNobodyUsesWhatIsStale(t *testing.T) {
	t.Parallel()
	eachMaster(t, func(t *testing.T, m master) {
		t.Helper()
		newScene(t, m, 6, 3).play(t, 3*time.Second, func() {})
	})
}

// TestListenerIsKilled is the same while PostgreSQL ends the connections that listen.
func TestListenerIsKilled(t *testing.T) {
	t.Parallel()
	dsn := testdb.Postgres(t)
	m := master{"postgres", func() gorm.Dialector { return postgres.Open(dsn) }}
	s := newScene(t, m, 4, 2)
	admin, err := m.db(t).DB()
	require.NoError(t, err)
	killed := 0
	s.play(t, 4*time.Second, func() {
		var n int
		assert.NoError(t, admin.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND query LIKE 'LISTEN%'`).Scan(&n))
		killed += n
	})
	require.Greater(t, killed, 2, "it listens again")
}

// TestBehindPooler is the same where nothing is heard.
func TestBehindPooler(t *testing.T) {
	t.Parallel()
	dsn := testdb.PgBouncer(t, testdb.Postgres(t)) + "&default_query_exec_mode=exec"
	m := master{"postgres", func() gorm.Dialector { return postgres.Open(dsn) }}
	newScene(t, m, 4, 2).play(t, 3*time.Second, func() {})
}

// TestNotifications is about PostgreSQL, where changes arrive long before the next check.
func TestNotifications(t *testing.T) {
	t.Parallel()
	dsn := testdb.Postgres(t)
	m := master{"postgres", func() gorm.Dialector { return postgres.Open(dsn) }}
	one, other := m.open(t), m.open(t, Config{MaxStale: time.Hour})
	made := create(t, one, NewTenant{ID: "a"})
	_, err := other.Tenant(t.Context(), "a")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		admin, err := m.db(t).DB()
		require.NoError(t, err)
		var n int
		require.NoError(t, admin.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`).Scan(&n))
		return n == 2
	}, 30*time.Second, 50*time.Millisecond)
	made, err = one.SetState(t.Context(), made, Active, "")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, err := other.Tenant(t.Context(), "a")
		return err == nil && got.Epoch == made.Epoch
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, other.Close())
	require.Zero(t, other.store.db.Stats().InUse, "nobody listens any more")
}

// outage is a server that a test ends, stops and starts again.
type outage interface {
	Kill(t testing.TB)
	Start(t testing.TB)
	Pause(t testing.TB)
	Resume(t testing.TB)
}

// TestMasterIsAwayForAWhile is about a master that is killed, and one that stands still: cached tenants are served, without waiting at
// each look-up, others are refused, and all is well by itself afterwards.
func TestMasterIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) (outage, func() gorm.Dialector){
		"postgres": func(t *testing.T) (outage, func() gorm.Dialector) {
			t.Helper()
			server := testdb.StartPostgres(t)
			dsn := server.Database(t)
			return server, func() gorm.Dialector { return postgres.Open(dsn) }
		},
		"mysql": func(t *testing.T) (outage, func() gorm.Dialector) {
			t.Helper()
			server := testdb.StartMariaDB(t)
			dsn := server.Database(t)
			return server, func() gorm.Dialector { return mysql.Open(dsn) }
		},
	} {
		for how, does := range map[string]struct{ goes, comes func(o outage, t testing.TB) }{
			"killed":  {outage.Kill, outage.Start},
			"stopped": {outage.Pause, outage.Resume},
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				server, dial := start(t)
				m := master{name, dial}
				c := m.open(t, Config{MaxStale: 500 * time.Millisecond})
				made := create(t, c, NewTenant{ID: "a"})
				made, err := c.SetState(t.Context(), made, Active, "")
				require.NoError(t, err)
				create(t, c, NewTenant{ID: "b"})
				_, err = c.Resolve(t.Context(), tenancy.ID("a"))
				require.NoError(t, err)

				does.goes(server, t)
				var longest, all time.Duration
				began := time.Now()
				for time.Since(began) < 6*time.Second {
					before := time.Now()
					_, err := c.Resolve(t.Context(), tenancy.ID("a"))
					require.NoError(t, err)
					took := time.Since(before)
					longest, all = max(longest, took), all+took
					time.Sleep(time.Millisecond)
				}
				require.Less(t, longest, 4*time.Second)
				require.Less(t, all, 5*time.Second, "only the first look-ups wait")
				_, err = c.Resolve(t.Context(), tenancy.ID("b"))
				require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)

				does.comes(server, t)
				require.Eventually(t, func() bool { // straight from the master, by another way
					made, err = c.SetState(t.Context(), made, Suspended, "a test")
					return err == nil
				}, time.Minute, 10*time.Millisecond)
				require.Eventually(t, func() bool {
					_, err := c.ByName(t.Context(), "b")
					return err == nil
				}, time.Minute, 10*time.Millisecond)
				_, err = c.Resolve(t.Context(), tenancy.ID("a"))
				require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
				require.ErrorContains(t, err, "it is suspended")
			})
		}
	}
}
