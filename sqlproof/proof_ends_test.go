package sqlproof_test

import (
	"strings"
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestLinkEnds shows when rows of a join table are the tenant's by what is looked up of their ends.
func TestLinkEnds(t *testing.T) {
	check(t, sqlite.New(), []rule{
		{
			"an end outside of the query counts",
			"SELECT p.id FROM products p JOIN tags t ON t.id = p.id WHERE p.tenant_id = 'a' AND t.tenant_id = " +
				"'a' AND EXISTS (SELECT 1 FROM product_tags pt WHERE pt.product_id = p.id AND pt.tag_id = t.id)",
			"check 'a' for products; check 'a' for tags",
		},
		{
			"the ends may be looked up",
			"SELECT pt.tag_id FROM product_tags pt WHERE EXISTS (SELECT 1 FROM products x WHERE x.id = " +
				"pt.product_id AND x.tenant_id = ?) AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND " +
				"x.tenant_id = ?)",
			"check 0 for products; check 1 for tags",
		},
		{
			"both of them",
			"SELECT pt.tag_id FROM product_tags pt WHERE EXISTS (SELECT 1 FROM products x WHERE x.id = " +
				"pt.product_id AND x.tenant_id = ?)",
			"SELECT pt.tag_id FROM product_tags pt WHERE {link pt} AND (EXISTS (SELECT 1 FROM products x " +
				"WHERE x.id = pt.product_id AND x.tenant_id = ?))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 4 for products",
		},
		{
			"each by its own column",
			"SELECT pt.tag_id FROM product_tags pt WHERE EXISTS (SELECT 1 FROM products x WHERE x.id = " +
				"pt.tag_id AND x.tenant_id = ?) AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND " +
				"x.tenant_id = ?)",
			"SELECT pt.tag_id FROM product_tags pt WHERE {link pt} AND (EXISTS (SELECT 1 FROM products x " +
				"WHERE x.id = pt.tag_id AND x.tenant_id = ?) AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = " +
				"x.id AND x.tenant_id = ?))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 4 for products; check 5 for tags",
		},
		{
			"without other conditions",
			"SELECT pt.tag_id FROM product_tags pt WHERE EXISTS (SELECT 1 FROM products x WHERE x.id = " +
				"pt.product_id AND x.tenant_id = ? AND x.active) AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id " +
				"= x.id AND x.tenant_id = ?)",
			"SELECT pt.tag_id FROM product_tags pt WHERE {link pt} AND (EXISTS (SELECT 1 FROM products x " +
				"WHERE x.id = pt.product_id AND x.tenant_id = ? AND x.active) AND EXISTS (SELECT 1 FROM tags x " +
				"WHERE pt.tag_id = x.id AND x.tenant_id = ?))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 4 for products; check 5 for tags",
		},
		{
			"one by a join, one looked up",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a' AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id = 'a')",
			"check 'a' for tags; check 'a' for products",
		},
		{
			"a group has a row where nothing was found",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a' AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id = 'a' HAVING count(*) " +
				"= 0)",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE {link pt} " +
				"AND (p.tenant_id = 'a' AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id " +
				"= 'a' HAVING count(*) = 0))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"what is missing is not bound by itself",
			"SELECT pt.tag_id FROM product_tags pt WHERE NOT EXISTS (SELECT 1 FROM tags t WHERE t.id = " +
				"pt.tag_id)",
			"SELECT pt.tag_id FROM product_tags pt WHERE {link pt} AND (NOT EXISTS (SELECT 1 FROM tags t " +
				"WHERE {t} AND (t.id = pt.tag_id)))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; tags at 4",
		},
		{
			"if the other is known too",
			"SELECT o.tag_id FROM order_tags o WHERE 'a' = o.shop AND EXISTS (SELECT 1 FROM tags t WHERE t.id " +
				"= o.tag_id AND t.tenant_id = 'a')",
			"check 'a' for orders; check 'a' for tags",
		},
		{
			"a condition on its key is one of its own",
			"SELECT o.tag_id FROM order_tags o WHERE o.shop <> 'a' AND EXISTS (SELECT 1 FROM tags t WHERE t.id " +
				"= o.tag_id AND t.tenant_id = 'a')",
			"SELECT o.tag_id FROM order_tags o WHERE {o.shop} AND EXISTS (SELECT 1 FROM `tags` WHERE " +
				"`tags`.`id` = `o`.`tag_id` AND {tags}) AND (o.shop <> 'a' AND EXISTS (SELECT 1 FROM tags t " +
				"WHERE t.id = o.tag_id AND t.tenant_id = 'a'))\n" +
				"orders at 0; tags at 1; check 'a' for tags",
		},
		{
			"one of them is not enough",
			"SELECT s.tag_id FROM shelf_tags s JOIN products p ON p.shelf = s.shelf JOIN tags t ON t.id = " +
				"s.tag_id WHERE t.tenant_id = 'a' AND EXISTS (SELECT 1 FROM products x WHERE x.place = s.place AND " +
				"x.tenant_id = 'a')",
			"SELECT s.tag_id FROM shelf_tags s JOIN products p ON p.shelf = s.shelf JOIN tags t ON t.id = " +
				"s.tag_id WHERE {p} AND ((EXISTS (SELECT 1 FROM `products` WHERE `products`.`shelf` = " +
				"`s`.`shelf` AND `products`.`place` = `s`.`place` AND {products}) AND EXISTS (SELECT 1 FROM " +
				"`tags` WHERE `tags`.`id` = `s`.`tag_id` AND {tags})) OR (EXISTS (SELECT 1 FROM `products` WHERE " +
				"`products`.`shelf` = `s`.`shelf` AND `products`.`place` = `s`.`place` AND {products}) AND NOT " +
				"EXISTS (SELECT 1 FROM `tags` WHERE `tags`.`id` = `s`.`tag_id`)) OR (EXISTS (SELECT 1 FROM " +
				"`tags` WHERE `tags`.`id` = `s`.`tag_id` AND {tags}) AND NOT EXISTS (SELECT 1 FROM `products` " +
				"WHERE `products`.`shelf` = `s`.`shelf` AND `products`.`place` = `s`.`place`))) AND (t.tenant_id " +
				"= 'a' AND EXISTS (SELECT 1 FROM products x WHERE x.place = s.place AND x.tenant_id = 'a'))\n" +
				"products at 0; products at 1; tags at 2; products at 3; tags at 4; check 'a' for tags; check 'a' " +
				"for products",
		},
		{
			"an aggregate has a row always",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a' AND EXISTS (SELECT count(*) FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id = 'a')",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE {link pt} " +
				"AND (p.tenant_id = 'a' AND EXISTS (SELECT count(*) FROM tags x WHERE pt.tag_id = x.id AND " +
				"x.tenant_id = 'a'))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"groups are not counted",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a' AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id = 'a' GROUP BY x.id)",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE {link pt} " +
				"AND (p.tenant_id = 'a' AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id " +
				"= 'a' GROUP BY x.id))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"nor is what has a limit",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a' AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id = 'a' LIMIT 1)",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE {link pt} " +
				"AND (p.tenant_id = 'a' AND EXISTS (SELECT 1 FROM tags x WHERE pt.tag_id = x.id AND x.tenant_id " +
				"= 'a' LIMIT 1))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"nor are two tables",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a' AND EXISTS (SELECT 1 FROM tags x, countries WHERE pt.tag_id = x.id AND x.tenant_id = 'a')",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE {link pt} " +
				"AND (p.tenant_id = 'a' AND EXISTS (SELECT 1 FROM tags x, countries WHERE pt.tag_id = x.id AND " +
				"x.tenant_id = 'a'))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for tags",
		},
		{
			"nor is another table",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE p.tenant_id = " +
				"'a' AND EXISTS (SELECT 1 FROM orders x WHERE pt.tag_id = x.id AND x.tenant_id = 'a')",
			"SELECT pt.tag_id FROM product_tags pt JOIN products p ON p.id = pt.product_id WHERE {link pt} " +
				"AND (p.tenant_id = 'a' AND EXISTS (SELECT 1 FROM orders x WHERE pt.tag_id = x.id AND " +
				"x.tenant_id = 'a'))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; check 'a' for products; check 'a' for orders",
		},
		{
			"nor is one that is compared with another row's column",
			"SELECT pt.tag_id FROM product_tags pt JOIN product_tags l ON l.tag_id = pt.tag_id JOIN products p " +
				"ON p.id = pt.product_id WHERE p.tenant_id = 'a' AND EXISTS (SELECT 1 FROM tags x WHERE l.tag_id = " +
				"x.id AND x.tenant_id = 'a')",
			"SELECT pt.tag_id FROM product_tags pt JOIN product_tags l ON l.tag_id = pt.tag_id JOIN products " +
				"p ON p.id = pt.product_id WHERE {link pt} AND {link l} AND (p.tenant_id = 'a' AND EXISTS " +
				"(SELECT 1 FROM tags x WHERE l.tag_id = x.id AND x.tenant_id = 'a'))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; products at 4; tags at 5; products at 6; tags " +
				"at 7; check 'a' for products; check 'a' for tags",
		},
		{
			"what is looked up must be the tenant's",
			"SELECT pt.tag_id FROM product_tags pt WHERE EXISTS (SELECT 1 FROM products x WHERE x.id = " +
				"pt.product_id) AND EXISTS (SELECT 1 FROM tags x WHERE x.id = pt.tag_id)",
			"SELECT pt.tag_id FROM product_tags pt WHERE {link pt} AND (EXISTS (SELECT 1 FROM products x " +
				"WHERE {x} AND (x.id = pt.product_id)) AND EXISTS (SELECT 1 FROM tags x WHERE {x} AND (x.id = " +
				"pt.tag_id)))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; products at 4; tags at 5",
		},
	})
}

// TestLinkForm shows which condition is recognised that has an end missing. In its rules, e1 says that there is a row
// of the tenant's at the first end, m1 that there is one at all, and c1 is m1 with the tenant's condition added.
func TestLinkForm(t *testing.T) {
	rules := []rule{
		{
			"the whole form, in another order",
			"SELECT l.tag_id FROM product_tags l WHERE (e2 AND NOT m1) OR (e1 AND e2 OR e1 AND NOT m2)",
			"check 'a' for tags; check 'a' for products",
		},
		{
			"without an arm it is not the form",
			"SELECT l.tag_id FROM product_tags l WHERE e1 AND e2 OR e1 AND NOT m2",
			"SELECT l.tag_id FROM product_tags l WHERE {link l} AND (e1 AND e2 OR e1 AND NOT EXISTS (SELECT " +
				"1 FROM tags b WHERE {b} AND (b.id = l.tag_id)))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; tags at 4; check 'a' for products; check 'a' " +
				"for tags",
		},
		{
			"nor with another arm in its place",
			"SELECT l.tag_id FROM product_tags l WHERE e1 AND e2 OR e1 AND NOT m2 OR l.tag_id = 1",
			"SELECT l.tag_id FROM product_tags l WHERE {link l} AND (e1 AND e2 OR e1 AND NOT EXISTS (SELECT " +
				"1 FROM tags b WHERE {b} AND (b.id = l.tag_id)) OR l.tag_id = 1)\n" +
				"products at 0; tags at 1; products at 2; tags at 3; tags at 4; check 'a' for products; check 'a' " +
				"for tags",
		},
		{
			"nor where the end that is missing is the wrong one",
			"SELECT l.tag_id FROM product_tags l WHERE e1 AND e2 OR e1 AND NOT m2 OR e2 AND NOT m2",
			"SELECT l.tag_id FROM product_tags l WHERE {link l} AND (e1 AND e2 OR e1 AND NOT EXISTS (SELECT " +
				"1 FROM tags b WHERE {b} AND (b.id = l.tag_id)) OR e2 AND NOT EXISTS (SELECT 1 FROM tags b WHERE " +
				"{b} AND (b.id = l.tag_id)))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; tags at 4; tags at 5; check 'a' for products; " +
				"check 'a' for tags",
		},
		{
			"nor where only the tenant's is missing",
			"SELECT l.tag_id FROM product_tags l WHERE e1 AND e2 OR e1 AND NOT e2 OR e2 AND NOT m1",
			"SELECT l.tag_id FROM product_tags l WHERE {link l} AND (e1 AND e2 OR e1 AND NOT e2 OR e2 AND " +
				"NOT EXISTS (SELECT 1 FROM products c WHERE {c} AND (c.id = l.product_id)))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; products at 4; check 'a' for products; check " +
				"'a' for tags",
		},
		{
			"nor without NOT",
			"SELECT l.tag_id FROM product_tags l WHERE e1 AND e2 OR e1 AND m2 OR e2 AND NOT m1",
			"SELECT l.tag_id FROM product_tags l WHERE {link l} AND (e1 AND e2 OR e1 AND EXISTS (SELECT 1 " +
				"FROM tags b WHERE {b} AND (b.id = l.tag_id)) OR e2 AND NOT EXISTS (SELECT 1 FROM products c " +
				"WHERE {c} AND (c.id = l.product_id)))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; tags at 4; products at 5; check 'a' for " +
				"products; check 'a' for tags",
		},
		{
			"nor with one arm more",
			"SELECT l.tag_id FROM product_tags l WHERE e1 AND e2 OR e1 AND NOT m2 OR e2 AND NOT m1 OR l.tag_id " +
				"= 1 AND l.product_id = 2",
			"SELECT l.tag_id FROM product_tags l WHERE {link l} AND (e1 AND e2 OR e1 AND NOT EXISTS (SELECT " +
				"1 FROM tags b WHERE {b} AND (b.id = l.tag_id)) OR e2 AND NOT EXISTS (SELECT 1 FROM products c " +
				"WHERE {c} AND (c.id = l.product_id)) OR l.tag_id = 1 AND l.product_id = 2)\n" +
				"products at 0; tags at 1; products at 2; tags at 3; tags at 4; products at 5; check 'a' for " +
				"products; check 'a' for tags",
		},
		{
			"nor with another term in one",
			"SELECT l.tag_id FROM product_tags l WHERE e1 AND e2 OR e1 AND NOT m2 AND l.tag_id = 1 OR e2 AND " +
				"NOT m1",
			"SELECT l.tag_id FROM product_tags l WHERE {link l} AND (e1 AND e2 OR e1 AND NOT EXISTS (SELECT " +
				"1 FROM tags b WHERE {b} AND (b.id = l.tag_id)) AND l.tag_id = 1 OR e2 AND NOT EXISTS (SELECT 1 " +
				"FROM products c WHERE {c} AND (c.id = l.product_id)))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; tags at 4; products at 5; check 'a' for " +
				"products; check 'a' for tags",
		},
		{
			"nor with something else than NOT",
			"SELECT l.tag_id FROM product_tags l WHERE e1 AND e2 OR e1 AND m2 IS NOT NULL OR e2 AND NOT m1",
			"SELECT l.tag_id FROM product_tags l WHERE {link l} AND (e1 AND e2 OR e1 AND EXISTS (SELECT 1 " +
				"FROM tags b WHERE {b} AND (b.id = l.tag_id)) IS NOT NULL OR e2 AND NOT EXISTS (SELECT 1 FROM " +
				"products c WHERE {c} AND (c.id = l.product_id)))\n" +
				"products at 0; tags at 1; products at 2; tags at 3; tags at 4; products at 5; check 'a' for " +
				"products; check 'a' for tags",
		},
	}
	first := "EXISTS (SELECT 1 FROM products c WHERE "
	second := "EXISTS (SELECT 1 FROM tags b WHERE "
	long := strings.NewReplacer(
		"e1", first+"c.id = l.product_id AND c.tenant_id = 'a')", "e2", second+"b.id = l.tag_id AND b.tenant_id = 'a')",
		"m1", first+"c.id = l.product_id)", "m2", second+"b.id = l.tag_id)",
		"c1", first+"(c.id = l.product_id) AND {c})", "c2", second+"(b.id = l.tag_id) AND {b})",
	)
	for i := range rules {
		rules[i].sql, rules[i].want = long.Replace(rules[i].sql), long.Replace(rules[i].want)
	}
	check(t, sqlite.New(), rules)
}
