package pools_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// opened returns a leased database of a server of its own, and its primary.
func opened(t *testing.T) (*server, *pools.Database, *pools.Pool) {
	t.Helper()
	one := new(server)
	s := newSet(t, pools.Options{Dialect: "stub"}, stubs(one, "a")...)
	d := lease(t, s, "a")
	t.Cleanup(d.Done)
	return one, d, primary(t, d)
}

// refused asserts that the primary is left alone.
func refused(t *testing.T, d *pools.Database) {
	t.Helper()
	_, err := d.Primary()
	require.ErrorIs(t, err, errUnavailable)
	require.NotErrorIs(t, err, errNotFound)
}

// Three failures in a row open the circuit, for twice as long each time; one statement at a time finds out whether it is
// over, and one that is answered closes it.
func TestCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, p := opened(t)
		ctx := t.Context()
		p.Report(ctx, errRefused)
		p.Report(ctx, errRefused)
		p.Report(ctx, nil)
		p.Report(ctx, errRefused)
		p.Report(ctx, errRefused)
		primary(t, d)
		p.Report(ctx, errRefused)
		_, err := d.Primary()
		require.ErrorIs(t, err, errUnavailable)
		require.ErrorIs(t, err, errRefused)
		require.Contains(t, err.Error(), "500ms")
		require.NotContains(t, err.Error(), "refused")
		p.Report(ctx, errRefused) // of a statement that was under way: the pause is not prolonged

		for _, pause := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			time.Sleep(pause - time.Nanosecond)
			refused(t, d)
			time.Sleep(time.Nanosecond)
			primary(t, d) // the trial
			refused(t, d) // one at a time
			p.Report(ctx, errRefused)
			refused(t, d)
		}
		time.Sleep(4 * time.Second)
		primary(t, d)
		p.Report(ctx, sql.ErrNoRows) // an error, but an answer
		primary(t, d)
		primary(t, d)
		for range 3 {
			primary(t, d)
			p.Report(ctx, errRefused)
		}
		time.Sleep(500 * time.Millisecond)
		primary(t, d) // the pause is short again
	})
}

// A trial of which nothing is heard, or whose caller went away, does not block the circuit for ever.
func TestTrialWithoutAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, p := opened(t)
		for range 3 {
			p.Report(t.Context(), errRefused)
		}
		time.Sleep(500 * time.Millisecond)
		primary(t, d)
		time.Sleep(5*time.Second - time.Nanosecond)
		refused(t, d)
		time.Sleep(time.Nanosecond)
		primary(t, d)
		refused(t, d)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		p.Report(gone, context.Canceled)
		primary(t, d)
	})
}

// The deadline of a caller says nothing yet: a ping finds out, one at a time.
func TestDeadlineIsASuspicion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, d, p := opened(t)
		late, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		for range 10 {
			p.Report(late, context.DeadlineExceeded)
			p.Report(t.Context(), fmt.Errorf("of a derived context: %w", context.DeadlineExceeded))
			p.Report(late, errRefused) // drivers cut the connection
			primary(t, d)
		}
		synctest.Wait()
		primary(t, d)

		release := one.hold()
		p.Report(late, context.DeadlineExceeded)
		p.Report(late, context.DeadlineExceeded)
		time.Sleep(2*time.Second - time.Nanosecond)
		primary(t, d)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		refused(t, d)
		release()
		time.Sleep(500 * time.Millisecond)
		primary(t, d)
		p.Report(t.Context(), nil)
		primary(t, d)
	})
}

// If all connections are in use, a ping that waits in vain says nothing.
func TestBusyIsNotDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, d, p := opened(t)
		for range 10 {
			conn, err := p.DB().Conn(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, conn.Close()) }()
		}
		late, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		p.Report(late, context.DeadlineExceeded)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		primary(t, d)
	})
}

// What counts as a failure to reach the database, and what does not.
func TestWhatIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for _, c := range []struct {
			err   error
			ctx   context.Context //nolint:containedctx // it is what is tested
			fails bool
		}{
			{err: driver.ErrBadConn, fails: true},
			{err: errRefused, fails: true},
			{err: fmt.Errorf("query: %w", errRefused), fails: true},
			{err: &net.OpError{Op: "dial", Err: timeout{}}, fails: true},
			{err: io.EOF, fails: true},
			{err: io.ErrUnexpectedEOF, fails: true},
			{err: mysql.ErrInvalidConn, fails: true},
			{err: &pgconn.PgError{Code: "08006"}, fails: true},
			{err: &pgconn.PgError{Code: "57P01"}, fails: true},
			{err: &pgconn.PgError{Code: "57P02"}, fails: true},
			{err: &pgconn.PgError{Code: "57P03"}, fails: true},
			{err: &pgconn.PgError{Code: "57014"}}, // query_canceled
			{err: &pgconn.PgError{Code: "23505"}},
			{err: &mysql.MySQLError{Number: 1062}},
			{err: sql.ErrNoRows},
			{err: sql.ErrTxDone},
			{err: context.Canceled},
			{err: errRefused, ctx: gone},
			{err: driver.ErrBadConn, ctx: gone},
			{err: gorm.ErrRecordNotFound},
			{err: errors.New("anything")},
		} {
			one, d, p := opened(t)
			one.down.Store(true) // so that nothing is found out by a ping
			ctx := c.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			for range 3 {
				p.Report(ctx, c.err)
			}
			synctest.Wait()
			_, err := d.Primary()
			require.Equal(t, c.fails, err != nil, "%v", c.err)
		}
	})
}

