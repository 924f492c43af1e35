package dialect

import (
	"regexp"
	"strings"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// CollationQuery returns the SQL that asks how a column compares, and its arguments. schema is MySQL's database, ""
// for the connection's own; quoted is the table's name as the dialect quotes it. The answer is a row of three texts, for [Engine.Comparison]. It is empty where nothing is known to ask.
func (e Engine) CollationQuery(schema, table, quoted, column string) (sql string, args []any) {
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
WHERE table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ? AND column_name = ?`, []any{schema, name, column}
	case SQLite:
		return `SELECT m.type, COALESCE(m.sql, ''), p.type
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
		return sqliteComparison(typ, collation, strings.ToUpper(extra))
	default:
		return tables.Folding
	}
}

// collations are the names of collations in the text of a table.
var collations = regexp.MustCompile("collate\\s*[\"'`\\[]?\\s*(\\w+)")

// sqliteComparison reads the text of a table: the collation of a column is there alone. Any other than BINARY in it is taken
// for the column's. A view has the collations of its tables, which its text does not show.
func sqliteComparison(kind, text, affinity string) tables.Comparison {
	switch {
	case strings.Contains(affinity, "CHAR"), strings.Contains(affinity, "TEXT"), strings.Contains(affinity, "CLOB"):
	case strings.Contains(affinity, "INT"), affinity != "" && affinity != "BLOB":
		return tables.Numeric
	default:
		return tables.Folding
	}
	if kind != "table" {
		return tables.Folding
	}
	for _, c := range collations.FindAllStringSubmatch(text, -1) {
		if c[1] != "binary" {
			return tables.Folding
		}
	}
	return tables.Exact
}

func postgresComparison(typ, collation string) tables.Comparison {
	switch typ {
	case "text", "varchar", "name":
		if collation == "deterministic" {
			return tables.Exact
		}
		return tables.Mingling // ICU collations can be told to ignore punctuation, or to read numbers
	case "bpchar": // char(n) ignores trailing spaces
		if collation == "deterministic" {
			return tables.Padded
		}
		return tables.Mingling
	case "int2", "int4", "int8", "numeric", "float4", "float8", "oid":
		return tables.Numeric
	case "uuid":
		return tables.UUIDs
	default: // citext, and types of extensions
		return tables.Folding
	}
}

func mysqlComparison(typ, collation string) tables.Comparison {
	switch typ {
	case "varbinary", "blob", "tinyblob", "mediumblob", "longblob":
		return tables.Exact
	case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "bit", "year":
		return tables.Numeric
	case "uuid":
		return tables.UUIDs
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
	default: // binary(n) is filled up, enum and set are numbers too, dates have many spellings
		return tables.Mingling
	}
	switch {
	case strings.HasSuffix(collation, "_bin") && (strings.Contains(collation, "nopad") || collation == "utf8mb4_0900_bin"):
		return tables.Exact
	case strings.HasSuffix(collation, "_bin"):
		return tables.Padded
	case languageless.MatchString(collation):
		return tables.Folding
	default:
		return tables.Mingling
	}
}

// languageless are MySQL's and MariaDB's collations that tell the letters a to z apart. Those of languages need not: in
// utf8mb4_lithuanian_ci i is y.
var languageless = regexp.MustCompile(`^(?:\w+_general|\w+_unicode|\w+_unicode_520|\w+_0900|(?:\w+_)?uca1400|latin1_swedish)(?:_nopad)?(?:_a[is])?(?:_c[is])?$`)

// UniqueKeysQuery returns the SQL that lists the columns of a MySQL table's unique keys, to be bound with the name of its
// database, "" for the connection's own, and that of the table:
// rows of key name and column name, in the keys' order. A part that holds only the beginning of a column is no column: rows
// whose values differ behind it meet.
func UniqueKeysQuery() string {
	return `SELECT index_name, IF(sub_part IS NULL, column_name, NULL) FROM information_schema.statistics
WHERE table_schema = COALESCE(NULLIF(?, ''), DATABASE()) AND table_name = ? AND non_unique = 0 ORDER BY index_name, seq_in_index`
}
