package rowsecurity

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const setting = Setting("app.tenant_id")

// modes are pgx's ways to send a statement.
var modes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

// with returns a DSN with one more parameter.
func with(t testing.TB, dsn, name, value string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// as returns a DSN with another user.
func as(t testing.TB, dsn, user string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	u.User = url.User(user)
	return u.String()
}

// open returns a pool of one connection: what is not given back blocks the next statement.
func open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func newBinder(t testing.TB) *Binder {
	t.Helper()
	b := New(setting)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func exec(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err, s)
	}
}

// role makes a role of the shared cluster that may log in.
func role(t testing.TB, db *sql.DB, attributes string) string {
	t.Helper()
	var name string
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT 'r_' || current_database()").Scan(&name))
	exec(t, db, "CREATE ROLE "+name+" LOGIN "+attributes, "GRANT CREATE, USAGE ON SCHEMA public TO "+name)
	t.Cleanup(func() {
		for _, s := range []string{"DROP OWNED BY " + name, "DROP ROLE " + name} {
			_, err := db.ExecContext(context.WithoutCancel(t.Context()), s)
			require.NoError(t, err)
		}
	})
	return name
}

// orders makes a database with the table orders, its policies and a role that heeds them. Tenants a, b and c have one
// order each: 1, 2 and 3.
func orders(t testing.TB) (dsn string, admin *sql.DB) {
	t.Helper()
	dsn = testdb.Postgres(t)
	admin = open(t, dsn)
	user := role(t, admin, "")
	exec(t, admin,
		"CREATE TABLE orders (tenant_id text NOT NULL, id bigint NOT NULL, note text, PRIMARY KEY (tenant_id, id))",
		"INSERT INTO orders VALUES ('a', 1, 'of a'), ('b', 2, 'of b'), ('c', 3, 'of c')",
		"GRANT ALL ON orders TO "+user)
	exec(t, admin, setting.Policies(Table{Quoted: `"orders"`, Column: "tenant_id"})...)
	return as(t, dsn, user), admin
}

func ids(t testing.TB, rows *sql.Rows, err error) []int64 {
	t.Helper()
	require.NoError(t, err)
	var all []int64
	for rows.Next() {
		var id int64
		require.NoError(t, rows.Scan(&id))
		all = append(all, id)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	return all
}

// failure returns the error of a query that is to fail.
func failure(rows *sql.Rows, err error) error {
	if err == nil {
		err = errors.Join(rows.Close(), rows.Err())
	}
	return err
}

// A driven pool is one that a test is run with.
type driven struct {
	name string
	open func(t testing.TB, dsn string) *sql.DB
}

// drivers are pgx in each of its modes, and a driver that is not pgx as far as anybody can see.
func drivers() (all []driven) {
	for _, mode := range modes {
		all = append(all, driven{mode, func(t testing.TB, dsn string) *sql.DB {
			t.Helper()
			return open(t, with(t, dsn, "default_query_exec_mode", mode))
		}})
	}
	return append(all, driven{"other driver", func(t testing.TB, dsn string) *sql.DB {
		t.Helper()
		db := sql.OpenDB(hidden{stdlib.GetDefaultDriver(), dsn, nil})
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return db
	}})
}

// hidden is a driver that does not show that it is pgx.
type hidden struct {
	inner driver.Driver
	dsn   string
	bad   *atomic.Int32 // so many transactions find a bad connection; nil for none
}

func (h hidden) Driver() driver.Driver { return h.inner }

func (h hidden) Connect(context.Context) (driver.Conn, error) {
	c, err := h.inner.Open(h.dsn)
	if err != nil {
		return nil, err
	}
	whole, ok := c.(wholeConn)
	if !ok {
		return nil, fmt.Errorf("%T", c)
	}
	return hiddenConn{whole, h.bad}, nil
}

type wholeConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.SessionResetter
}

type hiddenConn struct {
	wholeConn

	bad *atomic.Int32
}

func (c hiddenConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.bad != nil && c.bad.Add(-1) >= 0 {
		return nil, driver.ErrBadConn
	}
	return c.wholeConn.BeginTx(ctx, opts)
}

// shownConn is a wrapper that shows what it wraps, as github.com/XSAM/otelsql's does.
type shownConn struct{ hiddenConn }

func (c shownConn) Raw() driver.Conn { return c.wholeConn }

type shown struct{ hidden }

func (s shown) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := s.hidden.Connect(ctx)
	if err != nil {
		return nil, err
	}
	h, _ := c.(hiddenConn)
	return shownConn{h}, nil
}

// pids are those of server connections that a test has seen.
type pids struct {
	mu   sync.Mutex
	seen map[int64]bool
}

func (p *pids) add(pid int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[int64]bool{}
	}
	p.seen[pid] = true
}
