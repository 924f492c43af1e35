package callbacks

import (
	"database/sql"
	"slices"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// mostCopied is how many values an INSERT has at most: SQLite takes no more than 32766 (sqlite3 limits.html).
const mostCopied = 10000

// copyTo writes the rows in another database, in one transaction.
func (m *mirroring) copyTo(db *gorm.DB, at Place) error {
	if len(m.rows) == 0 {
		return nil
	}
	ctx := m.hooks.Rules.Toward(m.pass.Context, at)
	tx := m.hooks.beside(db, ctx).Begin()
	if tx.Error != nil {
		return tx.Error
	}
	part := m.pass.Part(ctx, at, "")
	part.Who = &m.hooks.nobody
	end := func(err error) error {
		if err != nil {
			tx.Rollback()
			return err
		}
		return tx.Commit().Error
	}
	for some := range slices.Chunk(m.rows, max(1, mostCopied/len(m.columns))) {
		o := newOwn(part)
		o.pool, o.there = tx.Statement.ConnPool, true
		m.insert(o, some)
		if err := o.exec(); err != nil {
			return end(err)
		}
	}
	if m.highest > 0 {
		o := newOwn(part)
		o.pool, o.there, o.quiet = tx.Statement.ConnPool, true, true
		m.moveSequence(o)
		if err := o.query(func(*sql.Rows) error { return nil }); err != nil {
			return end(err)
		}
	}
	return end(nil)
}

// insert writes rows, over those that are there with their primary keys.
func (m *mirroring) insert(o *own, rows [][]any) {
	o.text("INSERT INTO ")
	o.table(m.pass.Table)
	for i, name := range m.columns {
		o.text(between(i, " (", ", "))
		o.identifier(name)
	}
	o.text(")")
	if m.hooks.engine == dialect.Postgres {
		o.text(" OVERRIDING SYSTEM VALUE") // of columns GENERATED ALWAYS AS IDENTITY
	}
	for i, row := range rows {
		o.text(between(i, " VALUES (", "), ("))
		for j, v := range row {
			o.text(between(j, "", ", "))
			o.bind(v)
		}
	}
	o.text(")")
	m.overThere(o)
}

// overThere writes what becomes of rows that are there: they are made like those of the default database, or left alone.
func (m *mirroring) overThere(o *own) {
	if m.hooks.engine == dialect.MySQL { // it meets rows by any unique key, so their primary keys are made alike too
		for i, name := range m.columns {
			o.text(between(i, " ON DUPLICATE KEY UPDATE ", ", "))
			o.identifier(name)
			o.text(" = VALUES(")
			o.identifier(name)
			o.text(")")
		}
		return
	}
	for i, name := range m.primary {
		o.text(between(i, " ON CONFLICT (", ", "))
		o.identifier(name)
	}
	others := slices.DeleteFunc(slices.Clone(m.columns), func(name string) bool { return slices.Contains(m.primary, name) })
	if m.leaves || len(others) == 0 {
		o.text(") DO NOTHING")
		return
	}
	for i, name := range others {
		o.text(between(i, ") DO UPDATE SET ", ", "))
		o.identifier(name)
		o.text(" = excluded.")
		o.identifier(name)
	}
}

// moveSequence moves PostgreSQL's sequence of the primary key behind the IDs that were copied, as other databases do by themselves:
// or else the next row that is created there alone would get one of them. Whose role may not, has to do without.
func (m *mirroring) moveSequence(o *own) {
	o.text("SELECT CASE WHEN s IS NOT NULL AND has_sequence_privilege(s, 'UPDATE') AND has_sequence_privilege(s, 'USAGE') THEN CASE WHEN ")
	o.bind(m.highest)
	o.text("::bigint > COALESCE(pg_sequence_last_value(s), 0) THEN setval(s, ")
	o.bind(m.highest)
	o.text("::bigint) END END FROM (SELECT pg_get_serial_sequence(")
	name := m.hooks.text.Quote(m.pass.Table.Name)
	if schema := m.pass.Table.Schema(); schema != "" {
		name = m.hooks.text.Quote(schema) + "." + name
	}
	o.bind(name)
	o.text(", ")
	o.bind(m.serial)
	o.text(")::regclass AS s) AS sequences")
}
