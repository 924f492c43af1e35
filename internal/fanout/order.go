package fanout

import (
	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// sortKey is one of what ORDER BY sorts by.
type sortKey struct {
	expr    span // without its direction
	node    *sqlproof.Expr
	compare comparing
	collate bool // it has COLLATE
	merge.Sort
}

// sortKeyOf reads one key.
func (b *builder) sortKeyOf(s span, o sqlproof.Order) (k sortKey, _ *Unmergeable) {
	t := b.text
	k = sortKey{expr: s, node: o.Expr}
	k.Descending = o.Descending
	switch {
	case o.NullsFirst:
		k.Nulls = merge.NullsFirst
	case o.NullsLast:
		k.Nulls = merge.NullsLast
	}
	if o.NullsFirst || o.NullsLast {
		if k.expr.to-k.expr.from < 3 || !t.is(k.expr.to-2, "nulls") {
			return k, t.refuse(s.from, "an order that is not understood", "write it in another way")
		}
		k.expr.to -= 2
	}
	if t.is(k.expr.to-1, "asc", "desc") && k.expr.to-k.expr.from > 1 {
		if t.is(k.expr.to-1, "desc") != o.Descending {
			return k, t.refuse(s.from, "an order that is not understood", "write it in another way")
		}
		k.expr.to--
	} else if o.Descending {
		return k, t.refuse(s.from, "an order that is not understood", "write it in another way")
	}
	for i := k.expr.from; i < k.expr.to; i++ {
		if t.top(i) && t.is(i, "using") {
			return k, t.refuse(i, "ORDER BY … USING an operator", "use ASC or DESC")
		}
	}
	var u *Unmergeable
	if k.compare, u = b.comparingOf(k.expr, k.node); u != nil {
		return k, u
	}
	k.collate = t.is(k.expr.to-2, "collate")
	return k, nil
}

// ordinal returns the item that a bare number stands for; -1 if it is none.
func (b *builder) ordinal(s span) (item int, is bool, _ *Unmergeable) {
	if s = b.text.bare(s); s.to-s.from != 1 || !b.text.has(s.from, sqltext.Number) {
		return -1, false, nil
	}
	n := 0
	for _, c := range b.text.at(s.from) {
		if c < '0' || c > '9' || n > len(b.items) {
			n = 0
			break
		}
		n = n*10 + int(c-'0')
	}
	if n == 0 || n > len(b.items) {
		return -1, true, b.text.refuse(s.from, "a number that counts no column of the SELECT list", "name the column")
	}
	for i := range b.items[:n] {
		if b.items[i].star {
			return -1, true, b.text.refuse(s.from, "a number that counts the columns of *", "name the column")
		}
	}
	return n - 1, true, nil
}

// selected returns the item that a key of ORDER BY is; -1 if it is none. A bare name is first that of an item.
func (b *builder) selected(k *sortKey) (int, *Unmergeable) {
	t := b.text
	if i, is, u := b.ordinal(k.expr); is {
		return i, u
	}
	form := t.form(k.expr)
	if name, ok := t.name(t.bare(k.expr)); ok {
		found := -1
		for i := range b.items {
			it := &b.items[i]
			if it.output == "" || !t.same(it.output, name) {
				continue
			}
			if found >= 0 && b.items[found].form != it.form {
				return -1, t.refuse(k.expr.from, "ORDER BY a name that two columns have", "give them different names")
			}
			if it.alias != "" && it.form != form {
				if b.stars {
					if u := b.isNoColumn(name, k.expr.from); u != nil {
						return -1, u
					}
				}
				if k.expr.to-k.expr.from > 1 { // in parentheses it is an expression for some databases
					if u := b.isNoColumn(name, k.expr.from); u != nil {
						return -1, u
					}
				}
			}
			found = i
		}
		if found >= 0 {
			return found, nil
		}
	}
	if form != "" {
		for i := range b.items {
			if b.items[i].form == form {
				return i, nil
			}
		}
	}
	return -1, b.usesAlias(k.expr, k.node)
}

// usesAlias refuses an expression with a name that is an alias: it may mean a column, and not so in the SELECT list.
func (b *builder) usesAlias(s span, e *sqlproof.Expr) *Unmergeable {
	if b.text.dialect == sqltext.Postgres {
		return nil // there only a bare name can be an alias
	}
	for name := range fieldsOf(e) {
		if name.qualifier != "" {
			continue
		}
		for i := range b.items {
			if it := &b.items[i]; it.alias != "" && b.text.same(it.alias, name.name) && (it.node == nil || it.node.Op != sqlproof.Field || !b.text.same(it.node.Name, name.name)) {
				return b.text.refuse(s.from, "an expression with the alias of a column", "write the column's expression instead, or sort by the alias alone")
			}
		}
	}
	return nil
}

// isNoColumn has the databases asked whether a name is that of a column: it must be that of an alias alone.
func (b *builder) isNoColumn(name string, token int) *Unmergeable {
	for _, s := range b.main.Sources {
		if s.Kind != sqlproof.TableSource {
			return b.text.refuse(token, "a name that is that of an alias, or of a column of a subquery", "qualify the column, or give the alias another name")
		}
	}
	b.plan.aliases = append(b.plan.aliases, aliasName{name: name, token: token})
	return nil
}
