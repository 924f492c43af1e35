package mysql

import (
	"testing"

	"github.com/sqlc-dev/marino/parser"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// proven are statements of each class: what GORM writes with the conditions of the callbacks, and what people write.
var proven = []struct{ name, sql string }{
	{"First", "SELECT * FROM `users` WHERE `users`.`id` = ? AND `users`.`tenant_id` = ? ORDER BY `users`.`id` LIMIT 1"},
	{"Joins", "SELECT `users`.`id`,`users`.`name`,`Company`.`id` AS `Company__id`,`Company`.`name` AS `Company__name` FROM `users` LEFT JOIN `companies` `Company` ON `users`.`company_id` = `Company`.`id` AND `Company`.`tenant_id` = ? WHERE `users`.`tenant_id` = ?"},
	{"Insert", "INSERT INTO `users` (`name`,`age`,`tenant_id`) VALUES (?,?,?) ON DUPLICATE KEY UPDATE `id`=`id`"},
	{"Update", "UPDATE `users` SET `name`=?,`age`=? WHERE id = ? AND `users`.`tenant_id` = ?"},
	{"Delete", "DELETE FROM `users` WHERE id = ? AND `users`.`tenant_id` = ?"},
	{"CTE", "WITH o AS (SELECT user_id, sum(amount) AS total FROM orders WHERE state = ? AND tenant_id = ? GROUP BY user_id) SELECT u.name, o.total, rank() OVER (ORDER BY o.total DESC) FROM users u LEFT JOIN o ON o.user_id = u.id WHERE u.tenant_id = ? AND u.id IN (SELECT user_id FROM items WHERE tenant_id = ?) ORDER BY 2 DESC"},
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
				if _, _, err := parser.New().Parse(s.sql, "", ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
