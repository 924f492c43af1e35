package pools

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/prepared"
)

// Pool is one pool of connections of a [Database]. It is safe for concurrent use, by whoever holds a lease of the database.
type Pool struct {
	of       *Database
	plain    gorm.ConnPool
	db       *sql.DB // nil if plain has none
	ours     bool    // we opened it, so we close it
	health   breaker
	probing  atomic.Bool
	prepared atomic.Pointer[prepared.Cache]
	attempts sync.Map // key → *attempt, of Once

	mu       sync.Mutex // guards what follows, and the making of prepared
	isClosed bool
}

// newPool makes the Pool of a base, taken out of GORM's cache of prepared statements.
func newPool(of *Database, base gorm.ConnPool, limit int, ours bool) *Pool {
	p := &Pool{of: of, plain: base, ours: ours, health: breaker{limit: limit}}
	for {
		cache, ok := p.plain.(*gorm.PreparedStmtDB)
		if !ok {
			break
		}
		p.plain = cache.ConnPool
	}
	p.db = databaseOf(p.plain)
	return p
}

func databaseOf(pool gorm.ConnPool) *sql.DB {
	switch pool := pool.(type) {
	case *sql.DB:
		return pool
	case gorm.GetDBConnector:
		if db, err := pool.GetDBConn(); err == nil {
			return db
		}
	}
	return nil
}

// Plain returns the pool itself, mostly a *sql.DB.
func (p *Pool) Plain() gorm.ConnPool { return p.plain }

// DB returns the pool as a *sql.DB, nil if it is none.
func (p *Pool) DB() *sql.DB { return p.db }

// Prepared returns the pool with its own cache of prepared statements, always the same one; nil if the pool is no *sql.DB.
func (p *Pool) Prepared() *prepared.Cache {
	if cache := p.prepared.Load(); cache != nil || p.db == nil {
		return cache
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if cache := p.prepared.Load(); cache != nil {
		return cache
	}
	cache := prepared.New(p.db, p.of.set.options.MostPrepared)
	p.prepared.Store(cache)
	return cache
}

// Report says how a statement on the pool ended: err, which may be nil. ctx is the statement's. A database that statements
// cannot reach is left alone for a while; see [Database.Primary] and [Database.Replica].
func (p *Pool) Report(ctx context.Context, err error) {
	if err == nil && p.health.state.Load() == sound {
		return
	}
	switch judge(ctx, err) {
	case reached:
		p.health.succeed()
	case unreached:
		p.health.fail(p.of.set.now(), err)
	case suspicious:
		p.probe(ctx)
	case undisclosed:
		p.health.inconclusive()
	}
}

// probe finds out in the background whether the database can be reached.
func (p *Pool) probe(ctx context.Context) {
	if !p.probing.CompareAndSwap(false, true) {
		return
	}
	if !p.of.lease() {
		p.probing.Store(false)
		return
	}
	go func() {
		defer p.of.Done()
		defer p.of.announce()
		defer p.probing.Store(false)
		ctx, cancel := p.of.set.detach(ctx, probeTimeout)
		defer cancel()
		full := p.full()
		switch err := p.ping(ctx); {
		case err == nil:
			p.health.succeed()
		case full && p.full(), p.of.set.closed.Load():
			// It waited for a connection in vain, which says nothing of the database.
			p.health.inconclusive()
		default:
			p.health.trip(p.of.set.now(), err)
		}
	}()
}

// full reports whether all connections that the pool may have are in use.
func (p *Pool) full() bool {
	if p.db == nil {
		return false
	}
	stats := p.db.Stats()
	return stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections
}

func (p *Pool) ping(ctx context.Context) error {
	return ping(ctx, p.plain)
}

func ping(ctx context.Context, pool gorm.ConnPool) error {
	if pinger, ok := pool.(interface{ PingContext(context.Context) error }); ok {
		return pinger.PingContext(ctx)
	}
	var one int
	return pool.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// inUse reports whether a statement, a transaction or a sql.Rows holds a connection of the pool, or one is being made:
// sql.DBStats.InUse counts both (Go 1.26, database/sql, DB.Stats).
func (p *Pool) inUse() bool {
	return p.db != nil && p.db.Stats().InUse > 0
}

// attempt is one key of Once.
type attempt struct {
	mu   sync.Mutex
	done atomic.Bool
}

// Once runs do unless it has succeeded before with this key on this pool. Of several callers one runs do at a time, the
// others wait; if it fails, it is the next one's turn.
func (p *Pool) Once(key string, do func() error) error {
	v, ok := p.attempts.Load(key)
	if !ok {
		v, _ = p.attempts.LoadOrStore(key, new(attempt))
	}
	a := v.(*attempt) //nolint:errcheck // nothing else is stored
	if a.done.Load() {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done.Load() {
		return nil
	}
	if err := do(); err != nil {
		return err
	}
	a.done.Store(true)
	return nil
}

// close closes what is ours. The statements go after the connections, so that nothing is sent for each of them: the
// connections close theirs themselves (Go 1.26, database/sql, driverConn.finalClose).
func (p *Pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isClosed {
		return nil
	}
	p.isClosed = true
	var errs []error
	if cache := p.prepared.Load(); cache != nil {
		errs = append(errs, cache.Close())
	}
	if p.ours {
		if retired := p.of.set.options.Retired; retired != nil && p.db != nil {
			retired(p.db)
		}
		errs = append(errs, closePool(p.plain))
	}
	return errors.Join(errs...)
}

func closePool(pool gorm.ConnPool) error {
	if closer, ok := pool.(interface{ Close() error }); ok {
		return closer.Close()
	}
	if db := databaseOf(pool); db != nil {
		return db.Close()
	}
	return nil
}

// OnTrial tells that the pool has been out of reach, and that whoever was given it is the one who finds out whether it still is.
// That is to be told with Report.
func (p *Pool) OnTrial() bool { return p.health.state.Load() == broken }
