package merge

import (
	"database/sql/driver"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// Predicate is a condition on the columns of groups: [And], [Or], [Not], [Comparison], [IsNull] and [In].
type Predicate interface {
	compile(e dialect.Engine, columns shape) (func(row []driver.Value) (truth, error), error)
}

// And is true if all are; without any it is true.
type And []Predicate

// Or is true if one is; without any it is false.
type Or []Predicate

// Not is true if the other is false.
type Not struct{ Predicate Predicate }

// Comparison compares two operands.
type Comparison struct {
	Left  Operand
	Op    Op
	Right Operand
	// Alike refuses values of two types in SQLite, where the affinity of a column may make the one of the other.
	Alike bool
}

// IsNull tells whether an operand is NULL.
type IsNull struct{ Operand Operand }

// In tells whether an operand is one of a list.
type In struct {
	Operand Operand
	List    []Operand
	Alike   bool // as that of a [Comparison]
}

// Op is how two operands are compared.
type Op uint8

const (
	// Equal is =.
	Equal Op = iota + 1
	// NotEqual is <>.
	NotEqual
	// Less is <.
	Less
	// LessOrEqual is <=.
	LessOrEqual
	// Greater is >.
	Greater
	// GreaterOrEqual is >=.
	GreaterOrEqual
)

// Operand is a column of the groups, or a constant.
type Operand struct {
	column   int
	constant driver.Value
	isColumn bool
}

// Column returns the column of that number.
func Column(i int) Operand { return Operand{column: i, isColumn: true} }

// Constant returns a value as a statement's argument gives it; nil is NULL.
func Constant(v any) Operand { return Operand{constant: v} }

// truth is SQL's: the least of all is their AND, the greatest their OR.
type truth int8

const (
	isFalse truth = iota - 1
	isUnknown
	isTrue
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

func compilePredicate(p Predicate, e dialect.Engine, columns shape) (func(row []driver.Value) (truth, error), error) {
	if p == nil {
		return func([]driver.Value) (truth, error) { return isTrue, nil }, nil
	}
	return p.compile(e, columns)
}

func (a And) compile(e dialect.Engine, columns shape) (func([]driver.Value) (truth, error), error) {
	return compileAll(a, e, columns, isTrue, func(x, y truth) truth { return min(x, y) })
}

func (o Or) compile(e dialect.Engine, columns shape) (func([]driver.Value) (truth, error), error) {
	return compileAll(o, e, columns, isFalse, func(x, y truth) truth { return max(x, y) })
}

// compileAll combines predicates, beginning with the truth of none.
func compileAll(all []Predicate, e dialect.Engine, columns shape, none truth, combine func(x, y truth) truth) (func([]driver.Value) (truth, error), error) {
	compiled := make([]func([]driver.Value) (truth, error), len(all))
	for i, p := range all {
		if p == nil {
			return nil, misfit("a condition that is nil")
		}
		var err error
		if compiled[i], err = p.compile(e, columns); err != nil {
			return nil, err
		}
	}
	return func(row []driver.Value) (truth, error) {
		result := none
		for _, p := range compiled {
			t, err := p(row)
			if err != nil {
				return isUnknown, err
			}
			result = combine(result, t)
		}
		return result, nil
	}, nil
}

func (n Not) compile(e dialect.Engine, columns shape) (func([]driver.Value) (truth, error), error) {
	if n.Predicate == nil {
		return nil, misfit("a condition that is nil")
	}
	inner, err := n.Predicate.compile(e, columns)
	if err != nil {
		return nil, err
	}
	return func(row []driver.Value) (truth, error) {
		t, err := inner(row)
		return -t, err
	}, nil
}

func (n IsNull) compile(_ dialect.Engine, columns shape) (func([]driver.Value) (truth, error), error) {
	if err := n.Operand.check(columns); err != nil {
		return nil, err
	}
	return func(row []driver.Value) (truth, error) { return truthOf(n.Operand.value(row) == nil), nil }, nil
}

func (in In) compile(e dialect.Engine, columns shape) (func([]driver.Value) (truth, error), error) {
	equal := make(Or, len(in.List))
	for i, o := range in.List {
		equal[i] = Comparison{Left: in.Operand, Op: Equal, Right: o, Alike: in.Alike}
	}
	return equal.compile(e, columns)
}

func (c Comparison) compile(e dialect.Engine, columns shape) (func([]driver.Value) (truth, error), error) {
	if c.Op < Equal || c.Op > GreaterOrEqual {
		return nil, misfit("a comparison that there is not")
	}
	left, right, compare, err := operandsOf(e, columns, c.Left, c.Right, c.Op > NotEqual)
	if err != nil {
		return nil, err
	}
	return func(row []driver.Value) (truth, error) {
		x, y := left.value(row), right.value(row)
		if x == nil || y == nil {
			return isUnknown, nil
		}
		if c.Alike && e == dialect.SQLite && classOf(x) != classOf(y) {
			return isUnknown, &UnmergeableError{Column: c.name(columns), Reason: "it is compared with a value of another type"}
		}
		n, err := compare(x, y)
		if err != nil {
			return isUnknown, err
		}
		return truthOf(c.Op.holds(n)), nil
	}, nil
}

// holds tells what an order of two values means.
func (o Op) holds(n int) bool {
	switch o {
	case Equal:
		return n == 0
	case NotEqual:
		return n != 0
	case Less:
		return n < 0
	case LessOrEqual:
		return n <= 0
	case Greater:
		return n > 0
	default:
		return n >= 0
	}
}

func (o Operand) check(columns shape) error {
	if o.isColumn && (o.column < 0 || o.column >= len(columns)) {
		return misfit("a condition on column %d of %d", o.column, len(columns))
	}
	return nil
}

func (o Operand) value(row []driver.Value) driver.Value {
	if o.isColumn {
		return row[o.column]
	}
	return o.constant
}

// name returns that of a column that is compared.
func (c Comparison) name(columns shape) string {
	if c.Left.isColumn {
		return columns[c.Left.column].name
	}
	return columns[c.Right.column].name
}
