package fanout

import (
	"iter"
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// field is a column of a source.
type field struct{ qualifier, name string }

// comparing is how the text in a column of the answer compares, as far as that is known without the databases.
type comparing struct {
	known      merge.Collation
	fields     []field // whose collations count; then known does not
	expression bool    // it is made of the fields, and so only their being deterministic counts
	utf8       bool    // known, if the database's encoding is UTF-8
}

// comparingOf tells how the values of an expression compare.
func (b *builder) comparingOf(s span, e *sqlproof.Expr) (c comparing, _ *Unmergeable) {
	t := b.text
	if collate := collates(t, s); collate >= 0 {
		if collate != s.to-2 {
			return c, nil // somewhere within
		}
		return b.named(collate)
	}
	if e == nil {
		return c, nil
	}
	if e.Op == sqlproof.Field {
		return comparing{fields: []field{{e.Qualifier, e.Name}}}, nil
	}
	switch t.dialect {
	case sqltext.Postgres:
		if t.contains(s, "select") {
			return c, nil
		}
		c.expression = true
		for f := range fieldsOf(e) {
			c.fields = append(c.fields, f)
		}
	case sqltext.SQLite:
		// What is computed compares as BINARY does, but for a cast, which is as its operand. (SQLite, expr.c,
		// sqlite3ExprCollSeq.)
		if plain := t.bare(s); e.Query == nil && !t.is(plain.from, "cast") && t.at(plain.from) != "+" {
			c.known = merge.CollationBinary
		}
	}
	return c, nil
}

// collates returns the first COLLATE in a span; -1 without.
func collates(t *text, s span) int {
	for i := s.from; i < s.to; i++ {
		if t.is(i, "collate") && !t.has(i-1, sqltext.Dot) {
			return i
		}
	}
	return -1
}

// named reads the collation behind COLLATE.
func (b *builder) named(collate int) (comparing, *Unmergeable) {
	t := b.text
	name := t.dialect.Unquote(t.at(collate + 1))
	switch t.dialect {
	case sqltext.Postgres:
		switch name {
		case "C", "POSIX", "ucs_basic":
			if len(b.main.Sources) > 0 && b.main.Sources[0].Kind == sqlproof.TableSource {
				return comparing{known: merge.CollationBinary, utf8: true}, nil
			}
		}
	case sqltext.MySQL:
		if c := mysqlCollation(name, strings.SplitN(strings.ToLower(name), "_", 2)[0]); c != merge.CollationUnknown {
			return comparing{known: c}, nil
		}
	case sqltext.SQLite:
		if c, ok := sqliteCollation(name); ok {
			return comparing{known: c}, nil
		}
	}
	return comparing{}, t.refuse(collate, "a collation of which the order is not known", advice(t.dialect))
}

// mysqlCollation returns what is known of a collation of MySQL's or MariaDB's.
func mysqlCollation(name, charset string) merge.Collation {
	name = strings.ToLower(name)
	switch charset {
	case "utf8", "utf8mb3", "utf8mb4", "ascii":
	default: // the order of their bytes is not that of UTF-8
		return merge.CollationUnknown
	}
	switch {
	case strings.HasSuffix(name, "_nopad_bin"), name == "utf8mb4_0900_bin":
		return merge.CollationBinary
	case strings.HasSuffix(name, "_bin") && !strings.Contains(name, "0900"):
		return merge.CollationPadded
	default:
		return merge.CollationUnknown
	}
}

// sqliteCollation returns one of SQLite's own collations.
func sqliteCollation(name string) (merge.Collation, bool) {
	switch strings.ToLower(name) {
	case "binary":
		return merge.CollationBinary, true
	case "nocase":
		return merge.CollationNoCase, true
	case "rtrim":
		return merge.CollationTrimmed, true
	}
	return merge.CollationUnknown, false
}

// fieldsOf gives the columns in an expression, those of its subqueries left out.
func fieldsOf(e *sqlproof.Expr) iter.Seq[field] {
	return func(yield func(field) bool) {
		var walk func(*sqlproof.Expr) bool
		walk = func(e *sqlproof.Expr) bool {
			switch {
			case e == nil:
				return true
			case e.Op == sqlproof.Field:
				return yield(field{e.Qualifier, e.Name})
			}
			return !slices.ContainsFunc(e.Args, func(a *sqlproof.Expr) bool { return !walk(a) })
		}
		walk(e)
	}
}

// hasField tells whether a column is in an expression.
func hasField(e *sqlproof.Expr) bool {
	for range fieldsOf(e) {
		return true
	}
	return false
}

// weaker is what is known of text of which one part has the one collation and another the other.
func weaker(a, b merge.Collation) merge.Collation {
	exact := func(c merge.Collation) bool { return c == merge.CollationBinary || c == merge.CollationDeterministic }
	switch {
	case a == b:
		return a
	case exact(a) && exact(b):
		return merge.CollationDeterministic
	default:
		return merge.CollationUnknown
	}
}
