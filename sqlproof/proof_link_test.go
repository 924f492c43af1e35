package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestLinks shows when rows of a join table are the tenant's by what they are joined with.
func TestLinks(t *testing.T) {
	check(t, sqlite.New(), []rule{
		{
			"rows of a join table are the tenant's if those at their ends are",
			"SELECT pt.tag_id FROM product_tags pt",
			"SELECT pt.tag_id FROM product_tags pt WHERE {link pt}\n" +
				"products at 0; tags at 1; products at 2; tags at 3",
		},
		{
			"joined with both ends, which are bound, they are",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id JOIN tags t ON " +
				"pt.tag_id = t.id WHERE p.tenant_id = 'a' AND t.tenant_id = 'a'",
			"check 'a' for products; check 'a' for tags",
		},
		{
			"or which will be",
			"SELECT pt.tag_id FROM product_tags pt, products p, tags t WHERE p.id = pt.product_id AND " +
				"pt.tag_id = t.id",
			"SELECT pt.tag_id FROM product_tags pt, products p, tags t WHERE {p} AND {t} AND (p.id = " +
				"pt.product_id AND pt.tag_id = t.id)\n" +
				"products at 0; tags at 1",
		},
		{
			"not with one end alone",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a'",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE {link pt} " +
				"AND (p.tenant_id = 'a')\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products",
		},
		{
			"not by another column",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.category_id = pt.product_id JOIN tags " +
				"t ON t.id = pt.tag_id WHERE p.tenant_id = 'a' AND t.tenant_id = 'a'",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.category_id = pt.product_id JOIN " +
				"tags t ON t.id = pt.tag_id WHERE {link pt} AND (p.tenant_id = 'a' AND t.tenant_id = 'a')\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"not by another column of the join table",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.tag_id JOIN tags t ON t.id = " +
				"pt.tag_id WHERE p.tenant_id = 'a' AND t.tenant_id = 'a'",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.tag_id JOIN tags t ON t.id = " +
				"pt.tag_id WHERE {link pt} AND (p.tenant_id = 'a' AND t.tenant_id = 'a')\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"not by another comparison",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id >= pt.product_id JOIN tags t ON " +
				"t.id = pt.tag_id WHERE p.tenant_id = 'a' AND t.tenant_id = 'a'",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id >= pt.product_id JOIN tags t ON " +
				"t.id = pt.tag_id WHERE {link pt} AND (p.tenant_id = 'a' AND t.tenant_id = 'a')\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"not with tables that are something else",
			"SELECT pt.tag_id FROM product_tags pt JOIN orders p ON p.id = pt.product_id JOIN customers t ON " +
				"t.id = pt.tag_id WHERE p.tenant_id = 'a' AND t.tenant_id = 'a'",
			"SELECT pt.tag_id FROM product_tags pt JOIN orders p ON p.id = pt.product_id JOIN customers t ON " +
				"t.id = pt.tag_id WHERE {link pt} AND (p.tenant_id = 'a' AND t.tenant_id = 'a')\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for orders; check 'a' for customers",
		},
		{
			"not where the end may be missing",
			"SELECT pt.tag_id FROM product_tags pt LEFT JOIN products p ON p.id = pt.product_id LEFT JOIN tags " +
				"t ON t.id = pt.tag_id WHERE p.tenant_id = 'a' AND t.tenant_id = 'a'",
			"SELECT pt.tag_id FROM product_tags pt LEFT JOIN products p ON p.id = pt.product_id LEFT JOIN " +
				"tags t ON t.id = pt.tag_id WHERE {link pt} AND (p.tenant_id = 'a' AND t.tenant_id = 'a')\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"not by bare columns",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = product_id JOIN tags t ON t.id = " +
				"tag_id WHERE p.tenant_id = 'a' AND t.tenant_id = 'a'",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = product_id JOIN tags t ON t.id " +
				"= tag_id WHERE {link pt} AND (p.tenant_id = 'a' AND t.tenant_id = 'a')\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"not through a subquery around a table",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id FULL JOIN tags t ON " +
				"t.id = pt.tag_id",
			"SELECT pt.tag_id FROM (SELECT * FROM product_tags WHERE {link product_tags}) pt JOIN (SELECT * " +
				"FROM products WHERE {products}) p ON p.id = pt.product_id FULL JOIN (SELECT * FROM tags WHERE " +
				"{tags}) t ON t.id = pt.tag_id\n" +
				"products at 0; tags at 1; products at 2; tags at 3; products at 4; tags at 5",
		},
		{
			"where the join table may be missing, the condition goes to ON",
			"SELECT p.id FROM products p LEFT JOIN product_tags pt ON pt.product_id = p.id WHERE p.tenant_id = " +
				"'a'",
			"SELECT p.id FROM products p LEFT JOIN product_tags pt ON {link pt} AND (pt.product_id = p.id) " +
				"WHERE p.tenant_id = 'a'\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products",
		},
		{
			"in a full join it is put in a subquery",
			"SELECT p.id FROM products p FULL JOIN product_tags pt ON pt.product_id = p.id WHERE p.tenant_id = " +
				"'a'",
			"SELECT p.id FROM products p FULL JOIN (SELECT * FROM product_tags WHERE {link product_tags}) pt " +
				"ON pt.product_id = p.id WHERE p.tenant_id = 'a'\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products",
		},
		{
			"a join table that goes by the name of an end",
			"SELECT tags.tag_id FROM product_tags AS tags",
			"refused: the tenant's condition could not be added: it does not bind the table",
		},
		{
			"a common table expression with the name of an end",
			"WITH tags AS (SELECT 1 AS id) SELECT pt.tag_id FROM product_tags pt",
			"refused: the tenant's condition could not be added: it does not bind the table",
		},
		{
			"a key that has the tenant in it says whose the row is",
			"SELECT o.tag_id FROM order_tags o",
			"SELECT o.tag_id FROM order_tags o WHERE {o.shop} AND EXISTS (SELECT 1 FROM `tags` WHERE " +
				"`tags`.`id` = `o`.`tag_id` AND {tags})\n" +
				"orders at 0; tags at 1",
		},
		{
			"by both ends",
			"SELECT o.tag_id FROM order_tags o WHERE o.shop = 'a'",
			"SELECT o.tag_id FROM order_tags o WHERE {o.shop} AND EXISTS (SELECT 1 FROM `tags` WHERE " +
				"`tags`.`id` = `o`.`tag_id` AND {tags}) AND (o.shop = 'a')\n" +
				"orders at 0; tags at 1",
		},
		{
			"a join with the row is not enough for it",
			"SELECT o.tag_id FROM order_tags o JOIN orders x ON x.id = o.order_id AND x.tenant_id = o.shop " +
				"JOIN tags t ON t.id = o.tag_id WHERE x.tenant_id = 'a' AND t.tenant_id = 'a'",
			"SELECT o.tag_id FROM order_tags o JOIN orders x ON x.id = o.order_id AND x.tenant_id = o.shop " +
				"JOIN tags t ON t.id = o.tag_id WHERE {o.shop} AND EXISTS (SELECT 1 FROM `tags` WHERE " +
				"`tags`.`id` = `o`.`tag_id` AND {tags}) AND (x.tenant_id = 'a' AND t.tenant_id = 'a')\n" +
				"orders at 0; tags at 1; check 'a' for orders; check 'a' for tags",
		},
		{
			"rows of a join table need somebody to look at their ends",
			"INSERT INTO product_tags (product_id, tag_id) VALUES (?, ?)",
			"needs ends of product_tags",
		},
		{
			"they are given the tenant if the key has it",
			"INSERT INTO order_tags (order_id, tag_id) VALUES (1, 2)",
			"INSERT INTO order_tags (order_id, tag_id, `shop`) VALUES (1, 2, ?)\n" +
				"orders at 0; needs ends of order_tags",
		},
		{
			"or what is given is looked at",
			"INSERT INTO order_tags (order_id, tag_id, shop) VALUES (1, 2, 'b')",
			"check 'b' stored for orders; needs ends of order_tags",
		},
		{
			"a row of a join table that an upsert meets",
			"INSERT INTO product_tags (product_id, tag_id) VALUES (?, 3) ON CONFLICT (tag_id) DO UPDATE SET " +
				"product_id = 1",
			"INSERT INTO product_tags (product_id, tag_id) VALUES (?, 3) ON CONFLICT (tag_id) DO UPDATE SET " +
				"product_id = 1 WHERE {link product_tags}\n" +
				"products at 1; tags at 2; products at 3; tags at 4; needs ends of product_tags",
		},
		{
			"a delete from a join table",
			"DELETE FROM product_tags WHERE tag_id = 1 OR tag_id = 2",
			"DELETE FROM product_tags WHERE {link product_tags} AND (tag_id = 1 OR tag_id = 2)\n" +
				"products at 0; tags at 1; products at 2; tags at 3",
		},
		{
			"an update that joins other rows needs somebody too",
			"UPDATE product_tags SET tag_id = ? WHERE product_id = 1",
			"UPDATE product_tags SET tag_id = ? WHERE {link product_tags} AND (product_id = 1)\n" +
				"products at 1; tags at 2; products at 3; tags at 4; needs ends of product_tags",
		},
		{
			"one that does not needs nobody",
			"UPDATE product_tags SET position = ? WHERE product_id = 1",
			"UPDATE product_tags SET position = ? WHERE {link product_tags} AND (product_id = 1)\n" +
				"products at 1; tags at 2; products at 3; tags at 4",
		},
		{
			"a key of two columns is joined by both",
			"SELECT s.tag_id FROM shelf_tags s JOIN products p ON p.shelf = s.shelf AND p.place = s.place JOIN " +
				"tags t ON t.id = s.tag_id",
			"SELECT s.tag_id FROM shelf_tags s JOIN products p ON p.shelf = s.shelf AND p.place = s.place " +
				"JOIN tags t ON t.id = s.tag_id WHERE {p} AND {t}\n" +
				"products at 0; tags at 1",
		},
		{
			"nor is a query that is in a list",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a' AND 1 IN (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id = 'a')",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE {link pt} " +
				"AND (p.tenant_id = 'a' AND 1 IN (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id = " +
				"'a'))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"another join table's parents are not its own",
			"SELECT pt.tag_id FROM product_tags pt, product_tags l, products p, tags t WHERE p.id = " +
				"l.product_id AND t.id = l.tag_id",
			"SELECT pt.tag_id FROM product_tags pt, product_tags l, products p, tags t WHERE {p} AND {t} AND " +
				"{link pt} AND (p.id = l.product_id AND t.id = l.tag_id)\n" +
				"products at 0; tags at 1; products at 2; tags at 3; products at 4; tags at 5",
		},
		{
			"a parent is not another one of its kind",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id JOIN tags t ON t.id " +
				"= pt.tag_id, products q WHERE q.tenant_id = 'a' AND q.id = p.id",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id JOIN tags t ON " +
				"t.id = pt.tag_id, products q WHERE {p} AND {t} AND (q.tenant_id = 'a' AND q.id = p.id)\n" +
				"products at 0; tags at 1; check 'a' for products",
		},
		{
			"the tenant of a key is a value",
			"SELECT o.tag_id FROM order_tags o JOIN countries c ON o.shop = c.code JOIN tags t ON t.id = " +
				"o.tag_id WHERE t.tenant_id = 'a'",
			"SELECT o.tag_id FROM order_tags o JOIN countries c ON o.shop = c.code JOIN tags t ON t.id = " +
				"o.tag_id WHERE {o.shop} AND EXISTS (SELECT 1 FROM `tags` WHERE `tags`.`id` = `o`.`tag_id` AND " +
				"{tags}) AND (t.tenant_id = 'a')\n" +
				"orders at 0; tags at 1; check 'a' for tags",
		},
		{
			"a join table of which no end is known",
			"SELECT l.id FROM loose_tags l",
			"refused: the tenant's condition could not be added: the text with it is not understood",
		},
		{
			"not through parents that are put in subqueries",
			"SELECT pt.tag_id FROM products p FULL JOIN tags t ON t.id = p.id JOIN product_tags pt ON " +
				"pt.product_id = p.id AND pt.tag_id = t.id",
			"SELECT pt.tag_id FROM (SELECT * FROM products WHERE {products}) p FULL JOIN (SELECT * FROM tags " +
				"WHERE {tags}) t ON t.id = p.id JOIN product_tags pt ON pt.product_id = p.id AND pt.tag_id = " +
				"t.id WHERE {link pt}\n" +
				"products at 0; tags at 1; products at 2; tags at 3; products at 4; tags at 5",
		},
		{
			"not by the key of another table",
			"SELECT pt.tag_id FROM product_tags pt, products p, tags t, countries k WHERE k.id = pt.product_id " +
				"AND k.id = pt.tag_id AND p.tenant_id = 'a' AND t.tenant_id = 'a'",
			"SELECT pt.tag_id FROM product_tags pt, products p, tags t, countries k WHERE {link pt} AND " +
				"(k.id = pt.product_id AND k.id = pt.tag_id AND p.tenant_id = 'a' AND t.tenant_id = 'a')\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"the tenant in a key stays the tenant's",
			"UPDATE order_tags SET shop = note",
			"refused: table order_tags: column shop is to hold another tenant, or SQL that could be one",
		},
	})
}
