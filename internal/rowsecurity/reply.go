package rowsecurity

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// reader is one result, as *pgconn.ResultReader has it.
type reader interface {
	FieldDescriptions() []pgconn.FieldDescription
	NextRow() bool
	Values() [][]byte
	Close() (pgconn.CommandTag, error)
}

// A reply is the result of one statement, while it comes in.
type reply struct {
	session  *session
	text     string
	pipeline interface{ Close() error } // what the connection is busy with
	result   reader
	trace    trace

	closed bool
	tag    pgconn.CommandTag
	err    error
}

// next reads a row. At the end it closes the reply, which is when a deferred constraint speaks up.
func (r *reply) next() bool {
	if r.closed {
		return false
	}
	if r.result.NextRow() {
		return true
	}
	_, _ = r.close() // kept in err
	return false
}

// close reads to the end and frees the connection.
func (r *reply) close() (pgconn.CommandTag, error) {
	if r.closed {
		return r.tag, r.err
	}
	tag, err := r.result.Close()
	r.tag = tag
	r.fail(err)
	return r.tag, r.err
}

// fail ends the reply; err may be nil.
func (r *reply) fail(err error) {
	r.closed, r.err = true, err
	if r.pipeline != nil {
		if closed := r.pipeline.Close(); r.err == nil {
			r.err = closed
		}
	}
	if r.err != nil {
		r.session.forget(r.text)
	}
	r.trace.end(r.tag, r.err)
}

// A trace tells pgx's tracer of a statement, as if it had been sent with pgx's Query or Exec.
// Source: pgx v5.11.0 conn.go Conn.Query, rows.go baseRows.Close.
type trace struct {
	ctx    context.Context
	tracer pgx.QueryTracer
	conn   *pgx.Conn
}

func startTrace(ctx context.Context, conn *pgx.Conn, s *session, st statement) trace {
	if s.tracer == nil {
		return trace{ctx: ctx}
	}
	ctx = s.tracer.TraceQueryStart(ctx, conn, pgx.TraceQueryStartData{SQL: st.text, Args: st.args})
	return trace{ctx: ctx, tracer: s.tracer, conn: conn}
}

func (t trace) end(tag pgconn.CommandTag, err error) {
	if t.tracer != nil {
		t.tracer.TraceQueryEnd(t.ctx, t.conn, pgx.TraceQueryEndData{CommandTag: tag, Err: err})
	}
}
