package callbacks

import (
	"reflect"
	"regexp"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// mainTable finds the table that the statement names. It is nil for a derived table, whose rows come from a subquery that
// has a pass of its own.
func (h *Hooks) mainTable(pass *Pass) (*tables.Table, error) {
	stmt := pass.stmt
	name := stmt.Table
	if stmt.TableExpr != nil {
		expr, ok := h.text.ParseTable(stmt.TableExpr.SQL)
		switch {
		case ok && expr.Derived:
			return nil, h.derivedTable(pass)
		case ok && len(stmt.TableExpr.Vars) == 0:
			name = expr.Name
			switch { // GORM does not read all quoted names, and would write conditions on another name
			case expr.Alias != "":
				stmt.Table = expr.Alias
			case stmt.Table == "":
				stmt.Table = expr.Name
			}
		case pass.free || h.namesNoTenantTable(stmt.TableExpr.SQL):
			return nil, nil
		case h.proves() && pass.Op != OpCreate:
			return nil, h.textTable(pass)
		default:
			return nil, h.refusal(pass, Unconfined, "Table("+quote(stmt.TableExpr.SQL)+") is more than one table and alias: use a model and its associations")
		}
	}
	t, err := h.Tables.Find(stmt.Schema, name)
	if err != nil {
		return nil, h.refusal(pass, InvalidConfig, err.Error())
	}
	if (t.Shard != nil || h.Rules.Resolves() && t.Class.Confined()) && !h.ownSchema(t, name) {
		return nil, h.refusal(pass, Unconfined, "Table("+quote(name)+") names a schema, and the tenant's placement says where the table is: leave it out")
	}
	if under := t.Under(name); under != t {
		if t = under; h.proves() && !h.Rules.UnlistedAreGlobal() {
			h.Tables.Learn(t)
		}
	}
	return t, nil
}

// ownSchema tells whether a name has no schema, or that of the table's model.
func (h *Hooks) ownSchema(t *tables.Table, name string) bool {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return true
	}
	schema := strings.Trim(name[:i], "`\"[]")
	return strings.EqualFold(schema, t.Schema()) || t.Schema() == "" && h.engine.DefaultSchema(schema)
}

// textTable reads Table("a, b"), in a statement that is proven: its tables are found there.
func (h *Hooks) textTable(pass *Pass) error {
	expr := pass.stmt.TableExpr
	r := reader{h: h, pass: pass}
	r.whole(expr.SQL, len(expr.Vars))
	r.arguments(expr.SQL, expr.Vars, false)
	return r.verdict("Table")
}

// derivedTable admits Table("(?) AS x", subquery).
func (h *Hooks) derivedTable(pass *Pass) error {
	vars := pass.stmt.TableExpr.Vars
	if h.proves() {
		return h.textTable(pass)
	}
	if len(vars) != 1 {
		return h.refusal(pass, Unconfined, "a derived table takes one subquery")
	}
	r := reader{h: h, pass: pass}
	r.value(vars[0])
	if r.why == "" && (r.opaque || !isSubquery(vars[0])) {
		r.why = "a derived table takes a subquery built with GORM"
	}
	return r.verdict("Table")
}

// isSubquery recognises what GORM builds through its query chain when it stands among arguments: a *gorm.DB, or a chain of
// gorm.G, whose type is not exported (gorm v1.31.2 generics.go chainG.Build).
func isSubquery(v any) bool {
	if _, ok := v.(*gorm.DB); ok {
		return true
	}
	t := reflect.TypeOf(v)
	if t == nil {
		return false
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, _, generic := strings.Cut(t.Name(), "[")
	return generic && t.PkgPath() == "gorm.io/gorm" && (name == "g" || name == "chainG" || name == "createG")
}

// namesNoTenantTable tells whether text may stand in a statement of an application that has other tables than those listed,
// because it spells none that belongs to tenants.
func (h *Hooks) namesNoTenantTable(text string) bool {
	if !h.Rules.UnlistedAreGlobal() {
		return false
	}
	_, found := mentions(text, h.Tables)
	return !found
}

// otherTables refuses clauses that redirect the statement to another table than the one it was admitted for.
func (h *Hooks) otherTables(pass *Pass, name string, t clause.Table) error {
	if (t.Name == "" || t.Name == clause.CurrentTable) && !t.Raw && t.Alias == "" {
		return nil
	}
	known, err := h.Tables.Find(nil, t.Name)
	if err != nil {
		return h.refusal(pass, InvalidConfig, err.Error())
	}
	switch {
	case t.Raw || t.Alias != "" && !plain(t.Alias) || t.Name == "" || t.Name == clause.CurrentTable:
	case known.Class == tables.Global, known.Class == tables.Reference:
		return nil
	case known.Class == tables.Unlisted && h.Rules.UnlistedAreGlobal():
		return nil
	}
	return h.refusal(pass, Unconfined, "clause "+name+" names table "+quote(t.Name)+" of its own: use Table or a model")
}

var literals = regexp.MustCompile(`'(?:[^']|'')*'?`)

// quote shows text of the caller's in a message: shortened, and without what it has in quotes, which can be data.
func quote(text string) string {
	const most = 60
	text = literals.ReplaceAllString(text, "'…'")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return "\"" + text + "\""
}
