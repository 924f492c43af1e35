package faults_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
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
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/faults"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlproof"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

// Note is one row of a tenant; its text is the tenant's ID.
type Note struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"index"`
	Text     string
	Entries  []Entry
}

// Entry belongs to a note.
type Entry struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"index"`
	NoteID   uint
	Text     string
}

// server is a database server that can be killed and started again.
type server interface {
	Database(t testing.TB) string
	Kill(t testing.TB)
	Start(t testing.TB)
}

// engine is a kind of database server.
type engine struct {
	sql   func() sqlproof.Analyzer
	start func(t *testing.T) server
	open  func(dsn string) gorm.Dialector
	// within is the DSN with a schema as the connection's own.
	within func(dsn, schema string) string
	// terminate ends some of the connections of others.
	terminate func(db *gorm.DB)
}

func engines() map[string]engine {
	return map[string]engine{
		"postgres": {
			sql: postgresproof.New, open: postgres.Open,
			start:  func(t *testing.T) server { t.Helper(); return testdb.StartPostgres(t) },
			within: func(dsn, schema string) string { return dsn + "&search_path=" + schema },
			terminate: func(db *gorm.DB) {
				_ = db.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND random() < 0.5").Error
			},
		},
		"mariadb": {
			sql: mysqlproof.New, open: mysql.Open,
			start: func(t *testing.T) server { t.Helper(); return testdb.StartMariaDB(t) },
			within: func(dsn, schema string) string {
				i, j := strings.LastIndexByte(dsn, '/'), strings.IndexByte(dsn, '?')
				return dsn[:i+1] + schema + dsn[j:]
			},
			terminate: func(db *gorm.DB) {
				var ids []int64
				_ = db.Raw("SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND rand() < 0.5").Scan(&ids).Error
				for _, id := range ids {
					_ = db.Exec(fmt.Sprint("KILL ", id)).Error
				}
			},
		},
	}
}

// fleet is an application whose tenants live in shared tables, in schemas, and in databases on two servers, with a proxy in
// front of each.
type fleet struct {
	db      *gorm.DB
	plugin  *tenancy.Plugin
	plain   map[tenancy.ID]*gorm.DB // each tenant's place, past the proxies and the plugin
	ids     []tenancy.ID
	servers [2]server
	proxies [2]*faults.Proxy
}

