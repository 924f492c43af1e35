package pools

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestNoSuchDatabase(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&pgconn.PgError{Code: "3D000"},
		fmt.Errorf("connect: %w", &pgconn.PgError{Code: "3D000"}),
		&mysql.MySQLError{Number: 1049},
		fmt.Errorf("connect: %w", &mysql.MySQLError{Number: 1049}),
		errors.Join(errors.New("other"), fmt.Errorf("%w", &mysql.MySQLError{Number: 1049})),
	} {
		require.True(t, noSuchDatabase(err), "%v", err)
	}
	for _, err := range []error{
		nil, errors.New("3D000"), &pgconn.PgError{Code: "42P01"}, &mysql.MySQLError{Number: 1146}, (*mysql.MySQLError)(nil), context.Canceled,
	} {
		require.False(t, noSuchDatabase(err), "%v", err)
	}
}

// What an error says is short, and holds nothing that only operators may see.
func TestBrief(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for want, err := range map[string]error{
		"SQLSTATE 28P01":            fmt.Errorf("user=secret: %w", &pgconn.PgError{Code: "28P01", Message: "secret"}),
		refused.Error():             fmt.Errorf("postgres://secret: %w", refused),
		"context deadline exceeded": fmt.Errorf("secret: %w", context.DeadlineExceeded),
		"context canceled":          fmt.Errorf("secret: %w", context.Canceled),
		"see the wrapped error":     errors.New("secret"),
	} {
		require.Equal(t, want, brief(err))
		sentinel := errors.New("sentinel")
		f := &fault{sentinel, "na\nme", brief(err), err}
		require.Equal(t, `sentinel: shard "na\nme": `+want, f.Error())
		require.ErrorIs(t, f, sentinel)
		require.ErrorIs(t, f, err)
	}
	require.NotContains(t, panicked("secret").Error(), "secret")
	require.ErrorIs(t, panicked(refused), refused)
}
