package merge

import (
	"strings"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// kind is how the values of a column compare.
type kind uint8

const (
	opaque   kind = iota // not at all
	integer              // int64, or text above it
	decimal              // text
	float                // float64
	rounded              // MySQL's FLOAT: the text protocol gives six digits of it
	boolean              // bool
	text                 // by its collation
	bare                 // PostgreSQL's bpchar: text without the spaces at its end
	plain                // ASCII text that orders by its bytes: PostgreSQL's uuid, time and name
	binaries             // []byte
	instant              // time.Time
	wall                 // time.Time without a zone, or text of fixed width
	duration             // MySQL's TIME as text
	dynamic              // SQLite: each value has a type of its own
)

// kindOf tells how a type compares. The names are those of pgx v5.11.0 (stdlib/sql.go, Rows.ColumnTypeDatabaseTypeName), which
// gives the OID of a type that it does not know, and of go-sql-driver/mysql v1.10.1 (fields.go, mysqlField.typeDatabaseName).
func kindOf(e dialect.Engine, typ string) kind {
	switch e {
	case dialect.Postgres:
		return postgresKind(typ)
	case dialect.MySQL:
		return mysqlKind(typ)
	case dialect.SQLite:
		return dynamic
	default:
		return opaque
	}
}

func postgresKind(typ string) kind {
	switch typ {
	case "INT2", "INT4", "INT8", "OID":
		return integer
	case "NUMERIC":
		return decimal
	case "FLOAT4", "FLOAT8":
		return float
	case "BOOL":
		return boolean
	case "TEXT", "VARCHAR":
		return text
	case "BPCHAR":
		return bare
	case "UUID", "TIME", "NAME":
		return plain
	case "BYTEA":
		return binaries
	case "TIMESTAMPTZ":
		return instant
	case "DATE", "TIMESTAMP":
		return wall
	default: // timetz, interval, json, arrays, ranges, addresses, enums and types of extensions
		return opaque
	}
}

func mysqlKind(typ string) kind {
	switch strings.TrimPrefix(typ, "UNSIGNED ") {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR":
		return integer
	case "DECIMAL":
		return decimal
	case "DOUBLE":
		return float
	case "FLOAT":
		return rounded
	case "CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT":
		return text
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BIT":
		return binaries
	case "TIMESTAMP":
		return instant
	case "DATE", "DATETIME":
		return wall
	case "TIME":
		return duration
	default: // enums and sets order by their numbers, JSON and shapes by rules of their own
		return opaque
	}
}

// uncomparable returns why values of a column cannot be compared, or be told apart if order is false; "" if they can.
func (c *column) uncomparable(order bool) string {
	switch c.kind {
	case opaque:
		return "values of type " + c.typ + " are not compared here"
	case rounded:
		return "FLOAT is rounded on its way; a cast to DOUBLE is not"
	case text, bare:
		return untold(c.collation, order)
	default:
		return ""
	}
}

func untold(c Collation, order bool) string {
	switch {
	case c == CollationUnknown:
		return "the collation of its text is not known to be binary"
	case c == CollationDeterministic && order:
		return "the order of its text's collation is not known"
	default:
		return ""
	}
}
