package dialect

// ColumnsQuery returns a query for the columns of a table that an INSERT may give values, in their order: their names, and whether
// NULL there may stand for a value that the database makes (1), or 0 too (2). schema is "" for where the connection looks; quote makes a name of SQL.
func (e Engine) ColumnsQuery(schema, table string, quote func(string) string) (text string, args []any) {
	switch e {
	case Postgres:
		name := quote(table)
		if schema != "" {
			name = quote(schema) + "." + name
		}
		return `SELECT attname::text, 0 FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`, []any{name}
	case MySQL:
		return "SELECT COLUMN_NAME, CASE WHEN EXTRA LIKE '%auto_increment%' THEN 2 WHEN IS_NULLABLE = 'NO' THEN 1 ELSE 0 END FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(NULLIF(?, ''), DATABASE()) AND TABLE_NAME = ? AND COALESCE(GENERATION_EXPRESSION, '') = '' ORDER BY ORDINAL_POSITION", []any{schema, table}
	case SQLite:
		if schema == "" {
			schema = "main"
		}
		return `SELECT name, pk > 0 FROM pragma_table_xinfo(?, ?) WHERE hidden = 0 ORDER BY cid`, []any{table, schema}
	default:
		return "", nil
	}
}

// Verbatim returns an expression for the value of a column, given as a name of SQL, that goes into an INSERT unchanged: PostgreSQL's
// texts are read as what they were written from, and SQLite's drivers make no times of what is no column.
func (e Engine) Verbatim(column string) string {
	switch e {
	case Postgres:
		return column + "::text"
	case SQLite:
		return "+" + column
	default:
		return column
	}
}
