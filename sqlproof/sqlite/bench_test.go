package sqlite

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// statements are one of each class: what GORM writes, and what people do.
var statements = []struct{ name, sql string }{
	{"First", "SELECT * FROM `users` WHERE `users`.`id` = ? AND `users`.`tenant_id` = ? ORDER BY `users`.`id` LIMIT ?"},
	{"Joins", "SELECT `users`.`id`,`users`.`name`,`Company`.`id` AS `Company__id` FROM `users` LEFT JOIN `companies` `Company` ON `users`.`company_id` = `Company`.`id` AND `Company`.`tenant_id` = ? WHERE `users`.`tenant_id` = ?"},
	{"Insert", "INSERT INTO `users` (`name`,`age`,`tenant_id`) VALUES (?,?,?) RETURNING `id`"},
	{"Update", "UPDATE `users` SET `name`=?,`age`=? WHERE id = ? AND `users`.`tenant_id` = ?"},
	{"Delete", "DELETE FROM `users` WHERE id = ? AND `users`.`tenant_id` = ?"},
	{"raw report", "WITH o AS (SELECT user_id, sum(amount) AS total FROM orders WHERE state = ? GROUP BY user_id) SELECT u.name, o.total, rank() OVER (ORDER BY o.total DESC) FROM users u LEFT JOIN o ON o.user_id = u.id WHERE EXISTS (SELECT 1 FROM items i WHERE i.user_id = u.id) ORDER BY 2 DESC"},
}

func benchTables() prooftest.Tables {
	return prooftest.Tables{}.Own("users", "companies", "orders", "items")
}

// BenchmarkFirst is the first sight of a text: read, proven, and if need be rewritten and read again.
func BenchmarkFirst(b *testing.B) {
	for _, s := range statements {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			tables := benchTables()
			for b.Loop() {
				if r := sqlproof.Fresh(New(), tables, s.sql).Refusal; r != nil {
					b.Fatal(r)
				}
			}
		})
	}
}

// BenchmarkAgain is any other: a look-up.
func BenchmarkAgain(b *testing.B) {
	p := sqlproof.NewProver(New(), benchTables(), 0)
	for _, s := range statements {
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Prove(s.sql)
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				p.Prove(statements[0].sql)
			}
		})
	})
}
