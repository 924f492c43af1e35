package benchmarks

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/testdb"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

// What [TestPeers] takes from the environment.
const (
	peersEnv  = "TENANCY_BENCH_PEERS"  // how often each statement is run
	pythonEnv = "TENANCY_BENCH_PYTHON" // one with SQLAlchemy and psycopg2; else Debian's
	spiderEnv = "TENANCY_BENCH_SPIDER" // the folder with ha_spider.so, if it is not the server's own
)

const peerShards = 4

// TestPeers prints what others take for the same statements on the same shards.
func TestPeers(t *testing.T) {
	runs, _ := strconv.Atoi(os.Getenv(peersEnv))
	if runs == 0 {
		t.Skip(peersEnv + "=5 asks for it; TENANCY_BENCH_FULL=1 for a million rows")
	}
	t.Run("postgres_fdw, ShardedSession", func(t *testing.T) { postgresPeers(t, runs) })
	t.Run("Spider", func(t *testing.T) { spider(t, runs) })
}

func peerRows() int { return fullOr(1_000_000, 100_000) }

// postgresPeers puts a head before four databases of one server.
func postgresPeers(t *testing.T, runs int) {
	t.Helper()
	var dsns []string
	s := newFanSite(t, fanBackend{"postgres", func(tb testing.TB) func() gorm.Dialector {
		tb.Helper()
		dsn := testdb.Postgres(tb)
		dsns = append(dsns, dsn)
		return func() gorm.Dialector { return postgres.Open(dsn) }
	}, postgresproof.New}, peerShards, peerRows())
	shards := dsns[1:] // the first has all rows

	head := openPlain(t, postgres.Open(withSetting(t, testdb.Postgres(t), "enable_partitionwise_aggregate", "on")))
	run(t, head, "CREATE EXTENSION postgres_fdw")
	// The keys are placed by another hash here. As the statements are on all rows, a partition without a bound will do.
	run(t, head, "CREATE TABLE orders (id bigint, account_id bigint, number text, status text, cents bigint, created_at timestamptz, updated_at timestamptz, shard int) PARTITION BY LIST (shard)")
	for i, dsn := range shards {
		cfg, err := pgx.ParseConfig(dsn)
		check(t, err)
		run(t, head, fmt.Sprintf("CREATE SERVER s%d FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%d', dbname '%s', async_capable 'true', use_remote_estimate 'true')", i, cfg.Host, cfg.Port, cfg.Database))
		run(t, head, fmt.Sprintf("CREATE USER MAPPING FOR CURRENT_USER SERVER s%d OPTIONS (user '%s')", i, cfg.User))
		run(t, s.alone[i], fmt.Sprintf("ALTER TABLE orders ADD COLUMN shard int NOT NULL DEFAULT %d", i))
		run(t, head, fmt.Sprintf("CREATE FOREIGN TABLE orders_%d PARTITION OF orders FOR VALUES IN (%[1]d) SERVER s%[1]d OPTIONS (table_name 'orders')", i))
	}
	run(t, head, "ANALYZE orders")
	contendPeers(t, s, runs, []string{"postgres_fdw"}, head)

	python := os.Getenv(pythonEnv)
	if python == "" {
		python = "/usr/bin/python3"
	}
	args := []string{"peers/sharded_session.py", strconv.Itoa(runs)}
	for _, dsn := range shards {
		args = append(args, strings.Replace(dsn, "postgres://", "postgresql+psycopg2://", 1))
	}
	out, err := exec.CommandContext(t.Context(), python, args...).CombinedOutput()
	if err != nil {
		t.Skipf("no ShardedSession (Debian: apt-get install python3-sqlalchemy python3-psycopg2): %v: %s", err, out)
	}
	found := map[string]struct {
		Times []float64
		Right bool
	}{}
	check(t, json.Unmarshal(out, &found))
	for _, st := range fanStatements() {
		times := make([]time.Duration, 0, runs)
		for _, s := range found[st.name].Times {
			times = append(times, time.Duration(s*float64(time.Second)))
		}
		t.Logf("%-26s ShardedSession %8.2f ms, one answer: %t", st.title, middle(times)/1e6, found[st.name].Right)
	}
}

