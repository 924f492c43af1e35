package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// longestName is the longest name of a database on PostgreSQL, which cuts off the rest (NAMEDATALEN): two tenants whose IDs
// begin alike would have one database.
const longestName = 63

// storage is where tenants' databases are.
type storage struct {
	home   gorm.Dialector    // what gorm.Open opens; no tenant has anything in it
	sql    sqlproof.Analyzer // of the same kind of database
	create func(ctx context.Context, name string) error
	open   func(name string) (gorm.Dialector, error)
	exists func(ctx context.Context, name string) (bool, error)
	remove func(ctx context.Context) error // all that was created
}

// openStorage takes the server if there is a connection string, or else makes a folder.
func openStorage(ctx context.Context, dsn string) (*storage, error) {
	if dsn != "" {
		return onServer(ctx, dsn)
	}
	return inFolder()
}

// onServer has databases on a PostgreSQL server. The home database is the one of the connection string.
func onServer(ctx context.Context, dsn string) (*storage, error) {
	server, err := pgserver.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return &storage{
		home:   postgres.Open(dsn),
		sql:    postgresproof.New(),
		create: server.CreateDatabase,
		open: func(name string) (gorm.Dialector, error) {
			if len(name) > longestName {
				return nil, fmt.Errorf("%w: its name is too long", tenancy.ErrShardNotFound)
			}
			return postgres.Open(server.DSN(name)), nil
		},
		exists: server.HasDatabase,
		remove: server.Close,
	}, nil
}

// inFolder has databases in SQLite files. A database is there as soon as its file is, which may be empty.
func inFolder() (*storage, error) {
	folder, err := os.MkdirTemp("", "databasepertenant-")
	if err != nil {
		return nil, err
	}
	file := func(name string) string { return filepath.Join(folder, name+".db") }
	return &storage{
		home: sqlite.Open(file("home")),
		sql:  sqliteproof.New(),
		create: func(_ context.Context, name string) error {
			return os.WriteFile(file(name), nil, 0o600)
		},
		open: func(name string) (gorm.Dialector, error) { return sqlite.Open(file(name)), nil },
		exists: func(_ context.Context, name string) (bool, error) {
			_, err := os.Stat(file(name))
			if errors.Is(err, fs.ErrNotExist) {
				return false, nil
			}
			return err == nil, err
		},
		remove: func(context.Context) error { return os.RemoveAll(folder) },
	}, nil
}
