package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

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
	hooli    = "hooli"    // a tenant with a database of its own
	umbrella = "umbrella" // a tenant with a schema of its own
	database = "tenancy_mixed"
)

// storage is where everything is.
type storage struct {
	home       gorm.Dialector // what gorm.Open opens: the shared tables, the schemas, the operator's tables
	hooli      tenancy.Shard
	placements map[tenancy.ID]tenancy.Placement
	sql        sqlproof.Analyzer
	remove     func(ctx context.Context) error
}

// openStorage takes the server if there is a connection string, or else makes a folder.
func openStorage(ctx context.Context, dsn string) (*storage, error) {
	if dsn != "" {
		return onServer(ctx, dsn)
	}
	return inFolder()
}

// onServer has two databases on a PostgreSQL server.
func onServer(ctx context.Context, dsn string) (*storage, error) {
	server, err := pgserver.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	err = server.CreateDatabase(ctx, database)
	if err == nil {
		err = server.CreateDatabase(ctx, database+"_"+hooli)
	}
	if err == nil {
		err = server.Exec(ctx, database, "CREATE SCHEMA "+umbrella)
	}
	if err != nil {
		return nil, errors.Join(err, server.Close(ctx))
	}
	s := &storage{
		home: postgres.Open(server.DSN(database)),
		hooli: tenancy.Shard{
			Name:    hooli,
			Primary: postgres.Open(server.DSN(database + "_" + hooli)),
			// The address of a standby. This program knows one server alone, so here it is the primary once more.
			Replicas: []gorm.Dialector{postgres.Open(server.DSN(database + "_" + hooli))},
			MaxLag:   5 * time.Second,
		},
		placements: placements(),
		sql:        postgresproof.New(),
		remove:     server.Close,
	}
	s.placements[umbrella] = tenancy.Placement{Schema: umbrella, Exclusive: true}
	return s, nil
}

// inFolder has two SQLite files.
func inFolder() (*storage, error) {
	folder, err := os.MkdirTemp("", "mixed-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, hooli+".db")
	if err := os.WriteFile(file, nil, 0o600); err != nil { // a database is there as soon as its file is
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return &storage{
		home:       sqlite.Open(filepath.Join(folder, "home.db")),
		hooli:      tenancy.Shard{Name: hooli, Primary: sqlite.Open(file)},
		placements: placements(),
		sql:        sqliteproof.New(),
		remove:     func(context.Context) error { return os.RemoveAll(folder) },
	}, nil
}

// placements are those that every kind of database has. An application reads them from a table of its own.
func placements() map[tenancy.ID]tenancy.Placement {
	return map[tenancy.ID]tenancy.Placement{
		"acme":   {}, // the zero Placement: tables that tenants share, in the database that gorm.Open opens
		"globex": {},
		hooli:    {Shard: hooli, Exclusive: true},
	}
}

func describe(at tenancy.Placement) string {
	switch {
	case at.Shard != "":
		return "database " + at.Shard
	case at.Schema != "":
		return "home database, schema " + at.Schema
	default:
		return "home database, shared tables"
	}
}