func newFleet(t *testing.T, e engine) *fleet {
	t.Helper()
	f := &fleet{plain: map[tenancy.ID]*gorm.DB{}}
	var direct, through [2]string
	for i := range f.servers {
		f.servers[i] = e.start(t)
		direct[i] = f.servers[i].Database(t)
		f.proxies[i], through[i] = faults.ProxyDSN(t, direct[i])
	}
	open := func(dsn string) *gorm.DB {
		db, err := gorm.Open(e.open(dsn), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		pool, err := db.DB()
		require.NoError(t, err)
		pool.SetMaxIdleConns(0) // servers are killed
		t.Cleanup(func() { _ = pool.Close() })
		return db
	}
	at := map[tenancy.ID]tenancy.Placement{}
	shards := map[string]string{}
	add := func(id tenancy.ID, p tenancy.Placement, plain string) {
		at[id], f.plain[id] = p, open(plain)
		f.ids = append(f.ids, id)
	}
	for i := range 3 {
		add(tenancy.ID(fmt.Sprint("row", i)), tenancy.Placement{}, direct[0])
		schema := fmt.Sprint("schema", i)
		require.NoError(t, open(direct[i%2]).Exec("CREATE SCHEMA "+schema).Error)
		p := tenancy.Placement{Schema: schema}
		if i%2 == 1 {
			p.Shard, shards["far"] = "far", through[1]
		}
		add(tenancy.ID(schema), p, e.within(direct[i%2], schema))
		name := fmt.Sprint("own", i)
		own := f.servers[i%2].Database(t)
		proxied, err := testdb.Through(own, f.proxies[i%2].Address())
		require.NoError(t, err)
		shards[name] = proxied
		add(tenancy.ID(name), tenancy.Placement{Shard: name, Exclusive: true}, own)
	}
	var err error
	f.db, err = gorm.Open(e.open(through[0]), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	f.plugin = tenancy.New(tenancy.Config{
		Models: []any{&Note{}, &Entry{}}, SQL: e.sql(), Resolver: tenancy.List(at),
		Open: func(_ context.Context, name string) (tenancy.Shard, error) {
			return tenancy.Shard{Primary: e.open(shards[name])}, nil
		},
		Pools: tenancy.PoolLimits{Databases: 3, Connections: 4, IdleTime: 50 * time.Millisecond, Wait: 5 * time.Second},
	})
	base, err := f.db.DB()
	require.NoError(t, err)
	base.SetMaxOpenConns(8)
	require.NoError(t, f.db.Use(f.plugin))
	t.Cleanup(func() {
		require.NoError(t, f.plugin.Close())
		require.NoError(t, base.Close())
	})
	for _, id := range f.ids {
		require.NoError(t, f.db.WithContext(tenancy.WithTenant(t.Context(), id)).AutoMigrate(&Note{}, &Entry{}), id)
	}
	return f
}

// client does one thing as a tenant, and says whether it saw another's row.
func (f *fleet) client(ctx context.Context, rng *rand.Rand, id tenancy.ID) (leak string, err error) {
	db := f.db.WithContext(tenancy.WithTenant(ctx, id))
	if rng.IntN(2) == 0 {
		db = db.Session(&gorm.Session{PrepareStmt: true})
	}
	own := func(notes []Note) {
		for _, n := range notes {
			if n.TenantID != string(id) || n.Text != string(id) {
				leak = fmt.Sprintf("%s got note %d of %s", id, n.ID, n.Text)
			}
			for _, l := range n.Entries {
				if l.TenantID != string(id) || l.Text != string(id) {
					leak = fmt.Sprintf("%s got entry %d of %s", id, l.ID, l.Text)
				}
			}
		}
	}
	var notes []Note
	switch rng.IntN(6) {
	case 0:
		err = db.Create(&Note{Text: string(id), Entries: []Entry{{Text: string(id)}, {Text: string(id)}}}).Error
	case 1:
		err = db.Preload("Entries").Limit(20).Find(&notes).Error
	case 2:
		err = db.Transaction(func(tx *gorm.DB) error {
			n := Note{Text: string(id)}
			if err := tx.Create(&n).Error; err != nil {
				return err
			}
			if err := tx.Limit(10).Find(&notes).Error; err != nil {
				return err
			}
			return tx.Transaction(func(tx *gorm.DB) error { return tx.Create(&Entry{NoteID: n.ID, Text: string(id)}).Error })
		})
	case 3:
		rows, failed := db.Model(&Note{}).Limit(20).Rows()
		if err = failed; err == nil {
			for rows.Next() && rng.IntN(10) > 0 {
				var n Note
				if err = db.ScanRows(rows, &n); err == nil {
					own([]Note{n})
				}
			}
			err = errors.Join(err, rows.Err(), rows.Close())
		}
	case 4:
		err = db.Raw("SELECT n.* FROM notes n JOIN entries l ON l.note_id = n.id LIMIT 20").Scan(&notes).Error
	case 5:
		err = db.Where("id % 3 = 0").Delete(&Entry{}).Error
	}
	own(notes)
	return leak, err
}

// TestStress lets many clients work as random tenants while connections are cut, reset, delayed and terminated, servers are
// killed, and contexts end. Nobody may see another's row, nothing may hang, and afterwards all is at rest and works.
func TestStress(t *testing.T) {
	for name, e := range engines() {
		t.Run(name, func(t *testing.T) { stress(t, e) })
	}
}

func stress(t *testing.T, e engine) {
	t.Helper()
	f := newFleet(t, e)
	const clients = 24
	began := runtime.NumGoroutine()
	stop := make(chan struct{})
	var wg, chaos sync.WaitGroup
	var done, failed atomic.Int64
	for c := range clients {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(c)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rng.IntN(2000))*time.Millisecond)
				id := f.ids[rng.IntN(len(f.ids))]
				leak, err := f.client(ctx, rng, id)
				cancel()
				done.Add(1)
				if leak != "" {
					t.Error(leak)
				}
				if err == nil {
					continue
				}
				failed.Add(1)
				for _, never := range []error{
					tenancy.ErrTenantMismatch, tenancy.ErrCrossShard, tenancy.ErrUnconfinedSQL, tenancy.ErrNoTenant, tenancy.ErrShardNotFound,
					tenancy.ErrInvalidConfig, tenancy.ErrInvalidTenant, tenancy.ErrUnknownTable,
				} {
					if errors.Is(err, never) {
						t.Errorf("%s: %v", id, err)
					}
				}
			}
		})
	}
	chaos.Go(func() {
		rng := rand.New(rand.NewPCG(8, 9))
		for range 25 {
			i := rng.IntN(2)
			server, proxy := f.servers[i], f.proxies[i]
			switch rng.IntN(5) {
			case 0:
				proxy.Cut()
				time.Sleep(50 * time.Millisecond)
				proxy.Restore()
			case 1:
				proxy.Reset()
				time.Sleep(20 * time.Millisecond)
				proxy.Clear()
			case 2:
				proxy.Latency(20 * time.Millisecond)
				time.Sleep(100 * time.Millisecond)
				proxy.Clear()
			case 3:
				e.terminate(f.plain[f.ids[2*i]])
			case 4:
				server.Kill(t)
				server.Start(t)
			}
			time.Sleep(80 * time.Millisecond)
		}
	})
	chaos.Wait()
	close(stop)
	wg.Wait()
	t.Logf("%d statements and transactions, %d failed", done.Load(), failed.Load())
	require.Greater(t, done.Load()-failed.Load(), int64(clients), "most of it worked")
	require.Positive(t, failed.Load(), "the faults were felt")

	for _, id := range f.ids {
		db := f.db.WithContext(tenancy.WithTenant(t.Context(), id))
		require.Eventually(t, func() bool { return db.Create(&Note{Text: string(id)}).Error == nil }, 35*time.Second, 20*time.Millisecond, id)
		pool, err := tenancy.DB(db)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return pool.Stats().InUse == 0 }, 10*time.Second, 10*time.Millisecond, "%s: connections at rest", id)
		var notes []Note
		require.NoError(t, f.plain[id].Preload("Entries").Find(&notes).Error)
		for _, n := range notes {
			require.Equal(t, n.TenantID, n.Text)
			if id[0] != 'r' {
				require.Equal(t, string(id), n.Text, "the place is one tenant's")
			}
			for _, l := range n.Entries {
				require.Equal(t, n.TenantID, l.TenantID)
			}
		}
	}
	if !assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= began+10 }, 10*time.Second, 50*time.Millisecond, "goroutines at rest") {
		buf := make([]byte, 1<<20)
		t.Logf("%d before, now %d\n%s", began, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
	}
}
