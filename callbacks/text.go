package callbacks

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// reader reads the expressions of a clause before they are built, and finds the text that the application wrote in them:
// only that can reach another table, or break out of the parentheses that the tenant condition is joined to. If the
// statement is proven as a whole before it is sent, queries in parentheses are left to that. What GORM writes itself,
// values, columns and subqueries with a pass of their own, is fine as it is. An expression whose text only its Build knows
// makes the whole opaque: then what it has written is read.
type reader struct {
	h     *Hooks
	pass  *Pass
	place sqltext.Place
	join  bool // the condition of an association's join

	opaque bool
	built  bool   // the argument just read is SQL that is written as it is
	why    string // why the statement must be refused
	reason Reason // Unconfined if zero
	at     string // the text that is to blame
}

// verdict is the error of what was read; name says where.
func (r *reader) verdict(name string) error {
	if r.why == "" {
		return nil
	}
	where := name
	if r.at != "" {
		where += " has " + quote(r.at) + ": "
	} else {
		where += ": "
	}
	if r.reason == 0 {
		r.reason = Unconfined
	}
	return r.h.refusal(r.pass, r.reason, where+r.why)
}

// text reads a piece of SQL without arguments.
func (r *reader) text(s string) { r.textWith(s, 0) }

// textWith reads a piece of SQL with marks for n arguments.
func (r *reader) textWith(s string, n int) {
	if r.why != "" {
		return
	}
	r.read(s, n, r.h.fragment(s, r.place))
}

// whole reads SQL that only has to be complete in itself, because the statement is proven.
func (r *reader) whole(s string, n int) { r.read(s, n, r.h.text.Whole(s)) }

// read judges a piece of SQL with marks for n arguments, for which why is what is to say against it so far.
func (r *reader) read(s string, n int, why string) {
	if r.why != "" {
		return
	}
	switch {
	case why == "" && r.h.text.RawArguments(s, n):
		why = "it has places for more arguments than it is given"
	case why == "" && r.join && (sqltext.DollarNumber(s) || r.hides(s)):
		// GORM writes the condition of a join, looks for its marks in the text, and writes it again
		// (gorm v1.31.2 callbacks/query.go BuildQuerySQL).
		why = "a placeholder inside quotes cannot stand in the condition of a join"
	}
	if why != "" && r.matters(s) {
		r.why, r.at = why, s
	}
}

// hides tells whether a question mark stands inside quotes or a comment.
func (r *reader) hides(text string) (found bool) {
	r.h.text.HiddenMarks(text, func(mark string) bool {
		found = mark == "?"
		return !found
	})
	return found
}

// name reads a name that the dialect will quote. Quoting follows rules of each driver's own for names that are not plain,
// so those are read once they are written.
func (r *reader) name(s string) {
	if s != "" && s != clause.PrimaryKey && s != clause.CurrentTable && !plain(s) {
		r.opaque = true
	}
}

func (r *reader) column(c clause.Column) {
	if c.Raw {
		r.text(c.Name)
		return
	}
	r.name(c.Name)
	r.name(c.Table)
	r.name(c.Alias)
}

// operand reads the column of a comparison.
func (r *reader) operand(v any) {
	switch v := v.(type) {
	case string:
		r.name(v)
	case clause.Column:
		r.column(v)
	case []clause.Column:
		for _, c := range v {
			r.column(c)
		}
	case []string:
		for _, s := range v {
			r.name(s)
		}
	case clause.Expr:
		r.expression(v)
	default:
		r.opaque = true
	}
}

func (r *reader) expressions(es []clause.Expression) {
	for _, e := range es {
		r.expression(e)
	}
}

