package sqlproof_test

import (
	"fmt"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

func ExampleExplain() {
	tables := prooftest.Tables{}.Own("customers", "orders", "payments").Open("countries")
	fmt.Print(sqlproof.Explain(sqlite.New(), tables, `
SELECT c.name, n.name, count(o.id)
FROM customers c
JOIN countries n ON n.code = c.country
LEFT JOIN orders o ON o.customer_id = c.id
LEFT JOIN payments p ON p.order_id = o.id AND p.tenant_id = o.tenant_id
WHERE c.tenant_id = ?
GROUP BY 1, 2`[1:]))

	// Output:
	// SELECT
	//   customers c at 2:6: bound by the condition at 6:7
	//   countries n at 3:6: belongs to no tenant
	//   orders o at 4:11: condition added to the ON of its LEFT JOIN
	//   payments p at 5:11: bound through orders o by the condition at 5:47
	// sent:
	//   SELECT c.name, n.name, count(o.id)
	//   FROM customers c
	//   JOIN countries n ON n.code = c.country
	//   LEFT JOIN orders o ON `o`.`tenant_id` = ? AND (o.customer_id = c.id)
	//   LEFT JOIN payments p ON p.order_id = o.id AND p.tenant_id = o.tenant_id
	//   WHERE c.tenant_id = ?
	//   GROUP BY 1, 2
	// argument 1 is the tenant
	// argument 2 must be the tenant, for customers
}

func ExampleExplain_refused() {
	tables := prooftest.Tables{}.Own("customers")
	fmt.Print(sqlproof.Explain(sqlite.New(), tables, "SELECT *\nFROM customers c\nJOIN strangers s ON s.id = c.id"))
	fmt.Print(sqlproof.Explain(sqlite.New(), tables, "DELETE FROM customers WHERE id = @id"))

	// Output:
	// SELECT
	//   customers c at 2:6: not looked at
	//   strangers s at 3:6: unknown
	// refused: table strangers is in none of Config.Models, Global and Reference (line 3, column 6): list it; a view too
	// refused: the text cannot be read for certain: named placeholders: use "?"
}

func ExampleExplain_sharded() {
	tables := prooftest.Tables{}
	key := sqlproof.ShardKey{Column: "customer_id", Type: "bigint", Sharding: "customers"}
	for _, name := range []string{"orders", "items"} {
		tables[name] = sqlproof.Table{Class: sqlproof.Sharded, Name: name, ShardKey: &key}
	}
	fmt.Print(sqlproof.Explain(sqlite.New(), tables, `
SELECT o.id, i.sku
FROM orders o
JOIN items i ON i.customer_id = o.customer_id AND i.order_id = o.id
WHERE o.customer_id IN (?, 7)`[1:]))
	fmt.Print(sqlproof.Explain(sqlite.New(), tables, `
SELECT o.id, i.sku
FROM orders o
JOIN items i ON i.order_id = o.id
WHERE o.customer_id = ?`[1:]))

	// Output:
	// SELECT
	//   orders o at 2:6: belongs to no tenant: its shard key says where its rows are
	//   items i at 3:6: belongs to no tenant: its shard key says where its rows are
	// sent as it is
	// the shard key of orders is argument 1 or a literal
	// SELECT
	//   orders o at 2:6: belongs to no tenant: its shard key says where its rows are
	//   items i at 3:6: belongs to no tenant: its shard key says where its rows are
	// sent as it is
	// the shard key of orders is argument 1
	// the shard key of items is not known
	// not for several placements: table items: no condition says that its rows are on the shard of those of orders o that they are joined with or compared to (line 3, column 6): equate i.customer_id with o.customer_id, or both with one value
}
