package benchmarks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"time"
)

// stub is a database that answers at once: every query with one row, everything else with one row changed. It has what
// good drivers have, so that database/sql takes its short ways. Of statements it knows but one, [whichSchema].
type stub struct {
	columns []string
	row     []driver.Value
}

// newStub returns a pool on a database whose queries all find one Invoice, or one Rate.
func newStub(owned bool) *sql.DB {
	if owned {
		return newStubWith("tenant_id", tenant)
	}
	return newStubWith("", nil)
}

// newStubWith returns one whose rows have a column more, unless it has no name.
func newStubWith(column string, value driver.Value) *sql.DB {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := &stub{
		columns: []string{"id", "number", "status", "cents", "created_at", "updated_at"},
		row:     []driver.Value{int64(7), "2026-7", "open", int64(4200), now, now},
	}
	if column != "" {
		s.columns, s.row = append(s.columns, column), append(s.row, value)
	}
	return sql.OpenDB(s)
}

func (s *stub) Connect(context.Context) (driver.Conn, error) { return stubConn{s}, nil }
func (s *stub) Driver() driver.Driver                        { return nil }

type stubConn struct{ *stub }

var (
	_ driver.QueryerContext = stubConn{}
	_ driver.ExecerContext  = stubConn{}
	_ driver.ConnBeginTx    = stubConn{}
)

func (stubConn) Close() error                        { return nil }
func (stubConn) Begin() (driver.Tx, error)           { return stubTx{}, nil }
func (stubConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip } // GORM prepares on request only

func (stubConn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return stubTx{}, nil }

func (stubConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return stubResult{}, nil
}

// whichSchema is what the plugin asks a database before it sends the first statement on a tenant's schema there.
const whichSchema = "SELECT current_schema(), current_user, session_user, current_setting('search_path')"

func (c stubConn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if query == whichSchema {
		return &stubRows{stub: &stub{columns: []string{"current_schema", "current_user", "session_user", "search_path"}, row: []driver.Value{"public", "app", "app", "public"}}}, nil
	}
	return &stubRows{stub: c.stub}, nil
}

type stubTx struct{}

func (stubTx) Commit() error   { return nil }
func (stubTx) Rollback() error { return nil }

type stubResult struct{}

func (stubResult) LastInsertId() (int64, error) { return 7, nil }
func (stubResult) RowsAffected() (int64, error) { return 1, nil }

type stubRows struct {
	*stub
	over bool
}

func (r *stubRows) Columns() []string { return r.columns }
func (r *stubRows) Close() error      { return nil }

func (r *stubRows) Next(dest []driver.Value) error {
	if r.over {
		return io.EOF
	}
	r.over = true
	copy(dest, r.row)
	return nil
}