// expression reads GORM's own expression types; all others are opaque.
func (r *reader) expression(e clause.Expression) {
	switch e := e.(type) {
	case nil:
	case clause.Eq:
		r.operand(e.Column)
		r.value(e.Value)
	case clause.IN:
		r.operand(e.Column)
		r.values(e.Values)
	case clause.Expr:
		r.textWith(e.SQL, len(e.Vars))
		r.arguments(e.SQL, e.Vars, false)
	case clause.AndConditions:
		r.expressions(e.Exprs)
	case clause.OrConditions:
		r.expressions(e.Exprs)
	case clause.NotConditions:
		r.expressions(e.Exprs)
	case clause.NamedExpr:
		r.textWith(e.SQL, len(e.Vars))
		r.arguments(e.SQL, e.Vars, true)
	case clause.Neq:
		r.expression(clause.Eq(e))
	case clause.Gt:
		r.expression(clause.Eq(e))
	case clause.Gte:
		r.expression(clause.Eq(e))
	case clause.Lt:
		r.expression(clause.Eq(e))
	case clause.Lte:
		r.expression(clause.Eq(e))
	case clause.Like:
		r.expression(clause.Eq(e))
	case clause.Where:
		r.expressions(e.Exprs)
	case clause.CommaExpression:
		r.expressions(e.Exprs)
	default:
		if !isSubquery(e) {
			r.opaque = true
		}
	}
}

// arguments reads what is put in the place of text's marks.
func (r *reader) arguments(text string, vs []any, named bool) {
	if len(vs) == 0 || r.why != "" {
		return
	}
	r.hidden(text, vs, named)
	for i, v := range vs {
		t, isTable := v.(clause.Table)
		if isTable && !t.Raw && t.Alias == "" && qualifies(text, i) {
			r.name(t.Name)
			continue
		}
		outer := r.built
		r.built = false
		if named {
			r.named(v)
		} else {
			r.value(v)
		}
		alone := !r.built || r.h.text.StandsAlone(text, i) && (!named || r.h.text.NamedStandAlone(text))
		if !alone && r.why == "" && r.matters(text) {
			r.why, r.at = "SQL is put where it joins with what is beside it, or where IN takes it for a table: put it in parentheses", text
		}
		r.built = r.built || outer
	}
}

// hidden refuses marks inside quotes and comments, which GORM replaces and the database does not see: all arguments after
// one would be bound in the wrong places, the tenant among them.
func (r *reader) hidden(text string, vs []any, named bool) {
	r.h.text.HiddenMarks(text, func(mark string) bool {
		if mark != "?" && (!named || !r.names(vs, mark)) || !r.matters(text) {
			return true
		}
		r.why, r.at = "a placeholder inside quotes or a comment takes an argument: bind the whole text instead", text
		return false
	})
}

// names tells whether one of a NamedExpr's arguments may have the name.
func (r *reader) names(vs []any, name string) bool {
	for _, v := range vs {
		switch v := v.(type) {
		case sql.NamedArg:
			if v.Name == name {
				return true
			}
		case map[string]any:
			if _, ok := v[name]; ok {
				return true
			}
		default:
			if reflect.Indirect(reflect.ValueOf(v)).Kind() == reflect.Struct {
				return true
			}
		}
	}
	return false
}

// matters tells whether text must be refused if it cannot be read: not if the statement is on other tables than tenants',
// and the text names none of those.
func (r *reader) matters(text string) bool { return r.pass.confined || !r.h.namesNoTenantTable(text) }

// qualifies tells whether the mark for an argument is the table of a column: "?.name".
func qualifies(text string, argument int) bool {
	for i := range len(text) {
		if text[i] != '?' {
			continue
		}
		if argument == 0 {
			return i+1 < len(text) && text[i+1] == '.'
		}
		argument--
	}
	return false
}

func (r *reader) values(vs []any) {
	for _, v := range vs {
		r.value(v)
	}
}

