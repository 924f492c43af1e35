package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestUpserts shows that an upsert leaves the rows of other tenants alone.
func TestUpserts(t *testing.T) {
	check(t, sqlite.New(), []rule{
		{
			"the row that an upsert meets must be the tenant's",
			"INSERT INTO orders (id) VALUES (?) ON CONFLICT (id) DO UPDATE SET note = ? RETURNING id",
			"INSERT INTO orders (id, `tenant_id`) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET note = ? " +
				"WHERE {orders} RETURNING id\n" +
				"orders at 1; orders at 3",
		},
		{
			"also where it has a condition",
			"INSERT INTO orders AS o (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'x' WHERE o.id = ? " +
				"OR o.id = 2",
			"INSERT INTO orders AS o (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET note = " +
				"'x' WHERE {o} AND (o.id = ? OR o.id = 2)\n" +
				"orders at 0; orders at 1",
		},
		{
			"it may have that one itself",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'x' WHERE " +
				"orders.tenant_id = 'a' AND orders.id = 1",
			"INSERT INTO orders (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET note = 'x' " +
				"WHERE orders.tenant_id = 'a' AND orders.id = 1\n" +
				"orders at 0; check 'a' for orders",
		},
		{
			"OR binds nothing there either",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'x' WHERE " +
				"orders.tenant_id = 'a' OR orders.id = 1",
			"INSERT INTO orders (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET note = 'x' " +
				"WHERE {orders} AND (orders.tenant_id = 'a' OR orders.id = 1)\n" +
				"orders at 0; orders at 1",
		},
		{
			"nor does the row that was to be inserted",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'x' WHERE " +
				"excluded.tenant_id = 'a'",
			"INSERT INTO orders (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET note = 'x' " +
				"WHERE {orders} AND (excluded.tenant_id = 'a')\n" +
				"orders at 0; orders at 1",
		},
		{
			"each of several upserts",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'x' ON CONFLICT (number) " +
				"DO UPDATE SET note = 'y' WHERE orders.id = 2",
			"INSERT INTO orders (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET note = 'x' " +
				"WHERE {orders} ON CONFLICT (number) DO UPDATE SET note = 'y' WHERE {orders} AND (orders.id = 2)\n" +
				"orders at 0; orders at 1; orders at 2",
		},
		{
			"one that does nothing is left alone",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO NOTHING",
			"INSERT INTO orders (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO NOTHING\n" +
				"orders at 0",
		},
		{
			"the tenant of the row may be set to that of the other",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET tenant_id = excluded.tenant_id",
			"INSERT INTO orders (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET tenant_id = " +
				"excluded.tenant_id WHERE {orders}\n" +
				"orders at 0; orders at 1",
		},
		{
			"or to itself",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET tenant_id = orders.tenant_id",
			"INSERT INTO orders (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET tenant_id = " +
				"orders.tenant_id WHERE {orders}\n" +
				"orders at 0; orders at 1",
		},
		{
			"not to anything else",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET tenant_id = excluded.note",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"an upsert of a query",
			"INSERT INTO orders (id) SELECT c.id FROM customers c WHERE true ON CONFLICT (id) DO UPDATE SET " +
				"note = 'x'",
			"INSERT INTO orders (id, `tenant_id`) SELECT c.id, ? FROM customers c WHERE {c} AND (true) ON " +
				"CONFLICT (id) DO UPDATE SET note = 'x' WHERE {orders}\n" +
				"orders at 0; customers at 1; orders at 2",
		},
		{
			"nor the column itself",
			"INSERT INTO orders (id, tenant_id) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET note = 'x' " +
				"WHERE orders.tenant_id = orders.tenant_id",
			"INSERT INTO orders (id, tenant_id) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET note = 'x' " +
				"WHERE {orders} AND (orders.tenant_id = orders.tenant_id)\n" +
				"orders at 0; check 'a' stored for orders",
		},
		{
			"nor do both in one equality",
			"INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET note = 'x' WHERE " +
				"orders.tenant_id = excluded.tenant_id",
			"INSERT INTO orders (id, `tenant_id`) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET note = 'x' " +
				"WHERE {orders} AND (orders.tenant_id = excluded.tenant_id)\n" +
				"orders at 0; orders at 1",
		},
	})
}
