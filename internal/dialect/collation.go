package dialect

import (
	"strings"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// CollationQuery returns the SQL that asks how a column compares, and its arguments. quoted is the table's name as the
// dialect quotes it. The answer is a row of three texts, for [Engine.Comparison]. It is empty where nothing is known to ask.
func (e Engine) CollationQuery(table, quoted, column string) (sql string, args []any) {
	name := table[strings.LastIndexByte(table, '.')+1:]
	switch e {
	case Postgres:
		// attcollation is 0 for types without a collation (integers, uuid); collisdeterministic is there since PostgreSQL 12.
		return `SELECT t.typname, CASE WHEN c.collisdeterministic THEN 'deterministic' ELSE 'nondeterministic' END, ''
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
WHERE a.attrelid = to_regclass($1) AND a.attname = $2 AND NOT a.attisdropped`, []any{quoted, column}
	case MySQL:
		return `SELECT data_type, COALESCE(collation_name, ''), COALESCE(character_set_name, '')
FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?`, []any{name, column}
	case SQLite:
		return `SELECT 'text', COALESCE(m.sql, ''), p.type
FROM sqlite_master m JOIN pragma_table_info(m.name) p
WHERE m.type IN ('table', 'view') AND m.name = ? COLLATE NOCASE AND p.name = ? COLLATE NOCASE`, []any{name, column}
	default:
		return "", nil
	}
}

// Comparison reads the answer of [Engine.CollationQuery]. What it does not know it takes for [tables.Folding].
func (e Engine) Comparison(typ, collation, extra string) tables.Comparison {
	typ, collation = strings.ToLower(typ), strings.ToLower(collation)
	switch e {
	case Postgres:
		return postgresComparison(typ, collation)
	case MySQL:
		return mysqlComparison(typ, collation)
	case SQLite:
		// The collation of a column is in the text of its table alone. Any other collation than BINARY in that text is
		// taken for the column's. Numeric affinity makes '1.0' and '1' one value.
		affinity := strings.ToUpper(extra)
		if strings.Contains(collation, "collate nocase") || strings.Contains(collation, "collate rtrim") || strings.Contains(collation, "collate") && !strings.Contains(collation, "collate binary") {
			return tables.Folding
		}
		if strings.Contains(affinity, "CHAR") || strings.Contains(affinity, "TEXT") || strings.Contains(affinity, "CLOB") {
			return tables.Exact
		}
		return tables.Folding
	default:
		return tables.Folding
	}
}

func postgresComparison(typ, collation string) tables.Comparison {
	switch typ {
	case "text", "varchar", "name":
		if collation == "deterministic" {
			return tables.Exact
		}
	case "bpchar": // char(n) ignores trailing spaces
		if collation == "deterministic" {
			return tables.Padded
		}
	}
	return tables.Folding
}

func mysqlComparison(typ, collation string) tables.Comparison {
	switch typ {
	case "varbinary", "blob", "tinyblob", "mediumblob", "longblob":
		return tables.Exact
	}
	switch {
	case !strings.HasSuffix(collation, "_bin"):
		return tables.Folding
	case strings.Contains(collation, "nopad"), collation == "utf8mb4_0900_bin":
		return tables.Exact
	default:
		return tables.Padded
	}
}

// UniqueKeysQuery returns the SQL that lists the columns of a MySQL table's unique keys, to be bound with the table's name:
// rows of key name and column name, in the keys' order.
func UniqueKeysQuery() string {
	return `SELECT index_name, column_name FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0 ORDER BY index_name, seq_in_index`
}
