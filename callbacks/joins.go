package callbacks

import (
	"regexp"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
	"gorm.io/gorm/utils"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// confineJoins confines the tables of Joins("Association"), for which GORM runs no callback: each level's ON gets the
// condition of its own table, so that a LEFT JOIN still keeps the row. Joins written as text are left to the proof, and
// refused without one.
func (h *Hooks) confineJoins(db *gorm.DB, pass *Pass) error {
	stmt := db.Statement
	if len(stmt.Joins) == 0 {
		return nil
	}
	joins := append(stmt.Joins[:0:0], stmt.Joins...) // shared with the chain that the statement was cloned from
	aliases := map[string]string{clause.CurrentTable: clause.CurrentTable}
	for i := range joins {
		j := &joins[i]
		path := relationPath(stmt.Schema, j.Name)
		if path == nil && h.proves() {
			if err := h.textJoin(pass, j.Name, j.Conds); err != nil {
				return err
			}
			continue
		}
		if path == nil {
			if pass.confined || !h.namesNoTenantTable(j.Name) {
				return h.refusal(pass, Unconfined, "Joins has "+quote(j.Name)+": a join written as text cannot be confined, use Joins with an association's name")
			}
			r := reader{h: h, pass: pass}
			if r.arguments(j.Name, j.Conds, true); r.opaque && r.why == "" {
				if err := h.readBuilt(db, pass, "Joins", clause.NamedExpr{SQL: j.Name, Vars: j.Conds}.Build); err != nil {
					return err
				}
			}
			if err := r.verdict("Joins"); err != nil {
				return err
			}
			continue
		}
		if j.Expression != nil {
			if err := h.readSubqueryJoin(pass, j.Expression); err != nil {
				return err
			}
		}
		on, err := h.joinCondition(pass, path, j.Alias, aliases)
		if err != nil {
			return err
		}
		if j.On != nil {
			on.user = *j.On
			if len(j.On.Exprs) == 1 {
				if again, ok := j.On.Exprs[0].(*joinOn); ok { // the statement runs a second time
					on.user = again.user
				}
			}
			r := reader{h: h, pass: pass, join: true}
			if r.expressions(on.user.Exprs); r.opaque && r.why == "" {
				r.why = "a condition of the join cannot be read: write it as text or with GORM's own expressions"
			}
			if err := r.verdict("Joins"); err != nil {
				return err
			}
		}
		if err := h.outerSide(pass, string(j.JoinType), len(joins), path, on); err != nil {
			return err
		}
		if len(on.tables) > 0 || on.main {
			j.On = &clause.Where{Exprs: []clause.Expression{on}}
			pass.confined = true
		}
	}
	stmt.Joins = joins
	return nil
}

var (
	// outerKinds are the joins that can leave out the main table's row: its condition then has no place in WHERE.
	outerKinds = regexp.MustCompile(`(?i)\b(?:right|full)\b`)
	// beginsJoin tells a join from what would be an alias of the main table.
	beginsJoin = regexp.MustCompile(`(?i)^\s*(?:,|(?:left|inner|cross|natural|outer|straight_join|join)\b)`)
)

// textJoin reads a join that was written as text, in a statement that is proven.
func (h *Hooks) textJoin(pass *Pass, text string, args []any) error {
	if outerKinds.MatchString(text) || !beginsJoin.MatchString(text) {
		pass.yields = true
	}
	r := reader{h: h, pass: pass}
	r.whole(text, len(args))
	r.arguments(text, args, true)
	return r.verdict("Joins")
}

// relationPath resolves "Manager.Company" as GORM does (gorm v1.31.2 callbacks/query.go BuildQuerySQL); nil means text.
func relationPath(s *schema.Schema, name string) []*schema.Relationship {
	if s == nil {
		return nil
	}
	if rel, ok := s.Relationships.Relations[name]; ok {
		return []*schema.Relationship{rel}
	}
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return nil
	}
	path := make([]*schema.Relationship, 0, len(parts))
	relations := s.Relationships.Relations
	for _, part := range parts {
		rel, ok := relations[part]
		if !ok {
			return nil
		}
		path = append(path, rel)
		relations = rel.FieldSchema.Relationships.Relations
	}
	return path
}

// joinOn is the ON of an association's join, at all levels of a nested one: GORM gives each level the same expression and
// a statement whose Table is the level's alias.
type joinOn struct {
	hooks  *Hooks
	pass   *Pass
	user   clause.Where
	tables map[string]*tables.Table // that need a condition, by alias
	last   string                   // the alias of the innermost level
	main   bool                     // confines the main table too: it is the outer side of a RIGHT JOIN
}

