package callbacks

import (
	"database/sql"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// Rows of reference tables are created in the default database, which makes their IDs and defaults. What it then has is copied to
// the others, value by value: nothing is made twice.

// mirrorRows creates rows in all databases, and takes the INSERT of the statement for done.
func (h *Hooks) mirrorRows(db *gorm.DB, pass *Pass) error {
	places, err := h.mirrorPlaces(pass)
	if err != nil {
		return err
	}
	pass.at, pass.placed, pass.reach = places[0], true, There
	if len(places) == 1 {
		pass.mirrors = false
		return nil
	}
	m, err := h.newMirroring(pass)
	if err != nil {
		return err
	}
	pass.split = true
	if db.DryRun {
		return nil
	}
	tx := h.beside(db, h.Rules.Toward(pass.Context, places[0])).Begin()
	if tx.Error != nil {
		return tx.Error
	}
	pool, ok := tx.Statement.ConnPool.(gorm.TxCommitter)
	if !ok {
		return gorm.ErrInvalidTransaction
	}
	n, err := h.RunMirrored(pool, func() (int64, error) { return m.create(tx) }, places[1:], func(at Place) (int64, error) {
		return 0, m.copyTo(db, at)
	})
	pass.writing().apart = n
	delete(db.Statement.Clauses, "RETURNING") // of the application's, which would empty the destination for want of rows
	db.Statement.Settings.Delete(trackTime)   // or else the rows get a later time than the one that was written
	pass.fan = &Fan{Places: places, Same: true}
	return err
}

// mirroring are the rows of one create, on their way from the default database to the others.
type mirroring struct {
	hooks   *Hooks
	pass    *Pass
	primary []string // key
	key     []string // by which the rows are found: that of ON CONFLICT, or the primary one
	leaves  bool     // rows alone that are there
	columns []string
	serial  string // the column that a sequence fills; "" for none
	highest int64  // its greatest value
	rows    [][]any
}

func (h *Hooks) newMirroring(pass *Pass) (*mirroring, error) {
	stmt := pass.stmt
	m := &mirroring{hooks: h, pass: pass, primary: primaryKeys(stmt.Schema), leaves: pass.leavesAlone()}
	refuse := func(why string) error {
		return h.refusal(pass, Unmergeable, "its rows are to be copied from the default database to the others, and "+why)
	}
	switch {
	case len(m.primary) == 0:
		return nil, refuse("are found by a primary key: create them with a model that has one")
	case !m.underOwnName():
		return nil, refuse("Table names another table than the model: leave it out")
	}
	if f := stmt.Schema.PrioritizedPrimaryField; f != nil && f.AutoIncrement {
		m.serial = f.DBName
	}
	m.key = m.primary
	c, upsert := stmt.Clauses["ON CONFLICT"].Expression.(clause.OnConflict)
	if upsert && len(c.Columns) > 0 {
		m.key = make([]string, len(c.Columns))
		for i, column := range c.Columns {
			if m.key[i] = column.Name; stmt.Schema.FieldsByDBName[column.Name] == nil {
				return nil, refuse("clause.OnConflict names a column that the model does not have")
			}
		}
	}
	return m, eachRow(stmt, func(r row) error {
		for _, name := range slices.Concat(m.primary, m.key) {
			if v, known := r.get(pass.Context, name); known && isExpression(v) {
				return refuse("column " + name + ", by which they are found, is SQL: give it a value")
			}
		}
		return nil
	})
}

// isNull tells whether a value is NULL in a column.
func isNull(v any) bool {
	if v == nil {
		return true
	}
	rv := reflect.ValueOf(v)
	return rv.Kind() == reflect.Pointer && rv.IsNil()
}

// asInteger returns the integer that a value is.
func asInteger(v any) (int64, bool) {
	rv := reflect.Indirect(reflect.ValueOf(v))
	switch {
	case rv.CanInt():
		return rv.Int(), true
	case rv.CanUint() && rv.Uint() <= math.MaxInt64:
		return int64(rv.Uint()), true //nolint:gosec // bounded above
	}
	return 0, false
}

// underOwnName tells whether the statement writes to the table of its model.
func (m *mirroring) underOwnName() bool {
	name, t := m.pass.target, m.pass.Table
	if m.pass.expr != nil {
		expr, ok := m.hooks.text.ParseTable(m.pass.expr.SQL)
		if !ok || expr.Derived || expr.Alias != "" || len(m.pass.expr.Vars) > 0 {
			return false
		}
		name = expr.Name
	}
	return name == t.Name || name == t.Path
}

// create creates the rows in the default database, and reads them back.
func (m *mirroring) create(tx *gorm.DB) (rows int64, err error) {
	switch dest := m.pass.stmt.Dest.(type) { // GORM gives a map alone what the database made
	case []map[string]any:
		rows, err = createMaps(tx, dest)
	case *[]map[string]any:
		rows, err = createMaps(tx, *dest)
	default:
		done := tx.Create(dest)
		rows, err = done.RowsAffected, done.Error
	}
	if err != nil {
		return 0, err
	}
	home := m.pass.Part(tx.Statement.Context, Place{}, "")
	home.Who = &m.hooks.nobody
	return rows, m.read(home, tx.Statement.ConnPool)
}

func createMaps(tx *gorm.DB, maps []map[string]any) (rows int64, err error) {
	for i := range maps {
		done := tx.Create(maps[i])
		if rows += done.RowsAffected; done.Error != nil {
			return 0, done.Error
		}
	}
	return rows, nil
}

// mostFound is how many rows are looked for by one statement.
const mostFound = 200

// read reads the rows from the default database.
func (m *mirroring) read(home *Pass, pool gorm.ConnPool) error {
	ask := func() *own {
		o := newOwn(home)
		o.pool, o.there = pool, true
		return o
	}
	columns, err := m.hooks.columnsOf(ask(), m.pass.Table.Schema(), m.pass.Table.Name)
	if err != nil {
		return err
	}
	for _, c := range columns {
		m.columns = append(m.columns, c.Name)
	}
	keys, err := m.keys()
	if err != nil {
		return err
	}
	for some := range slices.Chunk(keys, mostFound) {
		o := ask()
		m.selectRows(o, some)
		if err := o.query(m.keep); err != nil {
			return err
		}
	}
	if len(m.rows) < len(keys) && !m.leaves {
		return m.hooks.refusal(m.pass, Unmergeable, "its rows are to be copied from the default database to the others, and some are not found there by "+strings.Join(m.key, ", ")+": write them with a clause.OnConflict that names these columns and keeps their values")
	}
	if m.serial == "" || m.hooks.engine != dialect.Postgres {
		return nil
	}
	return eachRow(m.pass.stmt, func(r row) error {
		v, _ := r.get(m.pass.Context, m.serial)
		if n, ok := asInteger(v); ok {
			m.highest = max(m.highest, n)
		}
		return nil
	})
}

// keys returns the keys of the rows, each once. A row that was left alone, and whose key GORM was not told, has none.
func (m *mirroring) keys() (keys [][]any, err error) {
	seen := map[string]bool{}
	err = eachRow(m.pass.stmt, func(r row) error {
		key, whole := make([]any, len(m.key)), true
		for i, column := range m.key {
			v, known := r.get(m.pass.Context, column)
			serial := column == m.serial && isZero(v)
			key[i], whole = v, whole && known && !isNull(v) && !serial
		}
		if !whole && m.leaves {
			return nil
		}
		if !whole {
			return m.hooks.refusal(m.pass, Unmergeable, "its rows are to be copied from the default database to the others, and one has no "+strings.Join(m.key, ", ")+" by which it could be found: give it one")
		}
		if text := fmt.Sprintf("%#v", key); !seen[text] {
			seen[text] = true
			keys = append(keys, key)
		}
		return nil
	})
	return keys, err
}

func (m *mirroring) selectRows(o *own, keys [][]any) {
	for i, name := range m.columns {
		o.text(between(i, "SELECT ", ", "))
		o.text(m.hooks.engine.Verbatim(m.hooks.text.Quote(name)))
	}
	o.text(" FROM ")
	o.table(m.pass.Table)
	for i, key := range keys {
		o.text(between(i, " WHERE (", ") OR ("))
		for j, v := range key {
			o.text(between(j, "", " AND "))
			o.identifier(m.key[j])
			o.text(" = ")
			o.bind(v)
		}
	}
	o.text(")")
}

// between returns what stands before an element of a list.
func between(i int, first, next string) string {
	if i == 0 {
		return first
	}
	return next
}

// keep keeps the values of a row as they are to be written again.
func (m *mirroring) keep(rows *sql.Rows) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	values, into := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	for i, v := range values {
		if b, ok := v.([]byte); ok && !isBinary(types[i].DatabaseTypeName()) {
			values[i] = string(b)
		}
	}
	m.rows = append(m.rows, values)
	return nil
}

// isBinary tells whether values of a type are bytes, and no text. SQLite's driver has texts as strings.
func isBinary(name string) bool {
	return name == "" || strings.Contains(name, "BLOB") || strings.Contains(name, "BINARY") || name == "BIT" || name == "GEOMETRY"
}
