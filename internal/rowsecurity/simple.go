package rowsecurity

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// sendSimple is the simple protocol, where pgx writes arguments into the text: one Query message with both statements.
// PostgreSQL takes that for one transaction. All columns come as text, and pgx's BatchTracer is told, not its QueryTracer.
// Source: pgx v5.11.0 conn.go sendBatchQueryExecModeSimpleProtocol; PostgreSQL 15 documentation, 55.2.2.1 Multiple
// Statements in a Simple Query.
func (b *Binder) sendSimple(ctx context.Context, conn *pgx.Conn, st statement, tenant string) (*reply, error) {
	batch := &pgx.Batch{}
	batch.Queue(setConfig, string(b.Setting), tenant)
	batch.Queue(st.text, st.args...)
	results := conn.SendBatch(ctx, batch)
	r := &reply{session: sessionOf(conn), text: st.text, pipeline: results}
	if _, err := results.Exec(); err != nil {
		r.fail(err)
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		r.fail(err)
		return nil, err
	}
	r.result = batchRows{rows}
	return r, nil
}

// batchRows is the result of a statement in a batch of pgx.
type batchRows struct{ pgx.Rows }

// NextRow implements reader.
func (r batchRows) NextRow() bool { return r.Next() }

// Values implements reader.
func (r batchRows) Values() [][]byte { return r.RawValues() }

// Close implements reader.
func (r batchRows) Close() (pgconn.CommandTag, error) {
	r.Rows.Close()
	return r.CommandTag(), r.Err()
}

// sendText sends a statement without arguments as it is, in the simple protocol: pgx does so in Exec, whatever the mode,
// and takes several statements in one text.
// Source: pgx v5.11.0 conn.go Conn.exec.
func (b *Binder) sendText(ctx context.Context, conn *pgx.Conn, s *session, st statement, tenant string) (*reply, error) {
	name, err := literal(string(b.Setting))
	if err != nil {
		return nil, err
	}
	value, err := literal(tenant)
	if err != nil {
		return nil, err
	}
	r := &reply{session: s, text: st.text, trace: startTrace(ctx, conn, s, st)}
	results := conn.PgConn().Exec(r.trace.ctx, fmt.Sprintf("SELECT set_config(%s, %s, true);%s", name, value, st.text))
	r.pipeline = results
	if !results.NextResult() {
		r.fail(nil)
		return nil, r.err
	}
	if _, err := results.ResultReader().Close(); err != nil {
		r.fail(err)
		return nil, err
	}
	r.result = &texts{MultiResultReader: results}
	return r, nil
}

// texts is the last of several results; only its command tag is of interest.
type texts struct{ *pgconn.MultiResultReader }

// FieldDescriptions implements reader.
func (t *texts) FieldDescriptions() []pgconn.FieldDescription { return nil }

// NextRow implements reader.
func (t *texts) NextRow() bool { return false }

// Values implements reader.
func (t *texts) Values() [][]byte { return nil }

// Close implements reader.
func (t *texts) Close() (tag pgconn.CommandTag, err error) {
	for t.NextResult() {
		if tag, err = t.ResultReader().Close(); err != nil {
			return tag, err
		}
	}
	return tag, t.MultiResultReader.Close()
}
