package sqlproof_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// hostile are names that are to be written as they are, whatever they are like.
func hostile(dialect string) []string {
	names := []string{
		"select", "a.b", `a"b`, "a`b", "a'b", `a\b`, `"`, "`", `""`, "``", "`.`x", `"."x`, `x" AS y --`, "x` AS y -- z", "$1", "?", ":x", "@x",
		"--", "/*", "*/", ";", "a b", "über", "名前", "\tx", "%s", "(x)", "[x]", "x]", "x\\", "UPPER", "public", "tenancy_schema", "_tenancy",
	}
	if dialect != "mysql" { // it has no names with characters beyond the BMP
		names = append(names, "😀")
	}
	if dialect == "postgres" {
		names = append(names, strings.Repeat("x", 63), strings.Repeat("ü", 31), strings.Repeat(`"`, 63))
	}
	return names
}

// TestHostileNames puts a table where schemas and suffixes have names of all kinds, and reads from there what is only there.
func TestHostileNames(t *testing.T) {
	for dialect, analyzer := range analyzers() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			_, p := only(dialect)
			plan := p.Prove("SELECT notes.id FROM notes WHERE notes.id = 1")
			require.Nil(t, plan.Refusal)
			db := database{DB: open(t, dialect)}
			own := ""
			if dialect == "mysql" {
				require.NoError(t, db.QueryRowContext(t.Context(), "SELECT database()").Scan(&own))
			}
			reads := func(at place) {
				t.Helper()
				sql, refusal := plan.At(at.schema, at.suffix)
				require.Nil(t, refusal)
				if st, err := analyzer.Analyze(sql); err == nil {
					s := st.Main.Sources[0]
					assert.Equal(t, []string{at.schema, "notes" + at.suffix, "notes"}, []string{s.Schema, s.Name, s.Called()})
				} else {
					require.ErrorContains(t, err, "backslash", sql)
				}
				for _, statement := range []string{
					"CREATE TABLE " + at.name(dialect, "notes") + " (id int)", "INSERT INTO " + at.name(dialect, "notes") + " VALUES (1)",
				} {
					_, err := db.ExecContext(t.Context(), statement)
					require.NoError(t, err, statement)
				}
				got := db.run(t, sql, nil, false, patience)
				require.NoError(t, got.err, sql)
				assert.Equal(t, []string{"1"}, got.rows, sql)
			}
			for _, name := range hostile(dialect) {
				if len(name) < 50 {
					reads(place{suffix: name})
				}
				if dialect == "sqlite" {
					continue
				}
				at := place{schema: own + name}
				if name != "public" || dialect != "postgres" {
					_, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+quote(dialect, at.schema))
					require.NoError(t, err, name)
				}
				reads(at)
				if dialect == "mysql" {
					_, err := db.ExecContext(t.Context(), "DROP SCHEMA "+quote(dialect, at.schema))
					require.NoError(t, err)
				}
			}
		})
	}
}

// BenchmarkAt is what a statement costs more that is sent to a place, once its plan is known.
func BenchmarkAt(b *testing.B) {
	_, p := only("postgres")
	for name, sql := range map[string]string{
		"select": `SELECT * FROM "orders" WHERE "orders"."id" = $1 AND "orders"."tenant_id" = $2 ORDER BY "orders"."id" LIMIT $3`,
		"joins":  `SELECT o.id FROM orders o JOIN users u ON u.tenant_id = o.tenant_id JOIN notes n ON n.id = u.id WHERE o.tenant_id = $1 AND u.id IN (SELECT user_id FROM user_tags)`,
	} {
		for kind, at := range map[string]place{"nowhere": {}, "schema": {"tenant_x", ""}, "suffix": {"", "_03"}, "both": {"tenant_x", "_03"}} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				plan := p.Prove(sql)
				b.ReportAllocs()
				for b.Loop() {
					if _, refusal := plan.At(at.schema, at.suffix); refusal != nil {
						b.Fatal(refusal)
					}
				}
			})
		}
	}
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			plan := sqlproof.Fresh(analyzers()["postgres"], placeTables(), `SELECT * FROM "orders" WHERE "orders"."id" = $1 AND "orders"."tenant_id" = $2`)
			if _, refusal := plan.At("x", ""); refusal != nil {
				b.Fatal(refusal)
			}
		}
	})
}

// TestAtAllocatesItsText holds a promise of [sqlproof.Plan.At]: but for the text there is nothing to be made.
func TestAtAllocatesItsText(t *testing.T) {
	_, p := only("postgres")
	plan := p.Prove(`SELECT o.id FROM orders o JOIN users u ON u.tenant_id = o.tenant_id WHERE o.tenant_id = $1`)
	for at, most := range map[place]float64{{}: 0, {"x", ""}: 1, {"", "_y"}: 1, {`x"y`, `_"y`}: 1} {
		_, refusal := plan.At(at.schema, at.suffix)
		require.Nil(t, refusal)
		assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = plan.At(at.schema, at.suffix) }), most, at)
	}
}