// withSetting has the connections of a DSN set something for themselves.
func withSetting(tb testing.TB, dsn, name, value string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	check(tb, err)
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// spider puts MariaDB's own sharding engine before four databases of one server.
func spider(t *testing.T, runs int) {
	t.Helper()
	settings := []string{"skip-log-bin", "innodb-buffer-pool-size=256M"}
	if dir := os.Getenv(spiderEnv); dir != "" {
		settings = append(settings, "plugin-dir="+dir)
	}
	server := testdb.StartMariaDB(t, settings...)
	var dsns []string
	s := newFanSite(t, fanBackend{"mariadb", func(tb testing.TB) func() gorm.Dialector {
		tb.Helper()
		dsn := server.Database(tb)
		dsns = append(dsns, dsn)
		return func() gorm.Dialector { return mysql.Open(dsn) }
	}, mysqlproof.New}, peerShards, peerRows())

	admin := openPlain(t, mysql.Open(server.DSN()))
	if err := admin.Exec("INSTALL SONAME 'ha_spider'").Error; err != nil {
		t.Skipf("no Spider (Debian: apt-get install mariadb-plugin-spider): %v", err)
	}
	run(t, admin, "SET GLOBAL spider_same_server_link = ON") // for connections that are made from now on
	head := openPlain(t, mysql.Open(server.Database(t)))
	var partitions []string
	for i, dsn := range dsns[1:] {
		cfg, err := driver.ParseDSN(dsn)
		check(t, err)
		host, port, _ := strings.Cut(cfg.Addr, ":")
		run(t, head, fmt.Sprintf("CREATE SERVER s%d FOREIGN DATA WRAPPER mysql OPTIONS (HOST '%s', PORT %s, DATABASE '%s', USER '%s', PASSWORD '')", i, host, port, cfg.DBName, cfg.User))
		partitions = append(partitions, fmt.Sprintf(`PARTITION p%d VALUES IN (%[1]d) COMMENT = 'srv "s%[1]d"'`, i))
		run(t, s.alone[i], fmt.Sprintf("ALTER TABLE orders ADD COLUMN shard int NOT NULL DEFAULT %d, DROP PRIMARY KEY, ADD PRIMARY KEY (id, shard)", i))
	}
	run(t, head, "CREATE TABLE orders (id bigint unsigned, account_id bigint, number longtext, status longtext, cents bigint, created_at datetime(3), updated_at datetime(3), "+
		"shard int NOT NULL, PRIMARY KEY (id, shard), KEY orders_by_cents (cents, id)) ENGINE = Spider COMMENT = 'wrapper \"mysql\", table \"orders\"' "+
		"PARTITION BY LIST (shard) ("+strings.Join(partitions, ", ")+")")
	contendPeers(t, s, runs, []string{"Spider"}, head)
}

func run(tb testing.TB, db *gorm.DB, text string) {
	tb.Helper()
	if err := db.Exec(text).Error; err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
}

// contendPeers has databases that others spread take turns with the plugin.
func contendPeers(tb testing.TB, s *fanSite, runs int, names []string, heads ...*gorm.DB) {
	tb.Helper()
	for _, st := range fanStatements() {
		r := &race{run: st.run, on: append([]*gorm.DB{s.through, s.one}, append(heads, s.alone...)...)}
		r.alike(tb, 0, 1, 2)
		r.round(tb)
		r.times = nil
		for range runs {
			r.round(tb)
		}
		slowest := 0.0
		for _, times := range r.times[2+len(heads):] {
			slowest = max(slowest, middle(times))
		}
		line := fmt.Sprintf("%-26s plugin %8.2f ms, slowest shard alone %8.2f, one database %8.2f", st.title, middle(r.times[0])/1e6, slowest/1e6, middle(r.times[1])/1e6)
		for i, name := range names {
			line += fmt.Sprintf(", %s %8.2f", name, middle(r.times[2+i])/1e6)
		}
		tb.Log(line)
	}
}
