// Package postgres reads SQL as PostgreSQL does, with the parser of github.com/sqlc-dev/oliphant, which it alone imports:
// a port to Go of the grammar of PostgreSQL 18. It adds about 4.6 MB to a program.
//
// The parser's tree is made of protobuf messages, and those of github.com/pganalyze/pg_query_go have the same names. A
// program that links both panics as it starts, because both register pg_query.proto. Either leave one of them out, or
// build the program with
//
//	-ldflags "-X google.golang.org/protobuf/reflect/protoregistry.conflictPolicy=ignore"
//
// or run it with GOLANG_PROTOBUF_REGISTRATION_CONFLICT=ignore in its environment. Nothing here looks a message up by its
// name, so it does not matter which of the two is registered.
package postgres

import (
	"unicode/utf8"

	"github.com/sqlc-dev/oliphant/ast"
	"github.com/sqlc-dev/oliphant/parser"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/sametree"
)

// analyzer implements [sqlproof.Analyzer].
type analyzer struct {
	positions map[string]bool
	types     *sametree.Types
}

// New returns the analyzer for PostgreSQL, for Config.SQL. It may be used concurrently.
func New() sqlproof.Analyzer { return analyzer{positions(), new(sametree.Types)} }

// Dialect implements [sqlproof.Analyzer].
func (analyzer) Dialect() string { return "postgres" }

// Analyze implements [sqlproof.Analyzer].
func (analyzer) Analyze(sql string) (*sqlproof.Statement, error) {
	b, err := sqlproof.NewBuilder("postgres", sql)
	if err != nil {
		return nil, err
	}
	tree, err := parse(sql)
	if err != nil {
		return nil, err
	}
	r := reader{Builder: b}
	main := r.statement(tree)
	r.SawMarks()
	return b.Finish(main, tree)
}

// parse reads the one statement of a text. The parser is young, so a panic of its own is a refusal too.
func parse(sql string) (tree *ast.Node, err error) {
	const why = "it is no single statement of PostgreSQL's"
	defer func() {
		if recover() != nil {
			tree, err = nil, sqlproof.Refuse(sql, -1, why, "")
		}
	}()
	result, err := parser.ParseToTree(sql)
	if err != nil {
		at := -1
		if e, ok := err.(*parser.Error); ok { //nolint:errorlint // the parser returns it as it is
			at = offset(sql, e.Cursorpos)
		}
		return nil, sqlproof.Refuse(sql, at, why, "")
	}
	if len(result.Stmts) != 1 {
		return nil, sqlproof.Refuse(sql, -1, why, "")
	}
	return result.Stmts[0].Stmt, nil
}

// offset returns where a character is that is counted from 1; -1 if there is none.
func offset(sql string, character int) int {
	at := 0
	for range character - 1 {
		_, size := utf8.DecodeRuneInString(sql[at:])
		at += size
	}
	if character < 1 {
		return -1
	}
	return at
}

// reader walks the tree of one statement.
type reader struct {
	*sqlproof.Builder
	depth int // of expressions and queries in one another
}

// deepest is how many of them there may be. What is deeper no one writes, and to compare trees takes a stack too.
const deepest = 1000

// enter tells whether to go one level deeper; if so, leave is to be called.
func (r *reader) enter() bool {
	if r.depth++; r.depth <= deepest {
		return true
	}
	r.Unknown(-1, "an expression or a query that is nested more than 1000 times")
	r.depth--
	return false
}

func (r *reader) leave() { r.depth-- }

func (r *reader) statement(stmt *ast.Node) *sqlproof.Block {
	if b := r.dml(stmt, nil); b != nil {
		return b
	}
	if s, ok := stmt.GetNode().(*ast.Node_SelectStmt); ok {
		return r.query(s.SelectStmt, nil, false)
	}
	r.Fail(-1, "it is neither SELECT, INSERT, UPDATE nor DELETE", "run it with tenancy.WithoutTenant")
	return &sqlproof.Block{}
}
