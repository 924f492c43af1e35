package sqlproof_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// place is where the tables of a tenant are.
type place struct{ schema, suffix string }

// places are those that are tested, by dialect.
func places(dialect string) map[string]place {
	all := map[string]place{
		"schema": {"tenant_x", ""}, "suffix": {"", "_03"}, "both": {"tenant_x", "_03"},
		"odd": {`a "b".` + "`c` select", "_`\"' d"},
	}
	if dialect == "sqlite" {
		return map[string]place{"suffix": all["suffix"], "odd": {"", all["odd"].suffix}}
	}
	return all
}

// quote writes a name.
func quote(dialect, name string) string {
	q := "`"
	if dialect == "postgres" {
		q = `"`
	}
	return q + strings.ReplaceAll(name, q, q+q) + q
}

// name returns what a table is called at a place.
func (at place) name(dialect, table string) string {
	name := quote(dialect, table+at.suffix)
	if at.schema != "" {
		name = quote(dialect, at.schema) + "." + name
	}
	return name
}

// moved is a database in which the tables of tenants are at a place, so that their own names are those of no table any more.
type moved struct {
	*database
	place
}

// move moves tables to a place. In MySQL a schema is a database of the server, so its name begins with that of this one.
func (at place) move(t testing.TB, db *database, dialect string, tables ...string) moved {
	t.Helper()
	exec := func(format string, args ...any) {
		_, err := db.ExecContext(t.Context(), fmt.Sprintf(format, args...))
		require.NoError(t, err)
	}
	if at.schema != "" {
		if dialect == "mysql" {
			var own string
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT database()").Scan(&own))
			at.schema = own + at.schema
			t.Cleanup(func() {
				_, err := db.ExecContext(context.Background(), "DROP SCHEMA "+quote(dialect, at.schema))
				require.NoError(t, err)
			})
		}
		exec("CREATE SCHEMA %s", quote(dialect, at.schema))
	}
	for _, table := range tables {
		if at.suffix != "" {
			exec("ALTER TABLE %s RENAME TO %s", table, quote(dialect, table+at.suffix))
		}
		switch {
		case at.schema == "":
		case dialect == "postgres":
			exec("ALTER TABLE %s SET SCHEMA %s", quote(dialect, table+at.suffix), quote(dialect, at.schema))
		default:
			exec("RENAME TABLE %s TO %s", quote(dialect, table+at.suffix), at.name(dialect, table))
		}
	}
	db.named = func(table string) string {
		if slices.Contains(tables, table) {
			return at.name(dialect, table)
		}
		return table
	}
	return moved{db, at}
}

// move loads the tables of both tenants, and moves all but the global ones.
func (p *pair) move(t testing.TB, dialect string, at place) moved {
	t.Helper()
	db := load(t, dialect, readCorpus(t, dialect, "schema.sql"), "global.sql", "tenant_a.sql", "tenant_b.sql")
	tenants := slices.DeleteFunc(slices.Clone(db.tables), func(table string) bool {
		return slices.Contains([]string{"countries", "exchange_rates", "calendar"}, table)
	})
	return at.move(t, &db, dialect, tenants...)
}
