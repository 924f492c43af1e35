package rowsecurity

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

const setConfig = "SELECT set_config($1, $2, true)"

// statement is what the caller wants to have run.
type statement struct {
	text string
	args []any
	exec bool // no rows are wanted
}

// send sends the setting and the statement in one flight and reads as far as the statement's result. A statement that
// the connection does not know is described first, as pgx does: one round trip more.
//
// Modes of pgx: simple_protocol sends one Query message with both statements, which is one implicit transaction too.
// exec, cache_statement, cache_describe and describe_exec send [set_config, statement] before one Sync. pgx's SendBatch
// would do the same, but it takes all columns in binary that it can, while the driver for database/sql must have most of
// them as text.
// Source: pgx v5.11.0 conn.go Conn.SendBatch, sendBatchExtendedWithDescription, sendBatchQueryExecModeExec and
// sendBatchQueryExecModeSimpleProtocol; stdlib/sql.go databaseSQLResultFormats.
func (b *Binder) send(ctx context.Context, l *lease, st statement, tenant string) (*reply, error) {
	s := sessionOf(l.pgx)
	mode, err := st.options(ctx, l.pgx, s.mode)
	if err != nil {
		return nil, err
	}
	if (st.exec && len(st.args) == 0) || strings.TrimSpace(st.text) == "" {
		return b.sendText(ctx, l.pgx, s, st, tenant)
	}
	if mode == pgx.QueryExecModeSimpleProtocol {
		if s.mode == pgx.QueryExecModeSimpleProtocol {
			return b.sendSimple(ctx, l.pgx, st, tenant)
		}
		mode = pgx.QueryExecModeExec // wanted for this statement alone; they look the same
	}
	r := &reply{session: s, text: st.text, trace: startTrace(ctx, l.pgx, s, st)}
	err = r.send(r.trace.ctx, l.pgx, mode, st, string(b.Setting), tenant)
	if err != nil {
		r.fail(err)
		return nil, err
	}
	return r, nil
}

// options takes pgx's options out of the arguments, where its driver for database/sql lets them through.
// Source: pgx v5.11.0 conn.go Conn.Query; stdlib/sql.go Conn.CheckNamedValue, convertNamedArguments.
func (st *statement) options(ctx context.Context, conn *pgx.Conn, mode pgx.QueryExecMode) (pgx.QueryExecMode, error) {
	own := false // the slice is the caller's
	for i, arg := range st.args {
		if named, ok := arg.(sql.NamedArg); ok {
			if !own {
				st.args, own = slices.Clone(st.args), true
			}
			st.args[i] = named.Value
		}
	}
	for len(st.args) > 0 {
		switch option := st.args[0].(type) {
		case pgx.QueryExecMode:
			mode, st.args = option, st.args[1:]
		case pgx.QueryRewriter:
			text, args, err := option.RewriteQuery(ctx, conn, st.text, st.args[1:])
			if err != nil {
				return mode, fmt.Errorf("rewrite query failed: %w", err)
			}
			st.text, st.args = text, args
		default:
			return mode, nil
		}
	}
	return mode, nil
}

// send is the extended protocol.
func (r *reply) send(ctx context.Context, conn *pgx.Conn, mode pgx.QueryExecMode, st statement, setting, tenant string) error {
	s := r.session
	var d *described
	if mode != pgx.QueryExecModeExec {
		if d = s.recall(st.text); d == nil {
			var err error
			if d, err = s.describe(ctx, conn, mode, st.text); err != nil {
				return err
			}
		}
	}
	// Values are made before anything is sent: the error of a driver.Valuer is one of them.
	if err := s.build(conn.TypeMap(), d, st.args); err != nil {
		return err
	}
	p := conn.PgConn().StartPipeline(ctx)
	r.pipeline = p
	closing := len(s.stale)
	for _, name := range s.stale {
		p.SendDeallocate(name)
	}
	p.SendQueryParams(setConfig, [][]byte{[]byte(setting), []byte(tenant)}, []uint32{pgtype.TextOID, pgtype.TextOID}, nil, nil)
	switch {
	case d == nil:
		p.SendQueryParams(st.text, s.eqb.ParamValues, nil, s.eqb.ParamFormats, nil)
	case d.sd.Name == "":
		p.SendQueryParams(st.text, s.eqb.ParamValues, d.sd.ParamOIDs, s.eqb.ParamFormats, d.formats)
	default:
		p.SendQueryStatement(d.sd, s.eqb.ParamValues, s.eqb.ParamFormats, d.formats)
	}
	_ = s.eqb.Build(conn.TypeMap(), nil, nil) // lets go of the values
	if err := p.Sync(); err != nil {
		return err
	}
	s.stale = s.stale[:0]
	for range closing {
		if _, err := p.GetResults(); err != nil {
			return err
		}
	}
	bound, err := result(p)
	if err != nil {
		return err
	}
	if _, err := bound.Close(); err != nil {
		return err
	}
	r.result, err = result(p)
	return err
}

// result returns the next result of the pipeline.
func result(p *pgconn.Pipeline) (*pgconn.ResultReader, error) {
	next, err := p.GetResults()
	if err != nil {
		return nil, err
	}
	reader, ok := next.(*pgconn.ResultReader)
	if !ok {
		return nil, fmt.Errorf("rowsecurity: pgx answers %T where a result was due", next)
	}
	return reader, nil
}

// build makes the values of the arguments.
func (s *session) build(types *pgtype.Map, d *described, args []any) error {
	if d == nil {
		return s.eqb.Build(types, nil, args)
	}
	if len(d.sd.ParamOIDs) != len(args) {
		return fmt.Errorf("expected %d arguments, got %d", len(d.sd.ParamOIDs), len(args))
	}
	return s.eqb.Build(types, d.sd, args)
}

// describe has the server describe a statement.
func (s *session) describe(ctx context.Context, conn *pgx.Conn, mode pgx.QueryExecMode, text string) (d *described, err error) {
	p := conn.PgConn().StartPipeline(ctx)
	defer func() {
		if closed := p.Close(); err == nil {
			err = closed
		}
	}()
	name := s.name(mode)
	p.SendPrepare(name, text, nil)
	if err := p.Sync(); err != nil {
		return nil, err
	}
	next, err := p.GetResults()
	if err != nil {
		return nil, err
	}
	sd, ok := next.(*pgconn.StatementDescription)
	if !ok {
		return nil, fmt.Errorf("rowsecurity: pgx answers %T where a description was due", next)
	}
	sd.Name, sd.SQL = name, text
	d = &described{text: text, sd: sd, formats: make([]int16, len(sd.Fields))}
	for i, f := range sd.Fields {
		d.formats[i] = binary(f.DataTypeOID)
	}
	if mode != pgx.QueryExecModeDescribeExec {
		s.remember(d)
	}
	return d, nil
}
