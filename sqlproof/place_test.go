package sqlproof_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// placeTables are some of each class.
func placeTables() prooftest.Tables {
	all := prooftest.Tables{}.Own("orders", "users", "tags").Open("countries", "plans").Link("user_tags", "users", "tags")
	all["notes"] = sqlproof.Table{Class: sqlproof.Placed, Name: "notes"}
	all["plans"] = sqlproof.Table{Class: sqlproof.Open, Name: "plans", Home: true}
	return all
}

// only returns the analyzer of one dialect, and a prover of it.
func only(dialect string) (sqlproof.Analyzer, *sqlproof.Prover) {
	a := analyzers()[dialect]
	return a, sqlproof.NewProver(a, placeTables(), 0)
}

func TestTablesOfAPlan(t *testing.T) {
	t.Parallel()
	tables := placeTables()
	for _, dialect := range []string{"postgres", "mysql", "sqlite"} {
		_, p := only(dialect)
		for sql, want := range map[string]struct {
			home   string
			tables []string
		}{
			"SELECT * FROM orders o JOIN orders p ON p.id = o.id WHERE o.tenant_id = 'a' AND p.tenant_id = 'a'": {"", []string{"orders"}},
			"SELECT * FROM orders, countries, plans":                                                            {"plans", []string{"orders"}},
			"SELECT * FROM plans":                                                                               {"plans", nil},
			"SELECT * FROM countries":                                                                           {"", nil},
			"SELECT 1":                                                                                          {"", nil},
			"SELECT * FROM notes WHERE id IN (SELECT id FROM users)":                                            {"", []string{"notes", "users"}},
			"SELECT * FROM user_tags":                                                                           {"", []string{"user_tags", "users", "tags"}}, // its condition reads its ends
			"WITH notes AS (SELECT * FROM plans) SELECT * FROM notes":                                           {"plans", nil},
			"INSERT INTO orders (id) SELECT id FROM notes":                                                      {"", []string{"orders", "notes"}},
			"SELECT * FROM orders WHERE id IN (SELECT id FROM notes WHERE id IN (SELECT 1 FROM plans))": {"plans", []string{"orders", "notes"}},
		} {
			for range 2 { // the second comes from the cache
				plan := p.Prove(sql)
				require.Nil(t, plan.Refusal, sql)
				names := []string(nil)
				for _, table := range plan.Tables {
					names = append(names, table.Name)
					assert.Equal(t, tables[table.Name], table)
				}
				assert.Equal(t, want.tables, names, sql)
				assert.Equal(t, want.home, plan.Home, sql)
			}
		}
		long := p.Prove(numberMarks(dialect, "SELECT * FROM orders, plans WHERE orders.id IN (?, ?, ?)"))
		require.Nil(t, long.Refusal)
		assert.Equal(t, "plans", long.Home)
		assert.Equal(t, []sqlproof.Table{tables["orders"]}, long.Tables)
	}
}

// placeCase is a text, where its tables are, and what is sent, or a part of the refusal.
type placeCase struct{ dialect, sql, schema, suffix, want string }

