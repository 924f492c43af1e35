package tenancytest

import (
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// snapshot is the tables of a place as a fixture has filled them, with a copy of each beside it. A suite of a thousand cases
// looks at all rows after each of them, so it takes one query to see whether they are what they were.
type snapshot struct {
	db      *gorm.DB
	tables  []*table
	query   string                      // that reads all rows of all tables as text
	parse   func(t testing.TB) contents // reads the tables one by one
	fixture look
	last    look
}

// look is all rows at one time.
type look struct {
	texts map[string][]string // by table
	rows  contents
}

const copyOf = "tenancytest_"

// takeSnapshot copies tables.
func takeSnapshot(t testing.TB, db *gorm.DB, tables []*table, parse func(t testing.TB) contents) *snapshot {
	t.Helper()
	s := &snapshot{db: db, tables: tables, parse: parse}
	quote := db.Statement.Quote
	columns := make([][]string, len(tables))
	widest := 0
	for i, table := range tables {
		require.NoError(t, db.Exec("DROP TABLE IF EXISTS "+quote(copyOf+table.name)).Error)
		require.NoError(t, db.Exec("CREATE TABLE "+quote(copyOf+table.name)+" AS SELECT * FROM "+quote(table.name)).Error)
		columns[i] = columnsOf(t, db, table.name)
		widest = max(widest, len(columns[i]))
	}
	text := " AS text)"
	if db.Name() == "mysql" {
		text = " AS char)"
	}
	var selects []string
	for i, table := range tables {
		items := []string{"'" + table.name + "'"}
		for n := range widest {
			if n < len(columns[i]) {
				items = append(items, "CAST("+quote(columns[i][n])+text)
			} else {
				items = append(items, "NULL")
			}
		}
		selects = append(selects, "SELECT "+strings.Join(items, ", ")+" FROM "+quote(table.name))
	}
	s.query = strings.Join(selects, " UNION ALL ")
	s.fixture = look{s.texts(t), parse(t)}
	s.last = s.fixture
	return s
}

func columnsOf(t testing.TB, db *gorm.DB, table string) []string {
	t.Helper()
	rows, err := db.Table(table).Limit(1).Rows()
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	require.NoError(t, errors.Join(err, rows.Err()))
	return names
}

// read returns the contents of the tables.
func (s *snapshot) read(t testing.TB) contents {
	t.Helper()
	texts := s.texts(t)
	for _, known := range []look{s.last, s.fixture} {
		if maps.EqualFunc(texts, known.texts, slices.Equal) {
			s.last = known
			return known.rows
		}
	}
	s.last = look{texts, s.parse(t)}
	return s.last.rows
}

// texts reads all rows as text, by table.
func (s *snapshot) texts(t testing.TB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	if s.query == "" {
		return all
	}
	rows, err := s.db.Raw(s.query).Rows()
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	cells, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		require.NoError(t, rows.Scan(into...))
		var line strings.Builder
		for _, cell := range cells[1:] {
			if cell.Valid {
				line.WriteString("=" + cell.String)
			}
			line.WriteByte(0)
		}
		all[cells[0].String] = append(all[cells[0].String], line.String())
	}
	require.NoError(t, rows.Err())
	for _, lines := range all {
		slices.Sort(lines)
	}
	return all
}

// restore fills those tables again that were other than in the fixture when they were last read.
func (s *snapshot) restore(t testing.TB) {
	t.Helper()
	quote := s.db.Statement.Quote
	var statements []string
	for _, table := range s.tables {
		if !slices.Equal(s.last.texts[table.name], s.fixture.texts[table.name]) {
			statements = append(statements, "DELETE FROM "+quote(table.name), "INSERT INTO "+quote(table.name)+" SELECT * FROM "+quote(copyOf+table.name))
		}
	}
	if len(statements) == 0 {
		return
	}
	require.NoError(t, s.db.Transaction(func(tx *gorm.DB) error {
		for _, statement := range statements {
			if err := tx.Exec(statement).Error; err != nil {
				return err
			}
		}
		return nil
	}))
	s.last = s.fixture
}
