package migrate

import (
	"errors"
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
)

func TestLocked(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&pgconn.PgError{Code: "55P03"}, &pgconn.PgError{Code: "40P01"}, &mysql.MySQLError{Number: 1205}, &mysql.MySQLError{Number: 1213},
	} {
		require.True(t, locked(err), "%v", err)
		require.True(t, locked(&goose.PartialError{Failed: &goose.MigrationResult{Source: &goose.Source{}}, Err: errors.Join(errors.New("x"), fmt.Errorf("y: %w", err))}), "%v", err)
	}
	for _, err := range []error{nil, errors.New("55P03"), &pgconn.PgError{Code: "42P07"}, &mysql.MySQLError{Number: 1050}} {
		require.False(t, locked(err), "%v", err)
	}
	require.True(t, waitedInVain(&mysql.MySQLError{Number: 1205}))
	require.False(t, waitedInVain(&mysql.MySQLError{Number: 1213}), "it undoes the transaction")
}

func TestRepeatable(t *testing.T) {
	t.Parallel()
	d := dialects()
	for name, c := range map[string]struct {
		in   string
		step step
		want bool
	}{
		"in a transaction":                {"postgres", step{begins: true, statements: 3}, true},
		"concurrently":                    {"postgres", step{statements: 1}, false},
		"SQLite, in a transaction":        {"sqlite", step{begins: true, statements: 3, goes: true}, true},
		"SQLite, one statement":           {"sqlite", step{statements: 1}, true},
		"SQLite, two without transaction": {"sqlite", step{statements: 2}, false},
		"MySQL, one statement":            {"mysql", step{begins: true, statements: 1}, true},
		"MySQL, two":                      {"mysql", step{begins: true, statements: 2}, false},
		"MySQL, in Go":                    {"mysql", step{begins: true, goes: true, statements: 1}, false},
	} {
		require.Equal(t, c.want, c.step.repeatable(d[c.in]), name)
	}
}
