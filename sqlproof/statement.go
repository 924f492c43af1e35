package sqlproof

import (
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// Analyzer reads SQL of one dialect. It may be used concurrently.
type Analyzer interface {
	// Dialect names the dialect: "postgres", "mysql" or "sqlite", as GORM's dialectors do.
	Dialect() string
	// Analyze reads one statement. Its error, a [*Refusal], says what was not understood.
	Analyze(sql string) (*Statement, error)
	// Same tells whether now, the text of before with spans added, means the same but for what is in those spans.
	Same(before, now *Statement, added []Span) bool
	// Placed tells whether now means what before does, but for where tables are: where before names one without a schema, now
	// may name it with schema and with suffix behind its name, and give it its old name as an alias; either may be "". The
	// text of before has no such names. Where a table takes no alias, the qualifiers of its columns may have the suffix too.
	Placed(before, now *Statement, schema, suffix string) bool
}

// Span is a part of a text, in bytes.
type Span struct{ Start, End int }

// Kind says what a statement, or a query block of it, does.
type Kind uint8

// The kinds of statements and query blocks.
const (
	Select Kind = iota
	Values
	SetOperation // UNION, INTERSECT, EXCEPT
	Insert
	Update
	Delete
)

// String returns the kind's keyword.
func (k Kind) String() string {
	return [...]string{"SELECT", "VALUES", "set operation", "INSERT", "UPDATE", "DELETE"}[k]
}

// Statement is what an analyzer found in one text. It must not be changed once it is returned.
type Statement struct {
	SQL    string
	Kind   Kind
	Writes bool     // it changes data or locks rows, so that it must run on the primary
	Main   *Block   // the outermost query block
	Blocks []*Block // all of them, each after the one that it is in
	Marks  []Mark   // its placeholders, in the order of the text

	// Tree is the parser's own tree, for the analyzer's [Analyzer.Same].
	Tree any

	dialect sqltext.Dialect
	tokens  []sqltext.Token
	defined []string // the names of its common table expressions
	claimed []int32  // offsets of names that the analyzer knows the meaning of
	aliases []alias  // names of columns of a result, of which only the items are known that they belong to
}

// Mark is a placeholder.
type Mark struct {
	Span
	Argument int // which argument it stands for, counted from 0
}

// Block is a query block: a SELECT, one arm of a UNION, an INSERT …
type Block struct {
	Kind  Kind
	Outer *Block // the block that it is in; nil for the outermost
	// Correlated tells whether its names may also be those of the sources of Outer: not in a derived table without LATERAL,
	// nor in a common table expression.
	Correlated bool

	Sources []*Source // in the order of the text; the target of a DML statement first
	From    *Join     // how the sources are joined; nil without any
	Where   *Expr     // nil without one

	Items      []*Item // the SELECT list, or what RETURNING gives
	Distinct   bool
	DistinctOn []*Expr // of PostgreSQL's DISTINCT ON, for which Distinct is set too
	GroupBy    []*Expr
	Having     *Expr
	OrderBy    []Order
	Limit      *Expr
	Offset     *Expr
	Ties       bool     // FETCH FIRST … WITH TIES
	Arms       []*Block // of a set operation
	Operator   string   // of a set operation: UNION, UNION ALL, INTERSECT, EXCEPT
	Windows    bool     // it has window functions
	Groups     bool     // it has GROUPING SETS, ROLLUP or CUBE

	Columns  []Column     // that an INSERT names
	Rows     [][]*Expr    // that an INSERT or a VALUES gives
	Query    *Block       // that an INSERT takes its rows from
	Set      []Assignment // of an UPDATE
	Upserts  []Upsert     // of an INSERT
	Replaces bool         // REPLACE and OR REPLACE delete the rows that are in the way
	Ignores  bool         // IGNORE
	keyword  int32        // the token that it begins with: SELECT, INSERT …
	sees     [2]int32     // which of the sources of Outer it may name: those from the first to before the second
}

// Source is what a query block takes rows from.
type Source struct {
	Kind   SourceKind
	Span          // of a table's name, with its schema
	Schema string // "" if the text names none
	Name   string // of a table, a common table expression or a function
	Alias  string // "" without one
	Block  *Block // that it is in
	Query  *Block // of a derived table or a common table expression
	Target bool   // a DML statement writes to it
	// Fixed tells that the source cannot be put in parentheses: it has an index hint, a sample or column names of its own.
	Fixed bool
	// Renamed tells that its columns have other names here: "AS t (a, b)".
	Renamed bool

	parent *Join    // that it is in, of kind Leaf
	known  *tableOf // what the last proof knew of it
}

// Called returns the name by which columns of the source are qualified.
func (s *Source) Called() string {
	if s.Alias != "" {
		return s.Alias
	}
	return s.Name
}

// SourceKind says what a [Source] is.
type SourceKind uint8

// The kinds of sources.
const (
	TableSource    SourceKind = iota
	CTESource                 // a common table expression
	SubquerySource            // a derived table
	FunctionSource            // a function that returns rows, or VALUES
)

// Join is a node of the tree of a FROM clause.
type Join struct {
	Kind        JoinKind
	Source      *Source // of a Leaf
	Left, Right *Join   // otherwise
	On          *Expr   // nil without a condition
	Using       []string
	Natural     bool
	Alias       string // "( … ) AS alias" hides the names inside
	Merged      string // "USING (a, b) AS merged" is one more name for the columns a and b

	parent *Join
	on     int32 // the token ON; 0 if there is none
}

// JoinKind says which rows a [Join] keeps that have no partner.
type JoinKind uint8

// The kinds of joins; a comma is Inner.
const (
	Leaf JoinKind = iota
	Inner
	Left
	Right
	Full
)

// String returns the join's keywords.
func (k JoinKind) String() string {
	return [...]string{"table", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"}[k]
}

// Item is one column of a result.
type Item struct {
	Expr  *Expr
	Alias string
	Star  bool // * or t.*
}

// Order is one key of ORDER BY.
type Order struct {
	Expr       *Expr
	Descending bool
	NullsFirst bool
	NullsLast  bool
}

// Column is a column that an INSERT names.
type Column struct {
	Span
	Name string
}

// Assignment is "column = value" in SET. Value is nil if one value of several is assigned: (a, b) = (…).
type Assignment struct {
	Qualifier, Column string
	Value             *Expr
}

// Upsert is one ON CONFLICT clause, or MySQL's ON DUPLICATE KEY UPDATE.
type Upsert struct {
	Nothing   bool // DO NOTHING
	Duplicate bool // MySQL's, which meets rows over any unique key and takes no condition
	Set       []Assignment
	Where     *Expr
	do        int32 // the token DO
}

// Op says what an [Expr] is.
type Op uint8

// The kinds of expressions. What does not matter to a proof is Other.
const (
	Other     Op = iota
	And          // Args
	Or           // Args
	Not          // Args[0]
	Equal        // Args[0] = Args[1]
	In           // Args[0] IN (Args[1:])
	InQuery      // Args[0] IN (Query)
	Exists       // EXISTS (Query)
	Scalar       // (Query)
	Tuple        // (Args)
	Field        // a column: Qualifier.Name
	Argument     // a placeholder
	Text         // a string literal
	Numeric      // a number
	Null         // NULL
	Default      // DEFAULT
	Call         // Name(Args)
	Condition    // IF(Args[0], Args[1], Args[2])
)

// Expr is an expression, as far as it matters.
type Expr struct {
	Op                      Op
	At                      int // offset of its first token that the parser gives a place
	Args                    []*Expr
	Query                   *Block
	Schema, Qualifier, Name string // of a Field or a Call
	Value                   string // of Text and Numeric
	Number                  int    // of an Argument, from 0
	Aggregate               bool   // of a Call
	Window                  bool   // of a Call: it has OVER
	DistinctArgs            bool   // of a Call: count(DISTINCT x)

	resolved   *Source // of a Field: whose column it is, as found by resolvedBy
	resolvedBy *proof
}

// Conjuncts calls yield for each condition that must hold for e to hold.
func (e *Expr) Conjuncts(yield func(*Expr) bool) bool {
	if e == nil {
		return true
	}
	if e.Op != And {
		return yield(e)
	}
	for _, a := range e.Args {
		if !a.Conjuncts(yield) {
			return false
		}
	}
	return true
}

// arguments is how many arguments the text takes.
func (s *Statement) arguments() (n int) {
	for _, m := range s.Marks {
		n = max(n, m.Argument+1)
	}
	return n
}

// same tells whether two names may be one to the dialect. PostgreSQL's are as its parser has folded them, SQLite takes
// only the letters of ASCII for one in both cases, and what MySQL does depends on what is named.
func (s *Statement) same(a, b string) bool {
	switch {
	case a == b:
		return true
	case s.dialect == sqltext.Postgres:
		return false
	case s.dialect == sqltext.SQLite:
		return equalASCII(a, b)
	}
	return strings.EqualFold(a, b)
}

// calls tells whether a name is for certain that of a source. MySQL's are so in one case alone, unless the server was set
// up otherwise.
func (s *Statement) calls(source *Source, name string) bool {
	if s.dialect == sqltext.MySQL {
		return source.Called() == name
	}
	return s.same(source.Called(), name)
}

// equalASCII tells whether two texts are the same but for the case of letters of ASCII.
func equalASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if x, y := a[i], b[i]; x != y && (x|0x20 != y|0x20 || (x|0x20)-'a' >= 26) {
			return false
		}
	}
	return true
}
