package fanout

import (
	"errors"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// How much a [Planner] remembers: so many plans and so many tables of databases, twice. Texts that are longer are not kept.
const (
	plansKept   = 512
	tablesKept  = 4096
	longestKept = 16 << 10
)

// Planner makes plans of statements. It may be used concurrently.
type Planner struct {
	analyzer sqlproof.Analyzer
	plans    generations[string, planned]
	tables   generations[tableAt, *columns]
}

// planned is what became of a text.
type planned struct {
	plan *Plan
	err  error
}

// New returns a planner for the dialect of an analyzer.
func New(a sqlproof.Analyzer) *Planner {
	p := &Planner{analyzer: a}
	p.plans.most, p.tables.most = plansKept, tablesKept
	return p
}

// Plan returns the plan of a SELECT, whatever its arguments are. Its error is an [*Unmergeable].
func (p *Planner) Plan(sql string) (*Plan, error) {
	if known, ok := p.plans.get(sql); ok {
		return known.plan, known.err
	}
	plan, err := p.plan(sql, weighing{})
	if len(sql) <= longestKept {
		p.plans.put(sql, planned{plan, err})
	}
	return plan, err
}

func (p *Planner) plan(sql string, w weighing) (*Plan, error) {
	st, err := p.analyzer.Analyze(sql)
	if err != nil {
		u := &Unmergeable{Why: err.Error()}
		if refusal, ok := errors.AsType[*sqlproof.Refusal](err); ok {
			u = &Unmergeable{Why: refusal.Why, Instead: refusal.Instead, Line: refusal.Line, Column: refusal.Column}
		}
		return nil, u
	}
	plan, u := p.build(st, w)
	if u != nil {
		return nil, u
	}
	return plan, nil
}

// Plan is what is known of one text, for all arguments. It must not be changed.
type Plan struct {
	planner *Planner
	text    *text  // the original
	sql     string // what each placement is asked, with tables as the original calls them
	args    []int  // which argument of the original each of its arguments is, or theLimit
	limits  limits
	limited bool // sql has a LIMIT

	description merge.Description // without what arguments and databases decide
	compares    []comparing       // the columns
	hidden      []comparing       // those that stand at the end, behind *
	named       bool              // columns of * are compared
	aliases     []aliasName       // that must be no columns
	having      func(args []any) merge.Predicate
	sources     []*sqlproof.Source
}

// aliasName is the name of an alias that is used where a column could be meant.
type aliasName struct {
	name  string
	token int
}

// builder makes a plan.
type builder struct {
	plan     *Plan
	text     *text
	main     *sqlproof.Block
	clauses  *clauses
	items    []item
	stars    bool
	writer   *writer
	weigh    weighing
	expected shape

	shards  []column     // of the groups that placements give
	keys    map[int]bool // which of them are keys
	results []merge.Result
	forms   map[string]int // the results by the form of what they are
	unseen  map[string]int // the keys that are no items, by their form
	extra   []span         // more keys for GROUP BY
	zeroes  bool           // a sum is 0 where there are no rows
}

// build makes the plan of a statement.
func (p *Planner) build(st *sqlproof.Statement, weigh weighing) (*Plan, *Unmergeable) {
	d := sqltext.DialectOf(p.analyzer.Dialect())
	t, why := newText(st, d)
	if t == nil {
		return nil, &Unmergeable{Why: why}
	}
	if u := allowed(t, st); u != nil {
		return nil, u
	}
	c, u := clausesOf(t, st.Main)
	if u != nil {
		return nil, u
	}
	b := &builder{
		plan: &Plan{planner: p, text: t, sources: st.Main.Sources}, text: t, main: st.Main, clauses: c, writer: &writer{of: t}, weigh: weigh,
	}
	b.plan.description.Engine = dialect.Of(p.analyzer.Dialect())
	if b.items, u = itemsOf(t, c, st.Main); u != nil {
		return nil, u
	}
	grouped := len(st.Main.GroupBy) > 0 || st.Main.Having != nil
	for i := range b.items {
		b.stars = b.stars || b.items[i].star
		grouped = grouped || aggregates(b.items[i].node)
	}
	for i := range st.Main.OrderBy {
		grouped = grouped || aggregates(st.Main.OrderBy[i].Expr)
	}
	if b.plan.limits, u = limitsOf(t, c.tail, st.Main); u != nil {
		return nil, u
	}
	if grouped {
		u = b.groups()
	} else {
		u = b.rows()
	}
	if u != nil {
		return nil, u
	}
	b.plan.sql, b.plan.args = b.writer.b.String(), b.writer.args
	if u := b.reread(p.analyzer, st); u != nil {
		return nil, u
	}
	return b.plan, nil
}

// allowed refuses what is not merged at all.
func allowed(t *text, st *sqlproof.Statement) *Unmergeable {
	main := st.Main
	switch {
	case main.Kind == sqlproof.SetOperation:
		return t.refuse(0, main.Operator+" of several queries", "send each query by itself, and put their rows together")
	case st.Kind != sqlproof.Select || main.Kind != sqlproof.Select:
		return t.refuse(0, "a statement that is no SELECT", "")
	case len(main.Sources) == 0:
		return t.refuse(0, "a SELECT from no table, which each shard would answer with a row of its own", "ask one shard")
	case main.Windows:
		return t.refuse(0, "a window function, which would see the rows of one shard alone", "compute it of the rows in Go, or ask one shard")
	case len(main.DistinctOn) > 0:
		return t.refuse(0, "DISTINCT ON", "use GROUP BY, or pick the rows in Go")
	case main.Groups:
		return t.refuse(0, "GROUPING SETS, ROLLUP or CUBE", "send one statement for each set")
	case len(main.Items) == 0:
		return t.refuse(0, "a SELECT without columns", "name one")
	}
	for _, b := range st.Blocks {
		if b.Kind > sqlproof.SetOperation {
			return t.refuse(0, "a write in WITH", "send it by itself")
		}
	}
	for _, s := range main.Sources {
		if s.Kind == sqlproof.FunctionSource || s.Query == nil && s.Kind != sqlproof.TableSource {
			return t.refuse(0, "rows that are of no table", "use tables alone")
		}
		if s.Query != nil && !filters(s.Query) {
			return t.refuse(0, "a subquery in FROM, or a common table expression, that does more than leave out rows", "group, sort, limit and join in the statement itself")
		}
	}
	return nil
}

// filters tells whether a query gives rows of its sources one by one.
func filters(q *sqlproof.Block) bool {
	if q.Kind != sqlproof.Select || q.Distinct || len(q.GroupBy) > 0 || q.Having != nil || q.Limit != nil || q.Offset != nil ||
		q.Windows || q.Groups || q.Ties || len(q.Sources) != 1 {
		return false
	}
	for _, it := range q.Items {
		if aggregates(it.Expr) || unknownCall(it.Expr) != nil {
			return false
		}
	}
	s := q.Sources[0]
	return s.Kind == sqlproof.TableSource || s.Query != nil && filters(s.Query)
}

// isRowwise refuses an expression that may be an aggregate, or another value each time.
func (b *builder) isRowwise(s span, e *sqlproof.Expr) *Unmergeable {
	if call := unknownCall(e); call != nil {
		return b.text.refuse(s.from, "the function "+call.Name+" is not known to be computed row by row", "leave it out, or compute it in Go")
	}
	if b.text.contains(s, "json_arrayagg", "json_objectagg", "grouping") {
		return b.text.refuse(s.from, "an aggregate that makes a document", "make it in Go")
	}
	return nil
}
