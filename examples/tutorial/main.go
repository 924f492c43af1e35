// Command tutorial goes through what a tutorial on multi-tenancy and sharding with SQLAlchemy shows, in the terms of this library:
//
//  1. an engine for each tenant: a database each, made and dropped by the program (engines.go);
//  2. a shared database with a tenant identifier: the tenant is looked up by name, and the session is told of it (shared.go);
//  3. a master database with the metadata of two shard databases, all of them made and dropped by the program (shards.go).
//
// The README has a table of SQLAlchemy's calls and ours.
//
//	go run ./examples/tutorial
//	go run ./examples/tutorial -postgres "postgres://postgres@localhost/postgres?sslmode=disable"
//
// The first makes SQLite files in a temporary folder. The second makes databases and a role whose names begin with tutorial_ on
// the server, and drops them at the end; the user must be allowed to make both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
)

// User is the tutorial's only table.
type User struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	Name     string
}

func main() {
	dsn := flag.String("postgres", "", "connection string of a PostgreSQL server; without it, SQLite files are made")
	flag.Parse()
	ctx, stop := pgserver.Context()
	err := run(ctx, os.Stdout, *dsn)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tutorial:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, dsn string) (err error) {
	where, err := openBackend(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, where.close(ctx)) }()
	p := page.New(out)
	for _, part := range []func(context.Context, *page.Page, *backend) error{engines, shared, shards} {
		if err := part(ctx, p, where); err != nil {
			return err
		}
	}
	return nil
}
