package dialect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/tables"
)

func TestComparison(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		engine                Engine
		typ, collation, extra string
		want                  tables.Comparison
	}{
		{Postgres, "text", "deterministic", "", tables.Exact},
		{Postgres, "varchar", "nondeterministic", "", tables.Mingling},
		{Postgres, "bpchar", "deterministic", "", tables.Padded},
		{Postgres, "int4", "", "", tables.Numeric},
		{Postgres, "uuid", "", "", tables.UUIDs},
		{Postgres, "citext", "deterministic", "", tables.Folding},
		{MySQL, "varchar", "utf8mb4_general_ci", "utf8mb4", tables.Folding},
		{MySQL, "varchar", "utf8mb4_uca1400_ai_ci", "", tables.Folding},
		{MySQL, "varchar", "utf8mb4_0900_as_cs", "", tables.Folding},
		{MySQL, "varchar", "latin1_swedish_ci", "", tables.Folding},
		{MySQL, "varchar", "utf8mb4_unicode_520_nopad_ci", "", tables.Folding},
		{MySQL, "varchar", "utf8mb4_lithuanian_ci", "", tables.Mingling},
		{MySQL, "varchar", "utf8mb4_uca1400_swedish_ai_ci", "", tables.Mingling},
		{MySQL, "varchar", "utf8mb4_bin", "", tables.Padded},
		{MySQL, "varchar", "utf8mb4_nopad_bin", "", tables.Exact},
		{MySQL, "varchar", "utf8mb4_0900_bin", "", tables.Exact},
		{MySQL, "varbinary", "", "", tables.Exact},
		{MySQL, "int", "", "", tables.Numeric},
		{MySQL, "uuid", "", "", tables.UUIDs},
		{MySQL, "binary", "", "", tables.Mingling},
		{SQLite, "table", "CREATE TABLE a (t text)", "text", tables.Exact},
		{SQLite, "view", "CREATE VIEW v AS SELECT * FROM a", "text", tables.Folding},
		{SQLite, "table", `CREATE TABLE a (t text COLLATE  "NOCASE", n text COLLATE BINARY)`, "text", tables.Folding},
		{SQLite, "table", "CREATE TABLE a (t text COLLATE binary)", "varchar(10)", tables.Exact},
		{SQLite, "table", "CREATE TABLE a (t integer)", "integer", tables.Numeric},
		{SQLite, "table", "CREATE TABLE a (t uuid)", "uuid", tables.Numeric},
		{SQLite, "table", "CREATE TABLE a (t)", "", tables.Folding},
		{Other, "text", "", "", tables.Folding},
	} {
		require.Equal(t, c.want, c.engine.Comparison(c.typ, c.collation, c.extra), "%+v", c)
	}
}
