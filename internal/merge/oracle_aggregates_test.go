package merge_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// aggregation is a question for groups in the making.
type aggregation struct {
	o    *oracle
	dice *rand.Rand

	shardList  []string
	collations []merge.Collation
	groupBy    []string
	results    []merge.Result
	whole      []string // expressions
	comparable []bool   // with numbers
}

// column returns the place of an expression in the shard's list.
func (a *aggregation) column(expression string, c merge.Collation) int {
	if i := slices.Index(a.shardList, expression); i >= 0 {
		return i
	}
	a.shardList = append(a.shardList, expression)
	a.collations = append(a.collations, c)
	return len(a.shardList) - 1
}

func (a *aggregation) result(expression string, r merge.Result, number bool) {
	r.Name = fmt.Sprintf("r%d", len(a.whole))
	a.whole = append(a.whole, expression)
	a.results = append(a.results, r)
	a.comparable = append(a.comparable, number)
}

// add adds a random aggregate.
func (a *aggregation) add() {
	c := pick(a.dice, a.o.columns...)
	switch kind := a.dice.IntN(8); {
	case kind == 0:
		a.result("COUNT(*)", merge.Result{Func: merge.Count, Column: a.column("COUNT(*)", 0)}, true)
	case kind == 1:
		e := "COUNT(" + c.name + ")"
		a.result(e, merge.Result{Func: merge.Count, Column: a.column(e, 0)}, true)
	case kind == 2 && c.sum:
		e := "SUM(" + c.name + ")"
		a.result(e, merge.Result{Func: merge.Sum, Column: a.column(e, 0)}, true)
	case kind == 3 && c.sum:
		a.result("AVG("+c.name+")", merge.Result{
			Func: merge.Avg, Column: a.column("SUM("+c.name+")", 0), Count: a.column("COUNT("+c.name+")", 0),
		}, true)
	case kind <= 5 && c.key && (a.o.engine != dialect.Postgres || c.typ != "boolean" && c.typ != "uuid" && c.typ != "bytea"):
		e, f := "MIN("+c.name+")", merge.Min
		if kind == 5 {
			e, f = "MAX("+c.name+")", merge.Max
		}
		a.result(e, merge.Result{Func: f, Column: a.column(e, c.collation)}, false)
	case kind == 6 && c.key:
		a.argument(c)
		a.result("COUNT(DISTINCT "+c.name+")", merge.Result{Func: merge.CountDistinct, Column: a.column(c.name, c.collation)}, true)
	case kind == 7 && c.key && c.sum:
		a.argument(c)
		word, f := "SUM", merge.SumDistinct
		if a.dice.IntN(2) == 0 {
			word, f = "AVG", merge.AvgDistinct
		}
		a.result(word+"(DISTINCT "+c.name+")", merge.Result{Func: f, Column: a.column(c.name, c.collation)}, true)
	}
}

// argument makes the shards group by the argument of a DISTINCT aggregate too.
func (a *aggregation) argument(c oracleColumn) {
	if !slices.Contains(a.groupBy, c.name) {
		a.groupBy = append(a.groupBy, c.name)
	}
}

// having returns a random condition, for the description and as text.
func (a *aggregation) having(depth int) (merge.Predicate, string) {
	if depth > 0 {
		switch a.dice.IntN(4) {
		case 0:
			p, x := a.having(depth - 1)
			q, y := a.having(depth - 1)
			return merge.And{p, q}, "(" + x + " AND " + y + ")"
		case 1:
			p, x := a.having(depth - 1)
			q, y := a.having(depth - 1)
			return merge.Or{p, q}, "(" + x + " OR " + y + ")"
		case 2:
			p, x := a.having(depth - 1)
			return merge.Not{Predicate: p}, "(NOT " + x + ")"
		}
	}
	i := a.dice.IntN(len(a.whole))
	switch {
	case !a.comparable[i]:
		return merge.IsNull{Operand: merge.Column(i)}, "(" + a.whole[i] + " IS NULL)"
	case a.dice.IntN(5) == 0:
		return merge.In{Operand: merge.Column(i), List: []merge.Operand{merge.Constant(3), merge.Constant(int64(40)), merge.Constant(nil)}},
			"(" + a.whole[i] + " IN (3, 40, NULL))"
	}
	op := merge.Equal + merge.Op(a.dice.IntN(6))
	text := []string{"=", "<>", "<", "<=", ">", ">="}[op-merge.Equal]
	constant := any(a.dice.IntN(200) - 50)
	if a.dice.IntN(3) == 0 {
		constant = float64(a.dice.IntN(100)) / 10
	}
	literal := fmt.Sprint(constant)
	if a.dice.IntN(4) == 0 {
		return merge.Comparison{Left: merge.Constant(constant), Op: op, Right: merge.Column(i)}, "(" + literal + " " + text + " " + a.whole[i] + ")"
	}
	return merge.Comparison{Left: merge.Column(i), Op: op, Right: merge.Constant(constant)}, "(" + a.whole[i] + " " + text + " " + literal + ")"
}

// aggregates is a question for groups.
func (o *oracle) aggregates(dice *rand.Rand) question {
	a := &aggregation{o: o, dice: dice}
	var keys []string
	var keyPlaces []int
	for range dice.IntN(3) {
		c := pick(dice, o.columns...)
		if !c.key || slices.Contains(keys, c.name) {
			continue
		}
		keys = append(keys, c.name)
		a.argument(c)
		place := a.column(c.name, c.collation)
		keyPlaces = append(keyPlaces, place)
		a.result(c.name, merge.Result{Func: merge.Key, Column: place}, false)
	}
	for range 1 + dice.IntN(4) {
		a.add()
	}
	if len(a.whole) == 0 {
		a.result("COUNT(*)", merge.Result{Func: merge.Count, Column: a.column("COUNT(*)", 0)}, true)
	}
	d := merge.Description{
		Engine: o.engine, Collations: a.collations, RoundedFloats: true, Groups: &merge.Groups{Keys: keyPlaces, Results: a.results},
	}
	var q question
	condition := ""
	if dice.IntN(4) == 0 {
		condition = " WHERE id < " + o.mark(1)
		q.args = []any{pick(dice, 0, 3, 200)}
	}
	q.shard = "SELECT " + strings.Join(a.shardList, ", ") + " FROM r" + condition
	if len(a.groupBy) > 0 {
		q.shard += " GROUP BY " + strings.Join(a.groupBy, ", ")
	}
	named := make([]string, len(a.whole))
	for i, e := range a.whole {
		named[i] = fmt.Sprintf("%s AS r%d", e, i)
	}
	d.Distinct = dice.IntN(4) == 0
	q.whole = "SELECT " + map[bool]string{true: "DISTINCT "}[d.Distinct] + strings.Join(named, ", ") + " FROM r" + condition
	if len(keys) > 0 {
		q.whole += " GROUP BY " + strings.Join(keys, ", ")
	}
	if dice.IntN(2) == 0 {
		p, text := a.having(2)
		d.Groups.Having = p
		q.whole += " HAVING " + text
	}
	if q.sorted = dice.IntN(3) > 0; q.sorted {
		places := dice.Perm(len(a.whole))
		orders := make([]string, len(places))
		for i, place := range places { // with the keys, or with DISTINCT, this decides the order
			var s merge.Sort
			s, orders[i] = o.sort(dice, place, fmt.Sprintf("r%d", place))
			d.Order = append(d.Order, s)
		}
		q.whole += " ORDER BY " + strings.Join(orders, ", ")
		o.limit(dice, &d, &q)
	}
	q.description = d
	return q
}
