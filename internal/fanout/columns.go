package fanout

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// tableAt is a table of a statement at a place.
type tableAt struct{ database, placeSchema, suffix, schema, name string }

// columns is how the columns of a table compare. Names are in lower case but for PostgreSQL's.
type columns struct {
	known      map[string]merge.Collation
	folded     map[string]string // the collations of MySQL's text by their names; not those of ENUM and SET
	expression merge.Collation   // of what is computed of columns that all have it; PostgreSQL's alone
	utf8       bool
	asked      time.Time
}

// columnsLast is how long it is taken for granted that the columns of a table are as they were.
const columnsLast = time.Minute

// columnsOf asks a database for the columns of a table, by the name that it has there. There are none of a table that it does
// not have.
func columnsOf(ctx context.Context, d sqltext.Dialect, schema, name string, ask func(ctx context.Context, query string, args []any) (*sql.Rows, error)) (*columns, error) {
	query, args := columnsQuery(d, schema, name)
	rows, err := ask(ctx, query, args)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	c := &columns{known: map[string]merge.Collation{}, folded: map[string]string{}, asked: time.Now()}
	for rows.Next() {
		var column, collation, about string
		if err := rows.Scan(&column, &collation, &about); err != nil {
			return nil, err
		}
		switch d {
		case sqltext.Postgres:
			c.known[column] = postgresClass(collation)
			var whole merge.Collation
			if whole, c.utf8 = postgresClass(about), !strings.HasSuffix(about, " other"); whole != merge.CollationUnknown {
				c.expression = whole
			}
		case sqltext.MySQL:
			charset, listed := strings.CutSuffix(about, " listed")
			c.known[strings.ToLower(column)] = mysqlCollation(collation, charset)
			if !listed {
				c.folded[strings.ToLower(column)] = collation
			}
		default:
			c.known[strings.ToLower(column)] = sqliteColumn(about, column, collation == "table")
		}
	}
	return c, rows.Err()
}

func columnsQuery(d sqltext.Dialect, schema, name string) (string, []any) {
	switch d {
	case sqltext.Postgres:
		quoted := d.Quote(name)
		if schema != "" {
			quoted = d.Quote(schema) + "." + quoted
		}
		// The provider of the database's own collation has a column since PostgreSQL 15; 6 is UTF8.
		return `SELECT a.attname::text,
 CASE WHEN c.oid IS NULL THEN 'binary' WHEN NOT c.collisdeterministic THEN 'unknown'
  WHEN c.collprovider = 'd' THEN whole.class
  WHEN d.encoding = 6 AND (c.collprovider = 'b' OR c.collprovider = 'c' AND c.collcollate IN ('C', 'POSIX')) THEN 'binary'
  ELSE 'deterministic' END,
 whole.class || CASE WHEN d.encoding = 6 THEN '' ELSE ' other' END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
CROSS JOIN LATERAL (SELECT CASE WHEN d.encoding = 6 AND (to_jsonb(d)->>'datlocprovider' = 'b'
 OR COALESCE(to_jsonb(d)->>'datlocprovider', 'c') = 'c' AND d.datcollate IN ('C', 'POSIX')) THEN 'binary' ELSE 'deterministic' END AS class) whole
LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`, []any{quoted}
	case sqltext.MySQL:
		return `SELECT column_name, COALESCE(collation_name, ''), 
 CONCAT(COALESCE(character_set_name, ''), IF(data_type IN ('enum', 'set'), ' listed', '')) FROM information_schema.columns
WHERE table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ?`, []any{schema, name}
	default:
		return `SELECT p.name, m.type, COALESCE(m.sql, '') FROM sqlite_master m JOIN pragma_table_info(m.name) p
WHERE m.type IN ('table', 'view') AND m.name = ? COLLATE NOCASE`, []any{name}
	}
}

func postgresClass(s string) merge.Collation {
	switch strings.TrimSuffix(s, " other") {
	case "binary":
		return merge.CollationBinary
	case "deterministic":
		return merge.CollationDeterministic
	default:
		return merge.CollationUnknown
	}
}

