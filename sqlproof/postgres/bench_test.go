package postgres

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// proven are statements of each class: what GORM writes with the conditions of the callbacks, and what people write.
var proven = []struct{ name, sql string }{
	{"First", `SELECT * FROM "users" WHERE "users"."id" = $1 AND "users"."tenant_id" = $2 ORDER BY "users"."id" LIMIT $3`},
	{"Joins", `SELECT "users"."id","users"."name","Company"."id" AS "Company__id","Company"."name" AS "Company__name" FROM "users" LEFT JOIN "companies" "Company" ON "users"."company_id" = "Company"."id" AND "Company"."tenant_id" = $1 WHERE "users"."tenant_id" = $2`},
	{"Insert", `INSERT INTO "users" ("name","age","tenant_id") VALUES ($1,$2,$3) ON CONFLICT ("id") DO NOTHING RETURNING "id"`},
	{"Update", `UPDATE "users" SET "name"=$1,"age"=$2 WHERE id = $3 AND "users"."tenant_id" = $4`},
	{"Delete", `DELETE FROM "users" WHERE id = $1 AND "users"."tenant_id" = $2`},
	{"CTE", `WITH o AS (SELECT user_id, sum(amount) AS total FROM orders WHERE state = $1 AND tenant_id = $2 GROUP BY user_id) SELECT u.name, o.total, rank() OVER (ORDER BY o.total DESC) FROM users u LEFT JOIN o ON o.user_id = u.id WHERE u.tenant_id = $2 AND u.id IN (SELECT user_id FROM items WHERE tenant_id = $2) ORDER BY 2 DESC`},
}

// BenchmarkProve is the first sight of a text that binds its tables itself: read and proven, without the cache.
func BenchmarkProve(b *testing.B) {
	p := sqlproof.NewProver(New(), tables(), 1) // too small to keep anything
	for _, s := range proven {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if plan := p.Prove(s.sql); plan.Refusal != nil || plan.Rewritten() {
					b.Fatal(plan.SQL, plan.Refusal)
				}
			}
		})
	}
}

// BenchmarkRewrite is that of one that conditions are added to: it is read twice, and the trees are compared.
func BenchmarkRewrite(b *testing.B) {
	p := sqlproof.NewProver(New(), tables(), 1)
	for _, s := range proven {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if plan := p.ProveStrictly(s.sql); plan.Refusal != nil {
					b.Fatal(plan.Refusal)
				}
			}
		})
	}
}

// BenchmarkParse is what of this the parser takes.
func BenchmarkParse(b *testing.B) {
	for _, s := range proven {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parse(s.sql); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
