package difftest

import (
	"context"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlproof"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// newPair opens a pair whose shared database has the plugin, or whatever install puts in its place.
func newPair(t testing.TB, dialect string, install func(*gorm.DB) error) *pair {
	t.Helper()
	at := placeOf(t, dialect)
	p := &pair{stats: map[string]int{}}
	var err error
	p.plain, err = connect(at, dialect, false, byHand)
	require.NoError(t, err)
	p.shared, err = connect(at, dialect, true, install)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.plain.close()
		p.shared.close()
	})
	return p
}

func withPlugin(db *gorm.DB) error { return db.Use(tenancy.New(config(nil))) }

// withProof installs the plugin with an analyzer, so that text is confined too.
func withProof(db *gorm.DB) error {
	analyzers := map[string]func() sqlproof.Analyzer{"sqlite": sqliteproof.New, "postgres": postgresproof.New, "mysql": mysqlproof.New}
	return db.Use(tenancy.New(config(analyzers[db.Name()]())))
}

func config(sql sqlproof.Analyzer) tenancy.Config {
	return tenancy.Config{
		Models:    []any{&Customer{}, &Order{}, &Profile{}, &Tag{}, &Note{}, &Setting{}},
		Reference: []any{&Country{}},
		SQL:       sql,
	}
}

// fixedChains is how many chains of seed 1 are run before a new seed is taken.
const fixedChains = 300

func TestDifferential(t *testing.T) {
	budget, fresh := 5*time.Second, false
	if s := os.Getenv("TENANCY_FUZZ_TIME"); s != "" {
		var err error
		budget, err = time.ParseDuration(s)
		require.NoError(t, err)
		fresh = true
	}
	for _, run := range []struct {
		name    string
		install func(*gorm.DB) error
	}{
		{"sqlite", withPlugin},
		{"sqlite/proven", withProof},
		{"postgres", withPlugin},
		{"postgres/proven", withProof},
		{"mysql", withPlugin},
		{"mysql/proven", withProof},
	} {
		dialect, _, _ := strings.Cut(run.name, "/")
		t.Run(run.name, func(t *testing.T) {
			p := newPair(t, dialect, run.install)
			if s := os.Getenv("TENANCY_FUZZ_SEED"); s != "" {
				from, only, single := strings.Cut(s, ":")
				seed, err := strconv.ParseUint(from, 10, 64)
				require.NoError(t, err)
				if single {
					n, err := strconv.ParseUint(only, 10, 64)
					require.NoError(t, err)
					t.Log(chainOf(dialect, throw(seed, n)))
					p.run(t, seed, n)
					return
				}
				p.runFor(t, budget, seed)
				return
			}
			if !fresh { // the same chains each time: a run of the tests must not depend on luck
				p.runFor(t, budget, 1)
				return
			}
			p.runFor(t, budget, 0)
		})
	}
}

// runFor runs chains until the time is up: those of seed, or the fixed ones and then those of a new seed.
func (p *pair) runFor(t *testing.T, budget time.Duration, seed uint64) {
	t.Helper()
	start := time.Now()
	current, n, chains := seed, uint64(0), 0
	if seed == 0 {
		current = 1
	}
	for time.Since(start) < budget {
		if seed == 0 && n == fixedChains {
			current, n, seed = uint64(start.UnixNano())%1e9, 0, 1
			t.Logf("seed %d", current)
		}
		if !p.run(t, current, n) && os.Getenv("TENANCY_FUZZ_KEEP") == "" {
			return
		}
		n, chains = n+1, chains+1
	}
	t.Logf("%d chains, %.0f/s", chains, float64(chains)/time.Since(start).Seconds())
	var stats []string
	for k, v := range p.stats {
		stats = append(stats, k+"="+strconv.Itoa(v))
	}
	sort.Strings(stats)
	t.Log(strings.Join(stats, ", "))
}

// run runs one chain, and reports it, shrunk, if it fails.
func (p *pair) run(t *testing.T, seed, n uint64) bool {
	t.Helper()
	data := throw(seed, n)
	ctx := context.Background()
	diff, err := p.compare(ctx, chainOf(p.plain.dialect, data))
	if err == nil && diff == nil {
		return true
	}
	if err != nil {
		t.Errorf("TENANCY_FUZZ_SEED=%d:%d on %s: %v\n%s", seed, n, p.plain.dialect, err, chainOf(p.plain.dialect, data))
		return false
	}
	small := p.shrink(ctx, data, diff.what)
	c := chainOf(p.plain.dialect, small)
	if again, err := p.compare(ctx, c); err == nil && again != nil {
		diff = again
	}
	t.Errorf("TENANCY_FUZZ_SEED=%d:%d on %s\n%s%s", seed, n, p.plain.dialect, c, diff)
	return false
}

// FuzzChains is TestDifferential on SQLite with bytes that the native fuzzer thinks up.
func FuzzChains(f *testing.F) {
	for n := range uint64(20) {
		f.Add(throw(1, n))
	}
	p := newPair(f, "sqlite", withPlugin)
	ctx := f.Context()
	f.Fuzz(func(t *testing.T, data []byte) {
		diff, err := p.compare(ctx, chainOf("sqlite", data))
		require.NoError(t, err)
		if diff != nil {
			t.Errorf("%s%s", chainOf("sqlite", data), diff)
		}
	})
}