// Build implements [clause.Expression].
func (o *joinOn) Build(b clause.Builder) {
	stmt, ok := b.(*gorm.Statement)
	if !ok {
		_ = b.AddError(gorm.ErrInvalidData)
		return
	}
	written := false
	and := func() {
		if written {
			_, _ = b.WriteString(" AND ")
		}
		written = true
	}
	if t := o.tables[stmt.Table]; t != nil {
		and()
		o.hooks.predicate(o.pass, b, t, stmt.Table)
	}
	if o.main {
		and()
		o.hooks.predicate(o.pass, b, o.pass.Table, o.pass.stmt.Table)
	}
	if len(o.user.Exprs) > 0 {
		and()
		_ = b.WriteByte('(')
		o.user.Build(b)
		_ = b.WriteByte(')')
	}
	if !written {
		_, _ = b.WriteString("1 = 1")
	}
}

// joinCondition finds out which levels of a join need a condition, by the aliases that GORM will give them.
func (h *Hooks) joinCondition(pass *Pass, path []*schema.Relationship, alias string, aliases map[string]string) (*joinOn, error) {
	on := &joinOn{hooks: h, pass: pass, tables: map[string]*tables.Table{}}
	parent := clause.CurrentTable
	for i, rel := range path {
		name := rel.Name
		if parent != clause.CurrentTable {
			name = utils.NestedRelationName(parent, name)
		}
		if _, known := aliases[name]; !known {
			aliases[name] = name
			if i == len(path)-1 && alias != "" {
				aliases[name] = alias
			}
		}
		t, err := h.joined(pass, rel)
		if err != nil {
			return nil, err
		}
		on.last = aliases[name]
		if t.Class == tables.Owned || t.Class == tables.Link {
			on.tables[on.last] = t
		}
		parent = name
	}
	return on, nil
}

// joined returns the table of a joined association.
func (h *Hooks) joined(pass *Pass, rel *schema.Relationship) (*tables.Table, error) {
	t, err := h.Tables.Find(rel.FieldSchema, rel.FieldSchema.Table)
	if err != nil {
		return nil, h.refusal(pass, InvalidConfig, err.Error())
	}
	return t, h.admitJoined(pass, t)
}

// admitJoined refuses joined tables that the statement may not touch.
func (h *Hooks) admitJoined(pass *Pass, t *tables.Table) error {
	outer := pass.Table
	defer func() { pass.Table = outer }()
	pass.Table = t // the refusal names the joined table
	switch {
	case t.Class == tables.Unlisted && !h.Rules.UnlistedAreGlobal():
		return h.refusal(pass, UnknownTable, "it is joined, and is in none of Config.Models, Global and Reference, nor has its model a tenancy tag: list it")
	case t.Class.Confined() && pass.Who.Kind == Nobody && !pass.sub:
		return h.refusal(pass, NoTenant, "a tenant's table is joined: use db.WithContext(tenancy.WithTenant(ctx, id))")
	case t.Class == tables.Placed:
		if err := h.place(pass); err != nil {
			return err
		}
		if !pass.at.Exclusive {
			return h.refusal(pass, Unconfined, "it is joined, its model has no tenant column, and the tenant's placement holds other tenants too")
		}
	case t.Class == tables.Owned && pass.Who.Kind == Tenant:
		if err := h.place(pass); err != nil {
			return err
		}
		_, err := h.tenantValue(pass, t.Tenant)
		return err
	case t.Class == tables.Global, t.Class == tables.Unlisted:
		pass.home = t.Name
	}
	return nil
}

// joinKind returns the plain name of a join's type, as GORM writes it before JOIN; "" if there is no such type.
func joinKind(joinType string) string {
	switch strings.ToUpper(strings.TrimSpace(joinType)) {
	case "", "INNER":
		return "INNER"
	case "LEFT", "LEFT OUTER":
		return "LEFT"
	case "RIGHT", "RIGHT OUTER":
		return "RIGHT"
	case "CROSS":
		return "CROSS"
	default:
		return ""
	}
}

// outerSide deals with RIGHT JOIN, where the main table is the side whose rows may be missing: it is confined in the ON,
// and the joined table in WHERE.
func (h *Hooks) outerSide(pass *Pass, joinType string, joins int, path []*schema.Relationship, on *joinOn) error {
	switch joinKind(joinType) {
	case "LEFT", "INNER", "CROSS":
		return nil
	case "RIGHT":
		if !pass.confined && len(on.tables) == 0 {
			return nil
		}
		if joins != 1 || len(path) != 1 || pass.Table == nil {
			return h.refusal(pass, Unconfined, "a RIGHT JOIN is possible with one association alone")
		}
		pass.right = &rightJoin{table: on.tables[on.last], alias: on.last}
		on.tables, on.main = nil, pass.confined
		pass.confined = true
		return nil
	default:
		return h.refusal(pass, Unconfined, "join type "+quote(joinType)+" is not known")
	}
}

