package difftest

import (
	"fmt"
	"strings"
)

// The tenants: chains run as the first, whose rows alone are in the one-tenant database.
const subject = "acme"

func tenants() []string { return []string{subject, "bolt", "core"} }

// rowID is the primary key of a tenant's k-th row (from 0): those of the tenants are interleaved.
func rowID(tenant, k int) int { return 3*k + tenant + 1 }

// countries, and how many rows the sequence of a table starts behind.
const (
	countries = 3
	firstBase = 1000
)

// table is a table and its rows in the fixture.
type table struct {
	name    string
	columns []string
	owned   bool // has a tenant column
	serial  bool // has generated keys
	rows    []fixtureRow
}

// Rows that are no tenant's own: those that all have, and links between two tenants, which none has.
const (
	everyones = -1
	between   = 99
)

type fixtureRow struct {
	tenant int
	values []any
}

// sqlNow is what all clocks of a chain show.
const sqlNow = "2024-05-06 07:08:09+00:00"

// fixture returns the rows of all tenants. In the dirty one some rows point at rows of another tenant, as they do in
// databases that were filled before the plugin came.
func fixture(dirty bool) []table {
	customers := table{name: "customers", owned: true, serial: true, columns: []string{"id", "tenant_id", "code", "name", "score", "country_id", "referrer_id", "updated_at"}}
	orders := table{name: "orders", owned: true, serial: true, columns: []string{"id", "tenant_id", "customer_id", "item", "qty", "deleted_at"}}
	profiles := table{name: "profiles", owned: true, serial: true, columns: []string{"id", "tenant_id", "customer_id", "bio"}}
	tags := table{name: "tags", owned: true, serial: true, columns: []string{"id", "tenant_id", "label"}}
	notes := table{name: "notes", owned: true, serial: true, columns: []string{"id", "tenant_id", "owner_id", "owner_type", "body"}}
	settings := table{name: "settings", owned: true, columns: []string{"tenant_id", "name", "value"}}
	links := table{name: "customer_tags", columns: []string{"customer_id", "tag_id"}}
	nations := table{name: "countries", serial: true, columns: []string{"id", "name"}}

	put := func(t *table, tenant int, values ...any) {
		t.rows = append(t.rows, fixtureRow{tenant, values})
	}
	for i := range countries {
		put(&nations, everyones, i+1, []string{"peru", "chad", "oman"}[i])
	}
	for t, name := range tenants() {
		for k := range 4 {
			var referrer, country any
			if k > 0 {
				referrer = rowID(t, k-1)
			}
			if k < 3 {
				country = k%countries + 1
			}
			put(&customers, t, rowID(t, k), name, fmt.Sprintf("c%d", k+1), []string{"ann", "bob", "ann", "eve"}[k], []int{1, 2, 3, 3}[k], country, referrer, sqlNow)
		}
		for k := range 6 {
			var deleted any
			if k == 2 || k == 5 {
				deleted = sqlNow
			}
			owner := any(rowID(t, k%3))
			if k == 4 {
				owner = nil
			}
			put(&orders, t, rowID(t, k), name, owner, []string{"pen", "ink", "cap"}[k%3], k+1, deleted)
		}
		for k := range 3 {
			put(&profiles, t, rowID(t, k), name, rowID(t, k), []string{"x", "y", "x"}[k])
			put(&tags, t, rowID(t, k), name, fmt.Sprintf("t%d", k+1))
			put(&links, t, rowID(t, k), rowID(t, k))
			put(&links, t, rowID(t, k), rowID(t, (k+1)%3))
		}
		put(&notes, t, rowID(t, 0), name, rowID(t, 0), "customers", "hey")
		put(&notes, t, rowID(t, 1), name, rowID(t, 1), "customers", "you")
		put(&notes, t, rowID(t, 2), name, rowID(t, 0), "orders", "hey")
		put(&notes, t, rowID(t, 3), name, rowID(t, 3), "orders", "pen")
		for k, s := range []string{"ann", "bob", "pen"} {
			put(&settings, t, name, s, k+1)
		}
	}
	if dirty {
		for t, name := range tenants() {
			other := (t + 1) % 3
			put(&orders, t, 100+t, name, rowID(other, 0), "cap", 4, nil)
			put(&profiles, t, 100+t, name, rowID(other, 3), "y")
			put(&notes, t, 100+t, name, rowID(other, 0), "customers", "you")
			put(&customers, t, 100+t, name, "c9", "bob", 2, nil, rowID(other, 1), sqlNow)
			put(&links, between, rowID(t, 0), rowID(other, 2))
		}
	}
	return []table{customers, orders, profiles, tags, notes, settings, links, nations}
}

// script returns the SQL that puts a database back to the fixture. keep says whose rows. New keys begin behind base.
func script(dialect string, base int, dirty bool, keep func(tenant int) bool) string {
	var b strings.Builder
	if dialect == "sqlite" {
		b.WriteString("BEGIN IMMEDIATE;")
	} else {
		b.WriteString("BEGIN;")
	}
	for _, t := range fixture(dirty) {
		if t.serial && dialect == "mysql" { // a counter only goes up
			fmt.Fprintf(&b, "INSERT INTO %s (id) VALUES (%d);", t.name, base)
		}
		fmt.Fprintf(&b, "DELETE FROM %s;", t.name)
		var rows []string
		for _, r := range t.rows {
			if r.tenant != everyones && !keep(r.tenant) {
				continue
			}
			literals := make([]string, len(r.values))
			for i, v := range r.values {
				literals[i] = literal(dialect, v)
			}
			rows = append(rows, "("+strings.Join(literals, ",")+")")
		}
		if len(rows) > 0 {
			fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES %s;", t.name, strings.Join(t.columns, ","), strings.Join(rows, ","))
		}
		if t.serial && dialect == "postgres" {
			fmt.Fprintf(&b, "SELECT setval('%s_id_seq', %d);", t.name, base)
		}
		if t.serial && dialect == "sqlite" {
			fmt.Fprintf(&b, "DELETE FROM sqlite_sequence WHERE name = '%s'; INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %d);", t.name, t.name, base)
		}
	}
	b.WriteString("COMMIT;")
	return b.String()
}

func literal(dialect string, v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		if v == sqlNow && dialect == "mysql" {
			v = strings.TrimSuffix(v, "+00:00")
		}
		return "'" + v + "'"
	default:
		return fmt.Sprint(v)
	}
}
