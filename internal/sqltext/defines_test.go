package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDefines(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		`CREATE TABLE "countries" ("code" text,PRIMARY KEY ("code"))`:                  "countries",
		`CREATE TABLE IF NOT EXISTS "crm"."countries" (id int)`:                        "countries",
		`CREATE UNIQUE INDEX IF NOT EXISTS "idx_orders_name" ON "countries" ("name")`:  "countries",
		`ALTER TABLE "countries" ADD CONSTRAINT "fk" FOREIGN KEY ("a") REFERENCES "b"`: "countries",
		`DROP TABLE IF EXISTS "countries" CASCADE`:                                     "countries",
		`COMMENT ON COLUMN "countries"."name" IS 'x'`:                                  "countries",
		`SELECT * FROM countries`:                                                      "",
		`CREATE VIEW countries AS SELECT 1`:                                            "",
		`CREATE TABLE`:                                                                 "",
		`CREATE INDEX x`:                                                               "",
	} {
		require.Equal(t, want, Postgres.Defines(sql), sql)
	}
	require.Equal(t, "countries", MySQL.Defines("ALTER TABLE `countries` MODIFY COLUMN `a` int"))
}

func TestQualifyReferences(t *testing.T) {
	t.Parallel()
	global := func(name string) bool { return name == "flags" }
	for sql, want := range map[string]string{
		"CREATE TABLE `ships` (CONSTRAINT `x` FOREIGN KEY (`flag_id`) REFERENCES `flags`(`id`), FOREIGN KEY (a) REFERENCES ships (id))": "CREATE TABLE `ships` (CONSTRAINT `x` FOREIGN KEY (`flag_id`) REFERENCES `ho``me`.`flags`(`id`), FOREIGN KEY (a) REFERENCES ships (id))",
		"ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES other.flags (id)":                                                                 "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES other.flags (id)",
		"SELECT 'REFERENCES flags'": "SELECT 'REFERENCES flags'",
		"CREATE TABLE x (":          "CREATE TABLE x (",
	} {
		require.Equal(t, want, MySQL.QualifyReferences(sql, "ho`me", global), sql)
	}
}