// named reads an argument of a NamedExpr, which may be a map or a struct of values.
func (r *reader) named(v any) {
	switch v := v.(type) {
	case sql.NamedArg:
		r.value(v.Value)
	case map[string]any:
		for _, value := range v {
			r.value(value)
		}
	case *gorm.DB, driver.Valuer, clause.Expression, time.Time, *time.Time:
		r.value(v)
	default:
		if rv := reflect.Indirect(reflect.ValueOf(v)); rv.Kind() == reflect.Struct {
			r.opaque = true
		}
		r.value(v)
	}
}

// value reads an argument; the cases are in the order in which GORM asks (gorm v1.31.2 statement.go AddVar).
func (r *reader) value(v any) {
	if isSubquery(v) {
		r.pass.nests = true
	}
	switch v := v.(type) {
	case nil, string, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64,
		time.Time, []byte, []string, []int, []int64, []uint, *Arg:
	case sql.NamedArg:
		r.value(v.Value)
	case clause.Column:
		r.built = true
		r.column(v)
	case clause.Table:
		r.built = true
		own := !v.Raw && v.Alias == "" && (v.Name == clause.CurrentTable || v.Name == r.pass.stmt.Table)
		if r.h.proves() && !v.Raw {
			r.name(v.Name)
			r.name(v.Alias)
			return
		}
		if !own && r.matters(v.Name) {
			r.why, r.at = "it brings in a table", v.Name // "x IN ?" would read it
		}
	case gorm.Valuer, clause.Interface:
		r.built, r.opaque = true, true
	case clause.Expression:
		r.built = true
		r.expression(v)
	case driver.Valuer:
	case []any:
		r.values(v)
	case *gorm.DB:
		r.subquery(v)
	default:
		r.elements(reflect.ValueOf(v))
	}
}

// elements reads slices that GORM spreads into lists.
func (r *reader) elements(v reflect.Value) {
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		return
	}
	switch v.Type().Elem().Kind() {
	case reflect.Interface, reflect.Struct, reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		for i := range v.Len() {
			r.value(v.Index(i).Interface())
		}
	default: // a list of plain values, unless their type builds its own SQL
		if v.Len() > 0 {
			r.value(v.Index(0).Interface())
		}
	}
}

// subquery reads a *gorm.DB among the arguments. One that was built from a model runs through the query chain and gets a
// pass of its own; one that was built from text does not (gorm v1.31.2 statement.go AddVar).
func (r *reader) subquery(db *gorm.DB) {
	if db.Statement == nil || r.why != "" {
		return
	}
	if db.Statement.SQL.Len() > 0 {
		if r.h.proves() {
			r.wholeSubquery(db.Statement)
		} else {
			r.text(db.Statement.SQL.String())
		}
		r.values(db.Statement.Vars)
		return
	}
	ctx, _ := callersContext(db.Statement.Context)
	who, err := r.h.Rules.Identify(ctx)
	if err != nil {
		return // its own guard says so
	}
	switch {
	case who.Kind == Tenant && r.pass.Who.Kind == Tenant && who.ID != r.pass.Who.ID:
		r.reason, r.why = Mismatch, "a subquery in it runs for another tenant: build both from one context"
	case who.Kind == Everyone && r.pass.Who.Kind != Everyone && r.pass.confined:
		r.reason, r.why = Mismatch, "a subquery in it runs without a tenant: build both from one context"
	}
}

// wholeSubquery reads a subquery that was built from text, whose placeholders are the database's already.
func (r *reader) wholeSubquery(stmt *gorm.Statement) {
	if why := r.h.text.Whole(stmt.SQL.String()); why != "" && r.why == "" && r.matters(stmt.SQL.String()) {
		r.why, r.at = why, stmt.SQL.String()
	}
}

// written reads what an opaque expression has built.
func (r *reader) written(text string) {
	r.opaque = false
	why := r.h.fragment(text, r.place)
	if why == "" && r.hides(text) {
		why = "an argument is put inside quotes or a comment"
	}
	if why != "" && r.why == "" && r.matters(text) {
		r.why, r.at = why, text
	}
}