// readSubqueryJoin reads the join that gorm.G writes for AssociationFrom: "LEFT JOIN (?) AS ? ON ?", whose subquery has a
// pass of its own (gorm v1.31.2 generics.go Joins).
func (h *Hooks) readSubqueryJoin(pass *Pass, e clause.Expression) error {
	named, ok := e.(clause.NamedExpr)
	r := reader{h: h, pass: pass}
	if ok && len(named.Vars) >= 2 && isSubquery(named.Vars[0]) {
		head, tail, found := strings.Cut(named.SQL, " JOIN (?) AS ?")
		alias, isTable := named.Vars[1].(clause.Table)
		if found && joinKind(head) != "" && (tail == "" || tail == " ON ?") && isTable && !alias.Raw && plain(alias.Name) {
			r.value(named.Vars[0])
			r.values(named.Vars[2:])
			if !r.opaque {
				return r.verdict("Joins")
			}
		}
	}
	if r.why == "" {
		r.why = "the subquery of a join must be built with GORM"
	}
	return r.verdict("Joins")
}

// readFrom reads a FROM clause: the joins that GORM's association mode puts there are confined, other tables are refused.
func (h *Hooks) readFrom(pass *Pass, from clause.From) error {
	for _, t := range from.Tables {
		if h.proves() && !t.Raw {
			r := reader{h: h, pass: pass}
			r.name(t.Name)
			r.name(t.Alias)
			if pass.yields = true; !r.opaque {
				continue
			}
		}
		if err := h.otherTables(pass, "FROM", t); err != nil {
			return err
		}
	}
	if len(from.Joins) == 0 {
		return nil
	}
	joins := append([]clause.Join(nil), from.Joins...)
	for i := range joins {
		if err := h.fromJoin(pass, &joins[i]); err != nil {
			return err
		}
	}
	c := pass.stmt.Clauses["FROM"]
	from.Joins = joins
	c.Expression = from
	pass.stmt.Clauses["FROM"] = c
	return nil
}

func (h *Hooks) fromJoin(pass *Pass, j *clause.Join) error {
	r := reader{h: h, pass: pass}
	if j.Expression != nil {
		text, ok := j.Expression.(clause.Expr)
		if ok && h.proves() {
			return h.textJoin(pass, text.SQL, text.Vars)
		}
		if ok && !pass.confined && h.namesNoTenantTable(text.SQL) {
			r.values(text.Vars)
			return r.verdict("FROM")
		}
		return h.refusal(pass, Unconfined, "a join in clause.From that is written as text cannot be confined")
	}
	if len(j.ON.Exprs) == 1 {
		if again, ok := j.ON.Exprs[0].(*fromOn); ok { // the statement runs a second time
			j.ON = again.user
		}
	}
	t, err := h.Tables.Find(nil, j.Table.Name)
	if err != nil {
		return h.refusal(pass, InvalidConfig, err.Error())
	}
	if err := h.admitJoined(pass, t); err != nil {
		return err
	}
	if joinKind(string(j.Type)) == "" {
		return h.refusal(pass, Unconfined, "join type "+quote(string(j.Type))+" is not known")
	}
	r.expressions(j.ON.Exprs)
	if r.why == "" && (r.opaque || j.Table.Raw || !plain(j.Table.Alias) && j.Table.Alias != "") {
		r.why = "a join that GORM did not write cannot be read"
	}
	if r.why != "" {
		return r.verdict("FROM")
	}
	if t.Class != tables.Owned && t.Class != tables.Link {
		return nil
	}
	if kind := joinKind(string(j.Type)); kind == "RIGHT" || kind == "CROSS" || len(j.Using) > 0 {
		if pass.yields = h.proves(); pass.yields {
			return nil
		}
		return h.refusal(pass, Unconfined, "only inner and left joins with ON are possible in clause.From")
	}
	alias := j.Table.Alias
	if alias == "" {
		alias = j.Table.Name
	}
	j.ON = clause.Where{Exprs: []clause.Expression{&fromOn{joinOn{hooks: h, pass: pass, user: j.ON}, t, alias}}}
	pass.confined = true
	return nil
}

// fromOn is a joinOn for a join in a FROM clause, which is built on the statement itself.
type fromOn struct {
	joinOn
	table *tables.Table
	alias string
}

// Build implements [clause.Expression].
func (o *fromOn) Build(b clause.Builder) {
	o.hooks.predicate(o.pass, b, o.table, o.alias)
	if len(o.user.Exprs) > 0 {
		_, _ = b.WriteString(" AND (")
		o.user.Build(b)
		_ = b.WriteByte(')')
	}
}
