package mysql

import (
	"testing"

	"github.com/sqlc-dev/marino/parser"

	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// proven are statements of each class: what GORM writes with the conditions of the callbacks, and what people write.
var proven = []prooftest.Statement{
	{Comment: "First", SQL: "SELECT * FROM `users` WHERE `users`.`id` = ? AND `users`.`tenant_id` = ? ORDER BY `users`.`id` LIMIT 1"},
	{Comment: "Joins", SQL: "SELECT `users`.`id`,`users`.`name`,`Company`.`id` AS `Company__id`,`Company`.`name` AS `Company__name` FROM `users` LEFT JOIN `companies` `Company` ON `users`.`company_id` = `Company`.`id` AND `Company`.`tenant_id` = ? WHERE `users`.`tenant_id` = ?"},
	{Comment: "Insert", SQL: "INSERT INTO `users` (`name`,`age`,`tenant_id`) VALUES (?,?,?) ON DUPLICATE KEY UPDATE `id`=`id`"},
	{Comment: "Update", SQL: "UPDATE `users` SET `name`=?,`age`=? WHERE id = ? AND `users`.`tenant_id` = ?"},
	{Comment: "Delete", SQL: "DELETE FROM `users` WHERE id = ? AND `users`.`tenant_id` = ?"},
	{Comment: "CTE", SQL: "WITH o AS (SELECT user_id, sum(amount) AS total FROM orders WHERE state = ? AND tenant_id = ? GROUP BY user_id) SELECT u.name, o.total, rank() OVER (ORDER BY o.total DESC) FROM users u LEFT JOIN o ON o.user_id = u.id WHERE u.tenant_id = ? AND u.id IN (SELECT user_id FROM items WHERE tenant_id = ?) ORDER BY 2 DESC"},
}

// BenchmarkProve is the first sight of a text that binds its tables itself.
func BenchmarkProve(b *testing.B) { prooftest.BenchProve(b, New(), proven) }

// BenchmarkRewrite is that of one that conditions are added to.
func BenchmarkRewrite(b *testing.B) { prooftest.BenchRewrite(b, New(), proven) }

func BenchmarkParse(b *testing.B) {
	prooftest.BenchParse(b, proven, func(sql string) error {
		_, _, err := parser.New().Parse(sql, "", "")
		return err
	})
}
