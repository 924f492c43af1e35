package benchmarks

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"gorm.io/gorm"
)

// A fanStatement is one over all rows. It returns what it has found, for a comparison.
type fanStatement struct {
	name, title string
	run         func(*gorm.DB) (string, error)
	scan        bool // it reads all rows
}

func fanStatements() []fanStatement {
	return []fanStatement{
		{name: "page", title: "ORDER BY … LIMIT 20", run: func(db *gorm.DB) (string, error) {
			var xs []Order
			err := db.Order("cents, id").Limit(20).Find(&xs).Error
			ids := make([]uint, len(xs))
			for i, x := range xs {
				ids[i] = x.ID
			}
			return fmt.Sprint(ids), err
		}},
		{name: "count", title: "COUNT of all", run: func(db *gorm.DB) (string, error) {
			var n int64
			err := db.Model(&Order{}).Count(&n).Error
			return fmt.Sprint(n), err
		}},
		{name: "groups", title: "COUNT, SUM, AVG by group", run: func(db *gorm.DB) (string, error) {
			var groups []struct {
				Status       string
				Orders, Paid int64
				Mean         float64
			}
			status := "status"
			if db.Name() == "mysql" { // whose own collation compares otherwise than by bytes: that is not merged
				status = "status COLLATE utf8mb4_bin"
			}
			err := db.Model(&Order{}).Select(status + " AS status, COUNT(*) AS orders, SUM(cents) AS paid, AVG(cents) AS mean").Group(status).Scan(&groups).Error
			found := map[string]string{} // printed in the order of the keys
			for _, g := range groups {
				found[g.Status] = fmt.Sprintf("%d %d %.3f", g.Orders, g.Paid, g.Mean)
			}
			return fmt.Sprint(found), err
		}},
		{name: "scan", title: "all rows, by Rows()", scan: true, run: func(db *gorm.DB) (string, error) {
			n, sum, err := stream(db, nil)
			return fmt.Sprint(n, sum), err
		}},
	}
}

// stream reads all orders, and calls seen after each.
func stream(db *gorm.DB, seen func(n int)) (n int, sum int64, err error) {
	rows, err := db.Model(&Order{}).Select("id, account_id, status, cents").Rows()
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close() //nolint:errcheck // read to the end, or failed
	var id, owner, cents int64
	var status sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&id, &owner, &status, &cents); err != nil {
			return n, sum, err
		}
		n++
		sum += cents ^ id
		if seen != nil {
			seen(n)
		}
	}
	return n, sum, rows.Err()
}

// A race runs one statement on several databases, which take turns as in a [contest].
type race struct {
	run   func(*gorm.DB) (string, error)
	on    []*gorm.DB
	times [][]time.Duration
}

// round runs the statement once on each.
func (r *race) round(tb testing.TB) {
	tb.Helper()
	if r.times == nil {
		r.times = make([][]time.Duration, len(r.on))
	}
	for _, i := range rand.Perm(len(r.on)) {
		start := time.Now()
		_, err := r.run(r.on[i])
		r.times[i] = append(r.times[i], time.Since(start))
		check(tb, err)
	}
}

// alike runs the statement on some, and fails if they do not find the same.
func (r *race) alike(tb testing.TB, some ...int) {
	tb.Helper()
	want := ""
	for _, i := range some {
		got, err := r.run(r.on[i])
		check(tb, err)
		if want == "" {
			want = got
		} else if got != want {
			tb.Fatalf("database %d answers %s, not %s", i, got, want)
		}
	}
}

// BenchmarkFanOut runs statements on all shards. fan-ns is the time through the plugin, one-ns that of the one database with all
// the rows, slowest-ns that of the slowest shard asked alone by plain GORM, and in-turn-ns that of all asked so, one after the
// other. An iteration is a round of them all.
func BenchmarkFanOut(b *testing.B) {
	for _, on := range fanBackends() {
		for _, n := range []int{2, 4, 8, 16} {
			b.Run(fmt.Sprintf("%s/shards=%d", on.name, n), func(b *testing.B) {
				s := newFanSite(b, on, n, fullOr(1_000_000, 16_000))
				for _, st := range fanStatements() {
					b.Run(st.name, func(b *testing.B) { s.measure(b, st) })
				}
			})
		}
	}
}

func (s *fanSite) measure(b *testing.B, st fanStatement) {
	b.Helper()
	r := &race{run: st.run, on: append([]*gorm.DB{s.through, s.one}, s.alone...)}
	r.alike(b, 0, 1)
	r.round(b) // fills caches
	r.times = nil
	for b.Loop() {
		r.round(b)
	}
	fan, one, slowest, sum := middle(r.times[0]), middle(r.times[1]), 0.0, 0.0
	for _, times := range r.times[2:] {
		slowest = max(slowest, middle(times))
		sum += middle(times)
	}
	b.ReportMetric(fan, "fan-ns")
	b.ReportMetric(one, "one-ns")
	b.ReportMetric(slowest, "slowest-ns")
	b.ReportMetric(sum, "in-turn-ns")
	if st.scan {
		b.ReportMetric(float64(s.rows)/fan*1e9, "rows/s")
	}
	b.ReportMetric(0, "ns/op")
}
