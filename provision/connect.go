package provision

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// connect opens a pool of its own for one call. It returns when ctx ends even if the driver does not listen to it
// (gorm.io/driver/mysql v1.6.0, mysql.go, Dialector.Initialize queries with context.Background).
func connect(ctx context.Context, d gorm.Dialector) (*sql.DB, error) {
	type outcome struct {
		pool *sql.DB
		err  error
	}
	opened := make(chan outcome, 1)
	go func() {
		pool, err := openPool(ctx, d)
		opened <- outcome{pool, err}
	}()
	select {
	case o := <-opened:
		return o.pool, o.err
	case <-ctx.Done():
		go func() {
			if o := <-opened; o.err == nil {
				_ = o.pool.Close() // nobody is left to be told
			}
		}()
		return nil, failed("connecting", ctx.Err())
	}
}

func openPool(ctx context.Context, d gorm.Dialector) (pool *sql.DB, err error) {
	db, err := gorm.Open(d, &gorm.Config{DisableAutomaticPing: true, Logger: logger.Discard})
	if err != nil {
		if known(err) == "" {
			return nil, &failure{sentinel: ErrInvalidDSN, what: "the driver cannot use it", cause: err}
		}
		return nil, failed("connecting", err)
	}
	if pool, err = db.DB(); err != nil {
		return nil, err
	}
	if err = pool.PingContext(ctx); err != nil {
		_ = pool.Close() // its only connection has failed
		return nil, failed("connecting", err)
	}
	return pool, nil
}
