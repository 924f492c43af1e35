package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const longFragment = `(orders.status IN (?) OR orders.archived_at IS NOT NULL) AND orders.created_at BETWEEN ? AND ? ` +
	`AND COALESCE(orders.total, 0) > ? AND LOWER(orders.customer_name) LIKE 'a%' /* by name */ AND ` +
	`(orders.price * orders.quantity) - orders.discount >= 100.50 AND NOT (orders.currency = 'EUR' AND orders.paid = ?)`

func BenchmarkFragment(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"short", "name = ?"},
		{"two", "status IN (?) AND created_at > ?"},
		{"300 bytes", longFragment},
	} {
		b.Run(c.name, func(b *testing.B) {
			require.Empty(b, Postgres.Fragment(c.text, Expression))
			b.ReportAllocs()
			for b.Loop() {
				if Postgres.Fragment(c.text, Expression) != "" {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkParseTable(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Postgres.ParseTable(`"s"."orders" AS o`); !ok {
			b.Fatal("refused")
		}
	}
}
