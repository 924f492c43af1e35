package merge_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"testing"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// counting gives rows at no cost of its own: integers that need no allocation, and a text.
type counting struct {
	step, next, left int64
	text             driver.Value
}

func (c *counting) Columns() []string { return []string{"n", "t"} }
func (c *counting) Close() error      { return nil }
func (c *counting) Next(dest []driver.Value) error {
	if c.left == 0 {
		return io.EOF
	}
	c.left--
	dest[0], dest[1] = c.next, c.text
	c.next += c.step
	return nil
}

func (c *counting) ColumnTypeDatabaseTypeName(i int) string { return []string{"INT8", "TEXT"}[i] }

// BenchmarkMerge reads a hundred thousand rows. An allocation for each row is the driver's: the integer.
func BenchmarkMerge(b *testing.B) {
	const rows = 100_000
	d := map[string]merge.Description{"concatenated": {}, "ordered": byFirst(), "distinct": {
		Engine: dialect.Postgres, Collations: []merge.Collation{0, merge.CollationBinary}, Order: []merge.Sort{{Column: 0}}, Distinct: true,
	}, "grouped": {Engine: dialect.Postgres, Collations: []merge.Collation{0, merge.CollationBinary}, Groups: &merge.Groups{
		Keys: []int{1}, Results: []merge.Result{{Func: merge.Key, Column: 1}, {Func: merge.Sum, Column: 0}},
	}}}
	for _, name := range []string{"concatenated", "ordered", "distinct", "grouped"} {
		for _, shards := range []int64{1, 2, 4, 8, 16} {
			b.Run(fmt.Sprintf("%s/%d", name, shards), func(b *testing.B) {
				b.ReportAllocs()
				one := make([]driver.Value, 2)
				for b.Loop() {
					var s []merge.Source
					for i := range shards {
						s = append(s, merge.Source{Name: "s", Open: func(context.Context) (driver.Rows, error) {
							return &counting{step: shards, next: i, left: rows / shards, text: "some text"}, nil
						}})
					}
					merged, err := merge.Open(b.Context(), d[name], merge.Options{}, s...)
					if err != nil {
						b.Fatal(err)
					}
					for err == nil {
						err = merged.Next(one)
					}
					if err != io.EOF { //nolint:errorlint // it is what Next returns
						b.Fatal(err)
					}
					if err := merged.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
			})
		}
	}
}