// sqliteColumn reads the collation of a column in the text of its table, where alone it is.
func sqliteColumn(create, column string, table bool) merge.Collation {
	d := sqltext.SQLite
	tokens, why := d.Tokens(create, nil)
	if why != "" || !table {
		return merge.CollationUnknown
	}
	t := &text{sql: create, dialect: d, tokens: tokens, brackets: make([]bool, len(tokens))}
	open := 0
	for open < len(tokens) && tokens[open].Kind != sqltext.Open {
		open++
	}
	if closing := t.closing(open, span{0, len(tokens)}); t.is(0, "create") && t.is(1, "table") && closing > 0 {
		for _, s := range t.split(span{open + 1, closing}) {
			if s.empty() || !strings.EqualFold(d.Unquote(t.at(s.from)), column) {
				continue
			}
			for i := s.from + 1; i < s.to; i++ {
				if t.is(i, "collate") && tokens[i].Depth == tokens[s.from].Depth {
					c, _ := sqliteCollation(d.Unquote(t.at(i + 1)))
					return c
				}
			}
			return merge.CollationBinary
		}
	}
	return merge.CollationUnknown
}

// known are the columns of the sources of a plan, at all places: for each place, of each source; nil for one that is no table.
type known struct {
	plan   *Plan
	places [][]*columns
}

// needed tells whether something has to be known of columns.
func (p *Plan) needed() bool {
	if p.named || len(p.aliases) > 0 {
		return true
	}
	for _, all := range [][]comparing{p.compares, p.hidden} {
		for i := range all {
			if len(all[i].fields) > 0 || all[i].expression || all[i].utf8 {
				return true
			}
		}
	}
	return false
}

// collation returns what is known of a column at all places.
func (k *known) collation(c *comparing) merge.Collation {
	if len(c.fields) == 0 && !c.expression && !c.utf8 {
		return c.known
	}
	var all merge.Collation
	for i, place := range k.places {
		at := k.at(c, place)
		if i == 0 {
			all = at
		}
		all = weaker(all, at)
	}
	return all
}

func (k *known) at(c *comparing, place []*columns) merge.Collation {
	switch {
	case c.utf8:
		for _, t := range place {
			if t != nil && t.utf8 {
				return c.known
			}
		}
		return merge.CollationUnknown
	case !c.expression:
		return k.field(c.fields[0], place)
	}
	all := merge.CollationUnknown
	for _, t := range place {
		if t != nil {
			all = t.expression
			break
		}
	}
	for _, f := range c.fields {
		all = weaker(all, k.field(f, place))
	}
	return all
}

// field returns the collation of a column at one place. One that is not found, or in several tables, is not known.
func (k *known) field(f field, place []*columns) merge.Collation {
	if t := k.tableOf(f, place); t != nil {
		return t.known[k.plan.text.key(f.name)]
	}
	return merge.CollationUnknown
}

// named returns the collations of all columns by their names.
func (k *known) named() map[string]merge.Collation {
	all := map[string]merge.Collation{}
	for _, place := range k.places {
		for _, t := range place {
			if t == nil {
				continue
			}
			for name, c := range t.known {
				if was, ok := all[name]; ok {
					c = weaker(was, c)
				}
				all[name] = c
			}
		}
	}
	return all
}

// has tells whether a table has a column of a name.
func (k *known) has(name string) bool {
	for _, place := range k.places {
		for _, t := range place {
			if t == nil {
				return true
			}
			if _, ok := t.known[k.plan.text.key(name)]; ok {
				return true
			}
		}
	}
	return false
}

// key is the form of a column's name.
func (t *text) key(name string) string {
	if t.dialect == sqltext.Postgres {
		return name
	}
	return strings.ToLower(name)
}

func (t *text) calledSo(s *sqlproof.Source, name string) bool {
	if t.dialect == sqltext.SQLite {
		return strings.EqualFold(s.Called(), name)
	}
	return s.Called() == name
}