func TestAt(t *testing.T) {
	t.Parallel()
	for _, c := range []placeCase{
		{"postgres", `SELECT * FROM notes`, "", "", `SELECT * FROM notes`},
		{"postgres", `SELECT * FROM notes`, "x", "", `SELECT * FROM "x".notes`},
		{"postgres", `SELECT * FROM public.notes`, "", "", `SELECT * FROM public.notes`},
		{"postgres", `SELECT * FROM public.countries, plans, pg_catalog.countries c`, "x", "_y", `SELECT * FROM public.countries, plans, pg_catalog.countries c`},
		{"postgres", `TABLE notes`, "x", "", `TABLE "x".notes`},
		{"postgres", `TABLE notes`, "x", "_y", `TABLE "x"."notes_y"`},
		{"postgres", `SELECT * FROM (TABLE notes) n`, "", "_y", `SELECT * FROM (TABLE "notes_y") n`},
		{"postgres", `SELECT * FROM ONLY(notes), notes*, notes AS n (a, b)`, "", "_y", `SELECT * FROM ONLY("notes_y") AS "notes", "notes_y"* AS "notes", "notes_y" AS n (a, b)`},
		{"postgres", `WITH notes AS (SELECT 1) SELECT * FROM notes, orders WHERE orders.tenant_id = 'a'`, "x", "_y", `WITH notes AS (SELECT 1) SELECT * FROM notes, "x"."orders_y" AS "orders" WHERE orders.tenant_id = 'a'`},
		{"postgres", `SELECT*FROM"notes"`, "x", "", `SELECT*FROM"x"."notes"`},
		{"postgres", `SELECT*FROM"notes"WHERE true`, "", "_y", `SELECT*FROM"notes_y" AS "notes"WHERE true`},
		{"postgres", `SELECT * FROM notes"n"`, "", "_y", `SELECT * FROM "notes_y" "n"`},
		{"postgres", `INSERT INTO notes DEFAULT VALUES`, "x", "_y", `INSERT INTO "x"."notes_y" AS "notes" DEFAULT VALUES`},
		{"postgres", `SELECT s.notes FROM notes s`, "x", "_y", `SELECT s.notes FROM "x"."notes_y" s`},
		{"postgres", `DELETE FROM user_tags`, "x", "", `DELETE FROM "x".user_tags WHERE ((EXISTS (SELECT 1 FROM "x"."users" WHERE "users"."id" = "user_tags"."user_id" AND "users"."tenant_id" = $1) AND EXISTS (SELECT 1 FROM "x"."tags" WHERE "tags"."id" = "user_tags"."tag_id" AND "tags"."tenant_id" = $2)) OR (EXISTS (SELECT 1 FROM "x"."users" WHERE "users"."id" = "user_tags"."user_id" AND "users"."tenant_id" = $1) AND NOT EXISTS (SELECT 1 FROM "x"."tags" WHERE "tags"."id" = "user_tags"."tag_id")) OR (EXISTS (SELECT 1 FROM "x"."tags" WHERE "tags"."id" = "user_tags"."tag_id" AND "tags"."tenant_id" = $2) AND NOT EXISTS (SELECT 1 FROM "x"."users" WHERE "users"."id" = "user_tags"."user_id")))`},
		{"mysql", "SELECT * FROM notes PARTITION (p0, p1) USE INDEX (i)", "", "_y", "SELECT * FROM `notes_y` PARTITION (p0, p1) AS `notes` USE INDEX (i)"},
		{"mysql", "TABLE notes", "x", "_y", "TABLE `x`.`notes_y`"},
		{"mysql", "INSERT INTO notes PARTITION (p0) (id) VALUES (1)", "x", "_y", "INSERT INTO `x`.`notes_y` PARTITION (p0) (id) VALUES (1)"},
		{"mysql", "INSERT INTO notes (id) VALUES (1) ON DUPLICATE KEY UPDATE a = notes.a, b = Notes.a", "", "_y", "INSERT INTO `notes_y` (id) VALUES (1) ON DUPLICATE KEY UPDATE a = `notes_y`.a, b = `Notes_y`.a"},
		{"mysql", "DELETE FROM notes WHERE notes.id = 1 AND EXISTS (SELECT 1 FROM countries WHERE countries.id = notes.id)", "", "_y", "DELETE FROM `notes_y` WHERE `notes_y`.id = 1 AND EXISTS (SELECT 1 FROM countries WHERE countries.id = `notes_y`.id)"},
		{"mysql", "DELETE notes FROM notes JOIN countries ON true", "x", "", "DELETE notes FROM `x`.notes AS `notes` JOIN countries ON true"},
		{"mysql", "DELETE FROM notes USING notes JOIN countries ON true", "x", "_y", "DELETE FROM notes USING `x`.`notes_y` AS `notes` JOIN countries ON true"},
		{"mysql", "DELETE countries FROM countries JOIN notes USING (id)", "x", "", "DELETE countries FROM countries JOIN `x`.notes USING (id)"},
		{"sqlite", "SELECT * FROM notes NOT INDEXED", "", "_y", "SELECT * FROM `notes_y` AS `notes` NOT INDEXED"},
		{"sqlite", "SELECT * FROM [notes], 'notes' n", "", "_y", "SELECT * FROM `notes_y` AS `notes`, `notes_y` n"},
		{"sqlite", "UPDATE notes AS n SET a = 1 RETURNING notes.a, (SELECT notes.id FROM notes)", "", "_y", "UPDATE `notes_y` AS n SET a = 1 RETURNING `notes_y`.a, (SELECT notes.id FROM `notes_y` AS `notes`)"},
		{"sqlite", "INSERT INTO notes (a) SELECT notes.a FROM notes RETURNING notes.a", "", "_y", "INSERT INTO `notes_y` AS `notes` (a) SELECT notes.a FROM `notes_y` AS `notes` RETURNING `notes_y`.a"},
	} {
		t.Run(c.dialect+" "+c.sql, func(t *testing.T) {
			t.Parallel()
			_, p := only(c.dialect)
			plan := p.Prove(c.sql)
			require.Nil(t, plan.Refusal)
			for range 2 {
				sql, refusal := plan.At(c.schema, c.suffix)
				require.Nil(t, refusal)
				assert.Equal(t, c.want, sql)
			}
		})
	}
}

func TestAtRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []placeCase{
		{"postgres", `SELECT * FROM notes, x.users`, "x", "", `table users: it is named with schema x; the tenant's placement says where the table is (line 1, column 22): leave the schema out`},
		{"postgres", `SELECT * FROM x.notes`, "", "_y", `named with schema x`},
		{"postgres", `SELECT x.notes.id FROM notes`, "x", "", `a column of table notes is named with a schema`},
		{"postgres", `SELECT x.notes.* FROM notes`, "", "_y", `a column of table notes is named with a schema`},
		{"postgres", `TABLE notes ORDER BY notes.id`, "", "_y", `takes no alias here (line 1, column 22)`},
		{"postgres", `WITH notes_y AS (SELECT * FROM notes) SELECT * FROM notes_y`, "", "_y", `goes by the name of a common table expression`},
		{"postgres", `WITH a AS (WITH NOTES_Y AS (SELECT 1) SELECT 1) SELECT * FROM notes`, "", "_Y", `goes by the name of a common table expression`},
		{"postgres", `SELECT * FROM notes`, strings.Repeat("x", 64), "", `more than 63 bytes`},
		{"postgres", `SELECT * FROM notes`, "", strings.Repeat("x", 59), `more than 63 bytes`},
		{"mysql", "SELECT * FROM x.notes", "x", "", "named with schema x"},
		{"mysql", "UPDATE notes SET x.notes.a = 1", "x", "", "a column of table notes is named with a schema"},
		{"mysql", "DELETE x.notes FROM notes JOIN countries ON true", "x", "", "DELETE names table notes with a schema"},
		{"mysql", "DELETE FROM x.notes USING notes JOIN countries ON true", "", "_y", "DELETE names table notes with a schema"},
		{"mysql", "INSERT INTO notes (id) SELECT notes.id FROM notes ON DUPLICATE KEY UPDATE a = notes.b", "", "_y", "takes no alias here"},
		{"mysql", "WITH Notes_Y AS (SELECT 1) SELECT * FROM notes", "", "_y", "goes by the name of a common table expression"},
		{"sqlite", "SELECT * FROM notes", "x", "", "SQLite has no schemas for tenants"},
		{"sqlite", "SELECT * FROM notes", "x", "_y", "SQLite has no schemas for tenants"},
		{"sqlite", "SELECT * FROM main.notes", "", "_y", "named with schema main"},
		{"sqlite", "SELECT * FROM temp.notes", "", "_y", "named with schema temp"},
		{"sqlite", "SELECT main.notes.id FROM notes", "", "_y", "a column of table notes is named with a schema"},
		{"sqlite", "WITH notes_y AS (SELECT 1) SELECT * FROM notes", "", "_Y", "goes by the name of a common table expression"},
		{"sqlite", "SELECT * FROM unheard_of", "", "_y", "is in none"},
	} {
		t.Run(c.dialect+" "+c.sql, func(t *testing.T) {
			t.Parallel()
			_, p := only(c.dialect)
			plan := p.Prove(c.sql)
			for range 2 {
				sql, refusal := plan.At(c.schema, c.suffix)
				require.NotNil(t, refusal, sql)
				assert.Empty(t, sql)
				assert.Contains(t, refusal.Error(), c.want)
			}
			if plan.Refusal == nil {
				sql, refusal := plan.At("", "")
				assert.Nil(t, refusal)
				assert.Equal(t, plan.SQL, sql)
			}
		})
	}
}

