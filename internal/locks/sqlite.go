package locks

import (
	"context"
	"database/sql"
	"sync"
)

func takeSQLite(ctx context.Context, db *sql.DB, name string) (lease, error) {
	var seq int
	var schema, file string
	// The first one is always "main" (sqlite.org/pragma.html, database_list).
	if err := db.QueryRowContext(ctx, "PRAGMA database_list").Scan(&seq, &schema, &file); err != nil {
		return nil, err
	}
	if file == "" {
		return takeMemory(memoryLease{db, name})
	}
	return takeFile(file, name)
}

// memoryLease is a lock of a database in memory, which no other process sees.
type memoryLease struct {
	db   *sql.DB
	name string
}

// memory are the locks of databases in memory that are held.
var memory sync.Map //nolint:gochecknoglobals // they are the process's

func takeMemory(l memoryLease) (lease, error) {
	if _, held := memory.LoadOrStore(l, true); held {
		return nil, ErrHeld
	}
	return l, nil
}

func (l memoryLease) check(context.Context) error { return nil }

func (l memoryLease) release(context.Context) error {
	memory.Delete(l)
	return nil
}
