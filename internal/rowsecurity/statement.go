package rowsecurity

import (
	"container/list"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// A session is what we know of one connection of pgx. It is kept with that connection.
type session struct {
	mode   pgx.QueryExecMode
	tracer pgx.QueryTracer
	eqb    pgx.ExtendedQueryBuilder

	// Statements that the server has described, and prepared if they have a name; the one used last is in front.
	// pgx's own caches cannot be had, and they would not do: only plain types may come in binary.
	known    map[string]*list.Element
	order    list.List
	capacity int
	named    int      // names given so far
	stale    []string // names to deallocate
}

// described is a statement that the server has described.
type described struct {
	text    string
	sd      *pgconn.StatementDescription
	formats []int16 // of its columns
}

const sessionKey = "github.com/gormtenancy/tenancy/internal/rowsecurity"

// sessionOf returns what is known of the connection.
func sessionOf(conn *pgx.Conn) *session {
	if s, ok := conn.PgConn().CustomData()[sessionKey].(*session); ok {
		return s
	}
	config := conn.Config()
	s := &session{mode: config.DefaultQueryExecMode, tracer: config.Tracer, known: map[string]*list.Element{}}
	switch s.mode {
	case pgx.QueryExecModeCacheStatement:
		s.capacity = config.StatementCacheCapacity
	case pgx.QueryExecModeCacheDescribe:
		s.capacity = config.DescriptionCacheCapacity
	}
	conn.PgConn().CustomData()[sessionKey] = s
	return s
}

// recall returns a described statement, or nil.
func (s *session) recall(text string) *described {
	e := s.known[text]
	if e == nil {
		return nil
	}
	s.order.MoveToFront(e)
	d, _ := e.Value.(*described) // nothing else is in there
	return d
}

// remember keeps a described statement for the next time.
func (s *session) remember(d *described) {
	if s.capacity == 0 {
		return
	}
	for len(s.known) >= s.capacity {
		last, _ := s.order.Back().Value.(*described) // nothing else is in there
		s.forget(last.text)
	}
	s.known[d.text] = s.order.PushFront(d)
}

// forget drops a statement: an error may mean that its table has changed. pgx does the same.
// Source: pgx v5.11.0 rows.go baseRows.Close.
func (s *session) forget(text string) {
	e := s.known[text]
	if e == nil {
		return
	}
	delete(s.known, text)
	if d, _ := s.order.Remove(e).(*described); d.sd.Name != "" {
		s.stale = append(s.stale, d.sd.Name)
	}
}

// name returns the next name for a prepared statement; "" where none is wanted.
func (s *session) name(mode pgx.QueryExecMode) string {
	if mode != pgx.QueryExecModeCacheStatement || s.capacity == 0 {
		return ""
	}
	s.named++
	return "tenancy_" + strconv.Itoa(s.named)
}

// binary tells the types whose values database/sql has too.
// Source: pgx v5.11.0 stdlib/sql.go databaseSQLResultFormats.
func binary(oid uint32) int16 {
	switch oid {
	case pgtype.BoolOID, pgtype.ByteaOID, pgtype.CIDOID, pgtype.DateOID, pgtype.Float4OID, pgtype.Float8OID,
		pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.TimestampOID, pgtype.TimestamptzOID,
		pgtype.XIDOID:
		return pgx.BinaryFormatCode
	default:
		return pgx.TextFormatCode
	}
}