// TestAtOtherPlaces has the same plans at places where nothing is in the way.
func TestAtOtherPlaces(t *testing.T) {
	t.Parallel()
	_, p := only("postgres")
	plan := p.Prove(`WITH notes_y AS (SELECT * FROM notes) SELECT * FROM notes_y`)
	sql, refusal := plan.At("", "_z")
	assert.Nil(t, refusal)
	assert.Equal(t, `WITH notes_y AS (SELECT * FROM "notes_z" AS "notes") SELECT * FROM notes_y`, sql)
	sql, refusal = plan.At("x", "_y") // with a schema it is no common table expression
	assert.Nil(t, refusal)
	assert.Equal(t, `WITH notes_y AS (SELECT * FROM "x"."notes_y" AS "notes") SELECT * FROM notes_y`, sql)
	_, refusal = plan.At("", strings.Repeat("x", 58))
	assert.Nil(t, refusal)
}

// TestLongNamesAtAPlace has names that take no long suffix.
func TestLongNamesAtAPlace(t *testing.T) {
	t.Parallel()
	tables := placeTables()
	for _, n := range []int{60, 61, 62, 63} {
		name := strings.Repeat("x", n)
		tables[name] = sqlproof.Table{Class: sqlproof.Placed, Name: name}
		for suffix, fits := range map[string]bool{"0": n <= 62, "01": n <= 61, "012": n <= 60} {
			sql, refusal := sqlproof.Fresh(analyzers()["postgres"], tables, "SELECT * FROM "+name).At("", suffix)
			require.Equal(t, fits, refusal == nil, refusal)
			if fits {
				assert.Contains(t, sql, `"`+name+suffix+`"`)
			} else {
				assert.Contains(t, refusal.Why, "63 bytes")
			}
		}
	}
}

// TestRefusalAtAPlaceHasNoPlaceInOtherText has what the application did not write before what is refused.
func TestRefusalAtAPlaceHasNoPlaceInOtherText(t *testing.T) {
	t.Parallel()
	_, p := only("postgres")
	_, refusal := p.Prove(`SELECT x.notes.id FROM orders, notes`).At("x", "")
	require.NotNil(t, refusal)
	assert.Equal(t, -1, refusal.Offset)
	_, refusal = p.Prove(`SELECT 1 FROM orders WHERE id IN (SELECT id FROM x.notes)`).At("x", "")
	require.NotNil(t, refusal)
	assert.Equal(t, 50, refusal.Column, "this one is of the application's own")
	for _, n := range []int{1, 2, 9} {
		text := `SELECT x.notes.id FROM notes WHERE id IN (` + marks(n) + `)`
		_, refusal = p.Prove(numberMarks("postgres", text)).At("x", "")
		require.NotNil(t, refusal)
		assert.Equal(t, n == 1, refusal.Line > 0, "what was found in the short form has no place in the long text")
	}
}

func TestAtIsSharedByGoroutines(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"postgres", "mysql", "sqlite"} {
		_, p := only(dialect)
		for range 20 {
			plan := sqlproof.Fresh(analyzers()[dialect], placeTables(), "SELECT orders.id FROM orders, notes")
			long := p.Prove(numberMarks(dialect, "SELECT orders.id FROM orders WHERE orders.id IN (?, ?, ?)"))
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for _, plan := range []*sqlproof.Plan{plan, long} {
						sql, refusal := plan.At("", "_x")
						assert.Nil(t, refusal)
						assert.Contains(t, sql, "orders_x")
					}
				})
			}
			all.Wait()
		}
	}
}
