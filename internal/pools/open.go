package pools

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

var (
	errNoPool = errors.New("the dialector has opened no pool")
	errGone   = errors.New("the goroutine that opened it has ended")
	errNoFile = errors.New("the file does not exist")
)

// trouble is what is remembered of attempts to open one thing.
type trouble struct {
	breaker

	hanging atomic.Int32 // attempts that nobody waits for any more
}

// connect opens a dialector: one connection is made, and kept. It returns when ctx ends even if the driver does not listen
// to it; what comes of it then is closed, and until then t counts it as hanging.
//
// (gorm.io/driver/mysql v1.6.0, mysql.go, Dialector.Initialize queries with context.Background.)
func (s *Set) connect(ctx context.Context, d gorm.Dialector, t *trouble) (gorm.ConnPool, error) {
	ours := !bringsPool(d)
	if ours && s.options.Dialect == "sqlite" && storageOf(d).missing() {
		return nil, errNoFile
	}
	ctx, cancel := s.detach(ctx, openTimeout)
	defer cancel()
	return within(ctx, t, func() (gorm.ConnPool, error) {
		db, err := gorm.Open(d, s.config())
		if err != nil {
			return nil, err
		}
		pool := db.ConnPool
		if pool == nil {
			return nil, errNoPool
		}
		if ours {
			s.limit(pool, d)
		}
		if err := ping(ctx, pool); err != nil {
			if ours {
				err = errors.Join(err, closePool(pool))
			}
			return nil, err
		}
		return pool, nil
	}, func(pool gorm.ConnPool) {
		if ours {
			_ = closePool(pool) // nobody is left to be told
		}
	})
}

// limit bounds the connections of a pool.
//
// All of them may stay idle for a short while. A smaller bound would make a busy pool close and open a connection with
// nearly every statement, and with a longer while the server would keep processes and memory for the databases of a burst.
// As database/sql takes the connection that was used last, those above the need are soon closed.
func (s *Set) limit(pool gorm.ConnPool, d gorm.Dialector) {
	db := databaseOf(pool)
	if db == nil || s.inMemory(d) { // that one goes with its last connection, or each connection has its own
		return
	}
	db.SetMaxOpenConns(s.options.Connections)
	db.SetMaxIdleConns(s.options.Connections)
	db.SetConnMaxIdleTime(idleConn)
}

func (s *Set) inMemory(d gorm.Dialector) bool {
	return s.options.Dialect == "sqlite" && storageOf(d).memory
}

// config is fresh each time, as gorm.Open and the drivers write to it (gorm v1.31.2, gorm.go, Open).
func (s *Set) config() *gorm.Config {
	config := &gorm.Config{DisableAutomaticPing: true, Logger: logger.Discard}
	if s.options.Config != nil {
		if given := s.options.Config(); given != nil && given.Logger != nil {
			config.Logger = given.Logger
		}
	}
	return config
}

// within runs do and returns what it returns, or ctx's error as soon as that ends. In that case t counts it as hanging
// until it ends, and late gets what it has got. A panic of do is an error.
func within[T any](ctx context.Context, t *trouble, do func() (T, error), late func(T)) (T, error) {
	type outcome struct {
		got T
		err error
	}
	result := make(chan outcome, 1)
	var settled atomic.Bool // by the end of do, or that of ctx
	go func() {
		end := outcome{err: errGone} // if do calls runtime.Goexit
		defer func() {
			if v := recover(); v != nil {
				end.err = panicked(v)
			}
			if settled.CompareAndSwap(false, true) {
				result <- end
				return
			}
			if end.err == nil {
				late(end.got)
			}
			t.hanging.Add(-1)
		}()
		end.got, end.err = do()
	}()
	select {
	case end := <-result:
		return end.got, end.err
	case <-ctx.Done():
		t.hanging.Add(1)
		if settled.CompareAndSwap(false, true) {
			var none T
			return none, ctx.Err()
		}
		t.hanging.Add(-1)
		end := <-result
		return end.got, end.err
	}
}

// panicError is a panic that was caught. Its text leaves out the value, which may be anything.
type panicError struct{ value any }

func panicked(value any) error { return &panicError{value} }

// Error implements error.
func (p *panicError) Error() string { return fmt.Sprintf("panic with a %T", p.value) }

// Unwrap returns the value if it is an error.
func (p *panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
