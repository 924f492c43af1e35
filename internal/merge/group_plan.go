package merge

import (
	"database/sql/driver"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// groupPlan is a [Groups] that fits the columns of the sources.
type groupPlan struct {
	keys    []int
	equal   equality
	width   int   // columns of the sources
	columns shape // of the groups
	makers  []maker
	having  func(row []driver.Value) (truth, error)
	order   order
}

func groupPlanOf(d *Description, sources shape) (p *groupPlan, err error) {
	p = &groupPlan{keys: d.Groups.Keys, width: len(sources)}
	keys := make(shape, len(p.keys))
	for i, k := range p.keys {
		if k < 0 || k >= len(sources) {
			return nil, misfit("it groups by column %d of %d", k, len(sources))
		}
		keys[i] = sources[k]
	}
	if p.equal, err = equalityOf(keys); err != nil {
		return nil, err
	}
	if len(d.Groups.Results) == 0 {
		return nil, misfit("groups without columns")
	}
	for _, r := range d.Groups.Results {
		if err := p.add(d, sources, r); err != nil {
			return nil, err
		}
	}
	if p.having, err = compilePredicate(d.Groups.Having, d.Engine, p.columns); err != nil {
		return nil, err
	}
	p.order, err = orderOf(d, p.columns)
	return p, err
}

// group returns the accumulators of a new group.
func (p *groupPlan) group(m *memory) []accumulator {
	group := make([]accumulator, len(p.makers))
	for i, of := range p.makers {
		group[i] = of(m)
	}
	return group
}

// add adds a column to the groups.
func (p *groupPlan) add(d *Description, sources shape, r Result) error {
	switch {
	case r.Column < 0 || r.Column >= len(sources):
		return misfit("a result is made of column %d of %d", r.Column, len(sources))
	case r.Func == Avg && (r.Count < 0 || r.Count >= len(sources)):
		return misfit("an average is made of column %d of %d", r.Count, len(sources))
	case r.Func == Key && !slices.Contains(p.keys, r.Column):
		return misfit("column %d is no key", r.Column)
	}
	c := sources[r.Column]
	if r.Name != "" {
		c.name = r.Name
	}
	m, err := makerOf(d, &c, r)
	if err != nil {
		return err
	}
	p.makers = append(p.makers, m)
	p.columns = append(p.columns, resultColumn(d.Engine, c, r.Func))
	return nil
}

// compared tells which columns of the sources are looked at.
func (p *groupPlan) compared(d *Description) []bool {
	compared := make([]bool, p.width)
	for _, k := range p.keys {
		compared[k] = true
	}
	for _, r := range d.Groups.Results {
		compared[r.Column] = true
		if r.Func == Avg {
			compared[r.Count] = true
		}
	}
	return compared
}

// resultColumn is the column that a function makes of one of the sources.
func resultColumn(e dialect.Engine, c column, f Func) column {
	switch f {
	case Min, Max:
		if e == dialect.SQLite {
			c.collation = CollationBinary // that of what a function returns, whatever its argument has
		}
	case CountDistinct:
		typ := map[dialect.Engine]string{dialect.Postgres: "INT8", dialect.MySQL: "BIGINT"}[e]
		c.become(typ, kindOf(e, typ), reflect.TypeFor[int64]())
	case Avg, SumDistinct, AvgDistinct:
		if e == dialect.SQLite {
			c.become("", dynamic, nil)
			break
		}
		typ := sumType(e, c.typ, f != SumDistinct)
		if typ == c.typ {
			break // it is as it was
		}
		scan := reflect.TypeFor[float64]()
		switch typ {
		case "INT8":
			scan = reflect.TypeFor[int64]()
		case "DECIMAL":
			scan = reflect.TypeFor[string]()
		}
		c.become(typ, kindOf(e, typ), scan)
		if typ == "NUMERIC" {
			c.precision, c.scale, c.hasScale = math.MaxUint16, math.MaxUint16-4, true // as pgx says without a modifier
		}
	}
	return c
}

// sumType is the type of a sum, or an average, of values of a type.
func sumType(e dialect.Engine, typ string, average bool) string {
	if e == dialect.MySQL {
		if typ == "DOUBLE" || typ == "FLOAT" {
			return "DOUBLE"
		}
		return "DECIMAL"
	}
	switch {
	case strings.HasPrefix(typ, "FLOAT"):
		if average {
			return "FLOAT8"
		}
		return typ
	case !average && (typ == "INT2" || typ == "INT4"):
		return "INT8"
	default:
		return "NUMERIC"
	}
}
