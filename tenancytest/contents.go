package tenancytest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy"
)

// table is how to tell whose a table's rows are.
type table struct {
	name    string
	tenants []string // columns that hold a tenant; a row is A's if all of them hold A
	keys    []string // columns of a join table without tenant that point at rows of tenants
	primary []string
	global  bool
}

// contents are all rows: A's and those of no tenant that A's statements find, and everybody else's, by table.
type contents struct {
	own, others map[string][]string
}

func noContents() contents {
	return contents{own: map[string][]string{}, others: map[string][]string{}}
}

// tablesOf finds the tables of models, and their generated join tables.
func tablesOf(t testing.TB, db *gorm.DB, models []any) []*table {
	t.Helper()
	var found []*table
	add := func(more *table) {
		for _, known := range found {
			if known.name != more.name {
				continue
			}
			if known.global { // a join model without a tenant
				known.keys, known.tenants, known.global = more.keys, more.tenants, len(more.keys)+len(more.tenants) == 0
			}
			return
		}
		found = append(found, more)
	}
	var links []*schema.Relationship
	for _, model := range models {
		s := parse(t, db, model)
		tab := &table{name: s.Table, primary: s.PrimaryFieldDBNames, global: true}
		if f := tenantField(s); f != nil {
			tab.tenants, tab.global = []string{f.DBName}, false
		}
		add(tab)
		links = append(links, s.Relationships.Many2Many...)
	}
	for _, rel := range links {
		tab := &table{name: rel.JoinTable.Table}
		for _, ref := range rel.References {
			if f := tenantField(ref.PrimaryKey.Schema); f != nil && f.DBName == ref.PrimaryKey.DBName {
				tab.tenants = append(tab.tenants, ref.ForeignKey.DBName)
			} else if f != nil {
				tab.keys = append(tab.keys, ref.ForeignKey.DBName)
			}
		}
		add(tab)
	}
	return found
}

func parse(t testing.TB, db *gorm.DB, model any) *schema.Schema {
	t.Helper()
	stmt := &gorm.Statement{DB: db}
	require.NoError(t, stmt.Parse(model))
	return stmt.Schema
}

func tenantField(s *schema.Schema) *schema.Field {
	for _, f := range s.Fields {
		if f.Tag.Get("tenancy") == "tenant" {
			return f
		}
	}
	return nil
}

// rows reads all rows of all places without the plugin.
func (s *stage) rows(t testing.TB) contents {
	t.Helper()
	return s.rowsWhere(t, func(*site) bool { return true })
}

// ownRows reads A's rows without the plugin.
func (s *stage) ownRows(t testing.TB) map[string][]string {
	t.Helper()
	return s.rowsWhere(t, func(here *site) bool { return here.holds(s.world.a) || s.readsGlobal(here) }).own
}

func (s *stage) rowsWhere(t testing.TB, wanted func(*site) bool) contents {
	t.Helper()
	all := noContents()
	for _, here := range s.all {
		if !wanted(here) {
			continue
		}
		part := here.snapshot.read(t)
		maps.Copy(all.own, part.own) // no table of A's is in two places
		maps.Copy(all.others, part.others)
	}
	return all
}

// readsGlobal tells whether A's statements find the tables of no tenant in a place.
func (s *stage) readsGlobal(here *site) bool {
	if s.copied {
		return here.at == tenancy.Placement{Shard: s.where[s.world.a].Shard}
	}
	return here == s.home()
}

// takeSnapshots makes the places what cases find.
func (s *stage) takeSnapshots(t testing.TB) {
	t.Helper()
	for _, here := range s.all {
		here.snapshot = takeSnapshot(t, here.db, here.tables, func(t testing.TB) contents {
			t.Helper()
			return s.read(t, here.db, here.tables, here.label, func(table *table, row map[string]any) bool {
				if table.global {
					return s.readsGlobal(here)
				}
				return here.holds(s.world.a) && s.isOwn(table, row)
			})
		})
	}
	s.snapshot = takeSnapshot(t, s.alone, s.tables, func(t testing.TB) contents {
		t.Helper()
		return s.read(t, s.alone, s.tables, strings.Clone, func(table *table, row map[string]any) bool {
			return table.global || s.isOwn(table, row)
		})
	})
}

func (s *stage) read(t testing.TB, db *gorm.DB, tables []*table, label func(string) string, own func(*table, map[string]any) bool) contents {
	t.Helper()
	c := noContents()
	for _, table := range tables {
		var rows []map[string]any
		require.NoError(t, db.Table(table.name).Find(&rows).Error)
		for _, row := range rows {
			if own(table, row) {
				c.own[table.name] = append(c.own[table.name], s.line(row, true))
			} else {
				c.others[label(table.name)] = append(c.others[label(table.name)], s.line(row, false))
			}
		}
		slices.Sort(c.own[table.name])
		slices.Sort(c.others[label(table.name)])
	}
	return c
}

// isOwn tells whether a row in a table of A's is A's.
func (s *stage) isOwn(table *table, row map[string]any) bool {
	for _, column := range table.tenants {
		if cell(unwrap(row[column])) != string(s.world.a) {
			return false
		}
	}
	if len(table.tenants) > 0 || s.apart() {
		return true
	}
	for _, key := range table.keys {
		if n, _ := strconv.Atoi(cell(unwrap(row[key]))); n > fromB && n < newKeys {
			return false
		}
	}
	return true
}

// line prints a row. In A's rows, what differs from one run to another is left out: new keys and times.
func (s *stage) line(row map[string]any, own bool) string {
	cells := make([]string, 0, len(row))
	for column, v := range row {
		v = unwrap(v)
		text := cell(v)
		if _, err := time.Parse(time.RFC3339Nano, text); own && err == nil {
			text = "time"
		} else if own {
			text = known(v, text)
		}
		cells = append(cells, column+"="+text)
	}
	slices.Sort(cells)
	return strings.Join(cells, " ")
}

// known replaces keys that are not of the fixture.
func known(v any, text string) string {
	if rv := reflect.ValueOf(v); rv.IsValid() && (rv.CanInt() && rv.Int() >= newKeys || rv.CanUint() && rv.Uint() >= newKeys) {
		return "new"
	}
	return text
}

// cell prints a value as the database driver gave it.
func cell(v any) string {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

// unwrap follows the pointers that some drivers give.
func unwrap(v any) any {
	rv := reflect.ValueOf(v)
	for (rv.Kind() == reflect.Pointer || rv.Kind() == reflect.Interface) && !rv.IsNil() {
		rv = rv.Elem()
	}
	if !rv.IsValid() {
		return nil
	}
	return rv.Interface()
}

// differ lists the rows that only one side has.
func differ(before, after map[string][]string) string {
	var b strings.Builder
	for name := range maps.Keys(merged(before, after)) {
		for _, line := range before[name] {
			if !slices.Contains(after[name], line) {
				fmt.Fprintf(&b, "  - %s: %s\n", name, line)
			}
		}
		for _, line := range after[name] {
			if !slices.Contains(before[name], line) {
				fmt.Fprintf(&b, "  + %s: %s\n", name, line)
			}
		}
		if len(before[name]) != len(after[name]) {
			fmt.Fprintf(&b, "  %s: %d rows, then %d\n", name, len(before[name]), len(after[name]))
		}
	}
	return b.String()
}

func merged(a, b map[string][]string) map[string][]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
