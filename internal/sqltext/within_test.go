package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithin(t *testing.T) {
	t.Parallel()
	mine := func(name string) bool { return name != "countries" }
	for sql, want := range map[string]string{
		`CREATE TABLE "tags" ("id" bigserial, CONSTRAINT "x" FOREIGN KEY ("a") REFERENCES "orders"("id"), FOREIGN KEY (b) REFERENCES "countries"("code"))`: `CREATE TABLE "s"."tags" ("id" bigserial, CONSTRAINT "x" FOREIGN KEY ("a") REFERENCES "s"."orders"("id"), FOREIGN KEY (b) REFERENCES "countries"("code"))`,
		`CREATE TABLE IF NOT EXISTS "other"."countries" (id int)`:            `CREATE TABLE IF NOT EXISTS "other"."countries" (id int)`,
		`DROP TABLE IF EXISTS "tags" CASCADE`:                                `DROP TABLE IF EXISTS "s"."tags" CASCADE`,
		`DROP TABLE a, b`:                                                    `DROP TABLE "s".a, "s".b`,
		`ALTER TABLE "tags" ADD "extra" text`:                                `ALTER TABLE "s"."tags" ADD "extra" text`,
		`ALTER TABLE "tags" RENAME TO "tags2"`:                               `ALTER TABLE "s"."tags" RENAME TO "tags2"`,
		`CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "tags" ("a")`: `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "i" ON "s"."tags" ("a")`,
		`DROP INDEX "i"`:                                                     `DROP INDEX "s"."i"`,
		`DROP INDEX "s"."i"`:                                                 `DROP INDEX "s"."i"`,
		`ALTER INDEX "i" RENAME TO "j"`:                                      `ALTER INDEX "s"."i" RENAME TO "j"`,
		`CREATE SEQUENCE IF NOT EXISTS q AS bigint`:                          `CREATE SEQUENCE IF NOT EXISTS "s".q AS bigint`,
		`ALTER SEQUENCE q OWNED BY "tags"."id"`:                              `ALTER SEQUENCE "s".q OWNED BY "s"."tags"."id"`,
		`DROP SEQUENCE IF EXISTS q`:                                          `DROP SEQUENCE IF EXISTS "s".q`,
		`COMMENT ON COLUMN "tags"."a" IS 'x'`:                                `COMMENT ON COLUMN "s"."tags"."a" IS 'x'`,
		`CREATE OR REPLACE VIEW "v" AS SELECT 1`:                             `CREATE OR REPLACE VIEW "s"."v" AS SELECT 1`,
		`DROP VIEW IF EXISTS "v"`:                                            `DROP VIEW IF EXISTS "s"."v"`,
		`SELECT * FROM "tags" LIMIT $1`:                                      `SELECT * FROM "s"."tags" LIMIT $1`,
		`SELECT count(*) FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA()`: `SELECT count(*) FROM information_schema.tables WHERE table_schema = CURRENT_SCHEMA()`,
	} {
		got, ok := Postgres.Within(sql, "s", mine)
		require.True(t, ok, sql)
		require.Equal(t, want, got)
	}
	for _, sql := range []string{`VACUUM tags`, `CREATE TABLE`, `DROP`, `DO $$ BEGIN END $$`, `ALTER TYPE mood ADD VALUE 'x'`, `'`, `DROP TABLE other.tags`, `CREATE TABLE a (b int REFERENCES x.y)` + `;`} {
		_, ok := Postgres.Within(sql, "s", mine)
		require.False(t, ok, sql)
	}
	require.Equal(t, []string{"orders", "countries"}, Postgres.References(`CREATE TABLE x (a int REFERENCES "orders", b int REFERENCES countries (id))`))
}
