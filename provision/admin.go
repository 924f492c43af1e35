package provision

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/dsn"
)

// admin connects to another database of the server of t.
func (t *target) admin(ctx context.Context) (*sql.DB, error) {
	via := t.options.Via
	if via == "" {
		other := "" // MySQL needs none
		if t.dialect == postgresDialect {
			other = "postgres"
		}
		var err error
		if via, err = WithDatabase(t.dialect, t.dsn, other); err != nil {
			return nil, err
		}
	}
	if name, _ := dsn.Database(t.dialect, via); name == t.name && t.dialect == postgresDialect {
		return nil, fmt.Errorf("%w: Database.Via: it is the DSN of the database itself: name another one", tenancy.ErrInvalidConfig)
	}
	d := t.open(via)
	if d.Name() != t.dialect {
		return nil, fmt.Errorf("%w: Database.Via: a dialector of %s, and not of %s", tenancy.ErrInvalidConfig, d.Name(), t.dialect)
	}
	return connect(ctx, d)
}

// administer does one thing from another database of the server of t.
func (t *target) administer(ctx context.Context, do func(*sql.DB) (bool, error)) (did bool, err error) {
	admin, err := t.admin(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, failed("closing the connection", admin.Close())) }()
	return do(admin)
}
