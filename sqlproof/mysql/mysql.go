// Package mysql reads SQL as MySQL 8 and MariaDB do, with the parser of github.com/sqlc-dev/marino, which it alone imports.
// It adds about 4 MB to a program, and that parser needs Go 1.26.
//
// Where MySQL and MariaDB, or modes of theirs, read a text in two ways, it is refused, or read in the way that proves less:
// "…" is never taken for a value, as it is a column with ANSI_QUOTES.
package mysql

import (
	"fmt"
	"strings"

	"github.com/sqlc-dev/marino/ast"
	"github.com/sqlc-dev/marino/parser"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/sametree"
)

// analyzer implements [sqlproof.Analyzer].
type analyzer struct {
	types *sametree.Types // of the parser's trees
}

// New returns the analyzer for MySQL and MariaDB, for Config.SQL. It may be used concurrently.
func New() sqlproof.Analyzer { return analyzer{types: new(sametree.Types)} }

// Dialect implements [sqlproof.Analyzer].
func (analyzer) Dialect() string { return "mysql" }

// Analyze implements [sqlproof.Analyzer].
func (analyzer) Analyze(sql string) (*sqlproof.Statement, error) {
	b, err := sqlproof.NewBuilder("mysql", sql)
	if err != nil {
		return nil, err
	}
	tokens := b.Tokens()
	if at, why := guard(sql, tokens); why != "" {
		return nil, sqlproof.Refuse(sql, at, why, "write it in another way")
	}
	text := sql
	if i := returning(sql, tokens); i >= 0 {
		text = sql[:tokens[i].Start]
		for _, t := range tokens[i+1:] {
			b.Claim(int(t.Start))
		}
	}
	stmts, _, err := parser.New().Parse(text, "", "") // a parser is not for concurrent use, and costs next to nothing
	if err != nil || len(stmts) != 1 {
		return nil, sqlproof.Refuse(sql, start(tokens, offset(sql, err)), "it is no single statement of MySQL's", "")
	}
	r := &reader{Builder: b, sql: sql, tokens: tokens}
	main := r.statement(stmts[0])
	r.complete()
	return b.Finish(main, stmts[0])
}

// offset finds the place that an error of the parser tells, which is behind what was not expected. The error itself must
// not be shown: it quotes the text.
func offset(sql string, err error) int {
	if err == nil {
		return -1
	}
	var line, column int
	if n, _ := fmt.Sscanf(err.Error(), "line %d column %d", &line, &column); n != 2 {
		return -1
	}
	at := 0
	if line > 1 {
		at = -1 // the line break counts as a column of the line behind it
	}
	for from := 0; line > 1; line-- {
		n := strings.IndexByte(sql[from:], '\n') + 1
		from, at = from+n, at+n
	}
	return min(at+column, len(sql))
}

// start returns where the token begins that ends at an offset.
func start(tokens []sqltext.Token, end int) int {
	for _, t := range tokens {
		if int(t.End) == end {
			return int(t.Start)
		}
	}
	return end
}

// reader walks the tree of one statement.
type reader struct {
	*sqlproof.Builder
	sql     string
	tokens  []sqltext.Token
	later   []string                  // names that the WITH RECURSIVE being read defines further on
	written map[*ast.TableSource]bool // of an UPDATE or a DELETE of several tables
	selects int                       // that were read
	tables  int                       // TABLE statements that were read
	depth   int                       // of the expression being read
}

func (r *reader) statement(stmt ast.StmtNode) *sqlproof.Block {
	switch s := stmt.(type) {
	case *ast.SelectStmt:
		return r.query(s, nil, false)
	case *ast.SetOprStmt:
		return r.query(s, nil, false)
	case *ast.InsertStmt:
		return r.insert(s)
	case *ast.UpdateStmt:
		return r.update(s)
	case *ast.DeleteStmt:
		return r.delete(s)
	}
	r.Fail(0, "it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE", "run it with tenancy.WithoutTenant")
	return &sqlproof.Block{}
}

// complete fails unless all queries and placeholders of the text were found in the tree: the parser drops the second WITH of
// "WITH … (WITH … SELECT …)", which nobody writes, and may drop more.
func (r *reader) complete() {
	r.SawMarks()
	if r.selects != r.count("select") || r.tables != r.count("table") {
		r.Unknown(-1, "one of the queries")
	}
}
