package main

import (
	"context"
	"errors"
	"fmt"
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

const (
	shards   = 4
	slots    = 64 // of the hash: many more than there are shards, so that some can be given to a new one
	database = "tenancy_sharding"
)

// storage is where everything is.
type storage struct {
	home   gorm.Dialector // what gorm.Open opens; no orders are in it
	shards []tenancy.Shard
	sql    sqlproof.Analyzer
	remove func(ctx context.Context) error
}

func name(shard int) string { return fmt.Sprintf("orders%d", shard) }

func (s *storage) placements() []tenancy.Placement {
	at := make([]tenancy.Placement, len(s.shards))
	for i := range s.shards {
		at[i] = tenancy.Placement{Shard: s.shards[i].Name}
	}
	return at
}

// openStorage takes the server if there is a connection string, or else makes a folder.
func openStorage(ctx context.Context, dsn string) (*storage, error) {
	if dsn != "" {
		return onServer(ctx, dsn)
	}
	return inFolder()
}

// onServer has five databases on a PostgreSQL server.
func onServer(ctx context.Context, dsn string) (*storage, error) {
	server, err := pgserver.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	s := &storage{home: postgres.Open(server.DSN(database)), sql: postgresproof.New(), remove: server.Close}
	err = server.CreateDatabase(ctx, database)
	for i := 0; i < shards && err == nil; i++ {
		own := database + "_" + name(i)
		err = server.CreateDatabase(ctx, own)
		s.shards = append(s.shards, tenancy.Shard{Name: name(i), Primary: postgres.Open(server.DSN(own))})
	}
	if err != nil {
		return nil, errors.Join(err, server.Close(ctx))
	}
	return s, nil
}

// inFolder has five SQLite files.
func inFolder() (*storage, error) {
	folder, err := os.MkdirTemp("", "sharding-")
	if err != nil {
		return nil, err
	}
	s := &storage{
		home: sqlite.Open(filepath.Join(folder, "home.db")), sql: sqliteproof.New(),
		remove: func(context.Context) error { return os.RemoveAll(folder) },
	}
	for i := range shards {
		file := filepath.Join(folder, name(i)+".db")
		if err := os.WriteFile(file, nil, 0o600); err != nil { // a database is there as soon as its file is
			return nil, errors.Join(err, os.RemoveAll(folder))
		}
		s.shards = append(s.shards, tenancy.Shard{Name: name(i), Primary: sqlite.Open(file)})
	}
	return s, nil
}
