package provision

import (
	"context"
	"database/sql"
	"fmt"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// CreateSchema makes a schema, on MySQL a database, where db's statements go in ctx, and reports whether it was not there
// before. It may be called for a schema that is there, which is given the grants; of several callers at once one makes it,
// and all return when it can be used. opts is at most one. SQLite has no schemas.
func CreateSchema(ctx context.Context, db *gorm.DB, name string, opts ...Schema) (created bool, err error) {
	s, err := newPlace(ctx, db, name, opts)
	if err != nil {
		return false, err
	}
	if created, err = orThere(s.make(ctx)); err != nil {
		return created, err
	}
	return created, s.grant(ctx)
}

// DropSchema drops a schema with all that is in it, and reports whether it was there. Transactions that hold on to its tables
// are ended, as far as the role may; those that are left are waited for, for up to half a minute, then it is [ErrInUse]. opts
// is at most one: on MySQL its Grants are revoked, which would hold for a later database of the name.
func DropSchema(ctx context.Context, db *gorm.DB, name string, opts ...Schema) (dropped bool, err error) {
	s, err := newPlace(ctx, db, name, opts)
	if err != nil {
		return false, err
	}
	if s.dialect == mysqlDialect {
		return dropMySQL(ctx, s.pool, name, s.options.Grants)
	}
	return s.dropPostgres(ctx)
}

// SchemaExists reports whether the schema, on MySQL the database, is there.
func SchemaExists(ctx context.Context, db *gorm.DB, name string) (bool, error) {
	s, err := newPlace(ctx, db, name, nil)
	if err != nil {
		return false, err
	}
	if s.dialect == mysqlDialect {
		return existsMySQL(ctx, s.pool, name)
	}
	return s.existsPostgres(ctx)
}

// place is a schema that is made, dropped or looked for.
type place struct {
	pool    *sql.DB
	dialect string
	name    string
	options Schema
}

// make makes the schema. One that is there is a [*takenError].
func (s *place) make(ctx context.Context) error {
	if s.dialect == mysqlDialect {
		return makeMySQL(ctx, s.pool, s.name, s.options.Encoding, s.options.Collation)
	}
	return s.makePostgres(ctx)
}

// grant makes the grants.
func (s *place) grant(ctx context.Context) error {
	switch {
	case len(s.options.Grants) == 0:
		return nil
	case s.dialect == mysqlDialect:
		return grantMySQL(ctx, s.pool, s.name, s.options.Grants)
	default:
		return s.grantPostgres(ctx)
	}
}

func newPlace(ctx context.Context, db *gorm.DB, name string, opts []Schema) (*place, error) {
	options, err := only(opts)
	if err != nil {
		return nil, err
	}
	dialect := db.Name()
	if dialect != postgresDialect && dialect != mysqlDialect {
		return nil, fmt.Errorf("%w: %s has no schemas: give the tenant a database of its own", tenancy.ErrInvalidConfig, dialect)
	}
	if err := checkSchemaName(dialect, name); err != nil {
		return nil, err
	}
	if err := options.check(dialect); err != nil {
		return nil, err
	}
	pool, err := poolOf(ctx, db)
	if err != nil {
		return nil, err
	}
	return &place{pool: pool, dialect: dialect, name: name, options: options}, nil
}

// poolOf returns the pool of the database to which db's statements go in ctx.
func poolOf(ctx context.Context, db *gorm.DB) (*sql.DB, error) {
	db = db.WithContext(ctx)
	if _, routed := db.Plugins["tenancy"]; routed {
		return tenancy.DB(db)
	}
	return db.DB()
}
