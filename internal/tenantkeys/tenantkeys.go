// Package tenantkeys makes the statements that have the database itself keep each row's foreign keys within the row's tenant:
// a foreign key of the tenant column and the columns that point, to a unique key of the parent. It sends nothing.
package tenantkeys

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// Table is a table at its place. Its texts come from the program, never from its users.
type Table struct {
	Schema string // "": that of the connection
	Name   string
	Tenant string // the tenant column
}

// Key is a foreign key that does not have the tenant column yet.
type Key struct {
	Child, Parent      Table
	Columns, Keys      []string // of the child, and what they point at
	OnDelete, OnUpdate string   // "" for none
}

// Statements returns the statements for the keys on PostgreSQL or MySQL: first the unique keys, each once. They can be
// run again. Those of MySQL belong on one connection.
//
// With a column of a foreign key NULL there is nothing to keep: both databases leave such a row alone (MATCH SIMPLE).
func Statements(d sqltext.Dialect, keys []Key) []string {
	w := writer{d}
	var unique, foreign []string
	for _, k := range keys {
		for _, text := range w.unique(k) {
			if !slices.Contains(unique, text) || d == sqltext.MySQL {
				unique = append(unique, text)
			}
		}
		foreign = append(foreign, w.foreign(k)...)
	}
	return append(unique, foreign...)
}

type writer struct{ d sqltext.Dialect }

// unique makes the key of the parent that foreign keys need. It is made as an index, so that it can be made beforehand without a
// lock: CREATE UNIQUE INDEX CONCURRENTLY.
func (w writer) unique(k Key) []string {
	columns := append([]string{k.Parent.Tenant}, k.Keys...)
	name := nameOf("tenancy_uk", k.Parent.Name, columns)
	on := w.d.Quote(name) + " ON " + w.table(k.Parent) + " (" + w.list(columns) + ")"
	if w.d == sqltext.MySQL {
		return w.unless("SELECT count(*) FROM information_schema.statistics WHERE table_schema = "+w.schema(k.Parent)+
			" AND table_name = "+w.literal(k.Parent.Name)+" AND index_name = "+w.literal(name), "CREATE UNIQUE INDEX "+on)
	}
	index := Table{Schema: k.Parent.Schema, Name: name}
	return []string{w.block("to_regclass("+w.literal(w.table(index))+") IS NULL", "CREATE UNIQUE INDEX "+on)}
}

// block makes a statement that PostgreSQL runs if a condition holds. CREATE INDEX IF NOT EXISTS would lock the table before it looks.
func (w writer) block(condition, statement string) string {
	return "DO " + w.literal("BEGIN IF "+condition+" THEN "+statement+"; END IF; END")
}

// foreign makes the foreign key. It does what GORM's own, which may stay, does when the parent goes or changes its key.
func (w writer) foreign(k Key) []string {
	columns := append([]string{k.Child.Tenant}, k.Columns...)
	name := nameOf("tenancy_fk", k.Child.Name, columns)
	table := w.table(k.Child)
	add := "ALTER TABLE " + table + " ADD CONSTRAINT " + w.d.Quote(name) + " FOREIGN KEY (" + w.list(columns) + ") REFERENCES " +
		w.table(k.Parent) + " (" + w.list(append([]string{k.Parent.Tenant}, k.Keys...)) + ")" + w.actions(k)
	if w.d == sqltext.MySQL {
		return w.unless("SELECT count(*) FROM information_schema.table_constraints WHERE constraint_type = 'FOREIGN KEY' AND table_schema = "+
			w.schema(k.Child)+" AND table_name = "+w.literal(k.Child.Name)+" AND constraint_name = "+w.literal(name), add)
	}
	return []string{w.block("NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conrelid = to_regclass("+w.literal(table)+
		") AND conname = "+w.literal(name)+")", add)}
}

// actions returns what happens when the parent goes or changes its key: the same as by a key without the tenant column, beside
// which this one may stand. To set the columns NULL would set the tenant column NULL as well: there the key is checked when
// the transaction ends, when the other one has set them.
func (w writer) actions(k Key) string {
	var b strings.Builder
	deferred := false
	for _, a := range []struct{ when, what string }{{"DELETE", k.OnDelete}, {"UPDATE", k.OnUpdate}} {
		switch {
		case a.what == "":
		case SetsColumns(a.what):
			deferred = true
		default:
			b.WriteString(" ON " + a.when + " " + strings.ToUpper(a.what))
		}
	}
	if deferred {
		b.WriteString(" DEFERRABLE INITIALLY DEFERRED")
	}
	return b.String()
}

// SetsColumns tells whether an action of a foreign key sets its columns, and so the tenant column too.
func SetsColumns(action string) bool { return strings.HasPrefix(strings.ToUpper(action), "SET ") }

// unless makes a statement that MySQL runs if the query counts nothing: MySQL has no IF NOT EXISTS for it.
func (w writer) unless(count, statement string) []string {
	return []string{
		"SET @tenancy_ddl = IF((" + count + ") = 0, " + w.literal(statement) + ", 'DO 0')",
		"PREPARE tenancy_ddl FROM @tenancy_ddl",
		"EXECUTE tenancy_ddl",
		"DEALLOCATE PREPARE tenancy_ddl",
	}
}

// schema is the schema of a table, in MySQL's catalog.
func (w writer) schema(t Table) string {
	if t.Schema == "" {
		return "DATABASE()"
	}
	return w.literal(t.Schema)
}

func (w writer) table(t Table) string {
	if t.Schema == "" {
		return w.d.Quote(t.Name)
	}
	return w.d.Quote(t.Schema) + "." + w.d.Quote(t.Name)
}

func (w writer) list(columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = w.d.Quote(c)
	}
	return strings.Join(quoted, ", ")
}

// literal quotes a text: in MySQL a backslash stands for something else.
func (w writer) literal(text string) string {
	if w.d == sqltext.MySQL {
		text = strings.ReplaceAll(text, `\`, `\\`)
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// longest is how many bytes of a name PostgreSQL keeps (NAMEDATALEN - 1); MySQL keeps 64 characters.
const longest = 63

// nameOf names a key by its table and columns, for it is found again by its name.
func nameOf(prefix, table string, columns []string) string {
	name := prefix + "_" + table + "_" + strings.Join(columns, "_")
	if len(name) <= longest {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%s_%s", prefix, hex.EncodeToString(sum[:12]))
}