type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }
func (timeout) Is(err error) bool {
	return err == context.DeadlineExceeded
}

// ask is a statement as the plugin sends it.
func ask(ctx context.Context, s *pools.Set, name, query string) error {
	d, err := s.Lease(ctx, name)
	if err != nil {
		return err
	}
	defer d.Done()
	p, err := d.Primary()
	if err != nil {
		return err
	}
	var one int
	err = p.Plain().QueryRowContext(ctx, query).Scan(&one)
	p.Report(ctx, err)
	return err
}

// A PostgreSQL server that goes away is left alone after a few statements, and used again when it is back.
func TestPostgresGoesAndComesBack(t *testing.T) {
	t.Parallel()
	dsn, cable := throughProxy(t, testdb.Postgres(t))
	s := newSet(t, pools.Options{Dialect: "postgres"}, pools.Spec{Name: "a", Primary: postgres.Open(dsn)})
	require.NoError(t, ask(t.Context(), s, "a", "SELECT 1"))
	cable.cut()
	failures := 0
	require.Eventually(t, func() bool {
		err := ask(t.Context(), s, "a", "SELECT 1")
		require.Error(t, err)
		failures++
		return errors.Is(err, errUnavailable)
	}, 20*time.Second, time.Millisecond)
	require.Equal(t, 4, failures, "three failures, and the first that is refused")
	cable.mend()
	require.Eventually(t, func() bool { return ask(t.Context(), s, "a", "SELECT 1") == nil }, 20*time.Second, 10*time.Millisecond)
}

// A server that hangs is found out by the deadlines of those who use it.
func TestPostgresHangs(t *testing.T) {
	t.Parallel()
	dsn, cable := throughProxy(t, testdb.Postgres(t))
	s := newSet(t, pools.Options{Dialect: "postgres"}, pools.Spec{Name: "a", Primary: postgres.Open(dsn)})
	require.NoError(t, ask(t.Context(), s, "a", "SELECT 1"))
	cable.stall()
	short := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), 50*time.Millisecond)
	}
	require.Eventually(t, func() bool {
		ctx, cancel := short()
		defer cancel()
		return errors.Is(ask(ctx, s, "a", "SELECT 1"), errUnavailable)
	}, 20*time.Second, time.Millisecond)
	cable.mend()
	require.Eventually(t, func() bool { return ask(t.Context(), s, "a", "SELECT 1") == nil }, 20*time.Second, 10*time.Millisecond)
}

// Connections that the server ends do not open the circuit as long as new ones can be made.
func TestPostgresEndsConnections(t *testing.T) {
	t.Parallel()
	dsn := testdb.Postgres(t)
	s := newSet(t, pools.Options{Dialect: "postgres"}, pools.Spec{Name: "a", Primary: postgres.Open(dsn)})
	for range 10 {
		require.NoError(t, ask(t.Context(), s, "a", "SELECT 1"))
		endConnections(t, dsn)
		_ = ask(t.Context(), s, "a", "SELECT 1") // it may be the one that finds out
		require.NoError(t, ask(t.Context(), s, "a", "SELECT 1"))
	}
}

// endConnections ends all other connections to the database.
func endConnections(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

// A server that is down when it is first needed: the error says no more than the network does, and wraps the rest.
func TestPostgresIsDown(t *testing.T) {
	t.Parallel()
	dsn, cable := throughProxy(t, testdb.Postgres(t))
	cable.cut()
	s := newSet(t, pools.Options{Dialect: "postgres"}, pools.Spec{Name: "a", Primary: postgres.Open(dsn)})
	_, err := s.Lease(t.Context(), "a")
	require.ErrorIs(t, err, errUnavailable)
	var refused *pgconn.ConnectError
	require.ErrorAs(t, err, &refused)
	require.NotContains(t, err.Error(), "user")
	require.NotContains(t, err.Error(), refused.Config.Database)
	cable.mend()
	require.Eventually(t, func() bool { return ask(t.Context(), s, "a", "SELECT 1") == nil }, 20*time.Second, 10*time.Millisecond)
}

// A pool for administration has its own circuit.
func TestAdminHasItsOwnCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		admin := new(server)
		admin.down.Store(true)
		s := newSet(t, pools.Options{Dialect: "stub"}, pools.Spec{Name: "a", Primary: &stub{server: new(server)}, Admin: &stub{server: admin}})
		d := lease(t, s, "a")
		defer d.Done()
		require.Zero(t, admin.dials.Load(), "it is not opened before it is needed")
		for range 10 {
			_, err := d.Admin(t.Context())
			require.ErrorIs(t, err, errUnavailable)
			require.ErrorIs(t, err, errRefused)
		}
		require.Equal(t, int64(3), admin.dials.Load())
		admin.down.Store(false)
		time.Sleep(500 * time.Millisecond)
		p, err := d.Admin(t.Context())
		require.NoError(t, err)
		for range 3 {
			p.Report(t.Context(), errRefused)
		}
		_, err = d.Admin(t.Context())
		require.ErrorIs(t, err, errUnavailable)
		primary(t, d)
	})
}

// A database without one has no pool for administration.
func TestNoAdmin(t *testing.T) {
	t.Parallel()
	_, d, _ := opened(t)
	require.False(t, d.HasAdmin())
	require.False(t, d.HasReplicas())
	p, err := d.Admin(t.Context())
	require.NoError(t, err)
	require.Nil(t, p)
	require.Nil(t, d.Replica(t.Context()))
}
