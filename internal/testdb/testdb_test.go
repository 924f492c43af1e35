package testdb

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gormmysql "gorm.io/driver/mysql"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

func TestMain(m *testing.M) { Main(m) }

// engines are the servers that share their tests.
var engines = []struct {
	name, dsnEnv, binEnv string
	fresh                func(testing.TB) string
	dialector            func(dsn string) gorm.Dialector
	driver               string
	installed            func() bool
	own                  func(port func() (int, error)) (*server, string, error)
}{
	{
		"postgres", "TENANCY_TEST_POSTGRES_DSN", "TENANCY_TEST_POSTGRES_BIN", Postgres, gormpostgres.Open, "pgx",
		func() bool { return postgresPrograms() != "" },
		func(port func() (int, error)) (*server, string, error) {
			s, err := startPostgres(port)
			if err != nil {
				return nil, "", err
			}
			return s, postgresURL(s.port, "postgres"), nil
		},
	},
	{
		"mysql", "TENANCY_TEST_MYSQL_DSN", "TENANCY_TEST_MARIADB_BIN", MySQL, gormmysql.Open, "mysql",
		func() bool { _, install := mariaDBPrograms(); return install != "" },
		func(port func() (int, error)) (*server, string, error) {
			s, err := startMariaDB(port)
			if err != nil {
				return nil, "", err
			}
			return s, mariaDBDSN(s.port, ""), nil
		},
	},
}

// needsOwn ends the test if it cannot start a server of its own, though there may be
// one in the environment.
func needsOwn(t *testing.T, engine string) {
	t.Helper()
	for _, e := range engines {
		if e.name == engine && !e.installed() {
			missing(t, engine, "this test starts its own")
		}
	}
}

type row struct {
	ID   int64
	Name string
	At   time.Time
}

func open(t *testing.T, dialector gorm.Dialector) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	return db
}

func TestDatabasesAreFreshAndSeparate(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			first, second := open(t, e.dialector(e.fresh(t))), open(t, e.dialector(e.fresh(t)))
			require.NoError(t, first.AutoMigrate(&row{}))
			require.NoError(t, second.AutoMigrate(&row{}))
			at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
			require.NoError(t, first.Create(&row{Name: "žluťoučký 🐎", At: at}).Error)

			var got row
			require.NoError(t, first.First(&got).Error)
			assert.Equal(t, "žluťoučký 🐎", got.Name)
			assert.True(t, at.Equal(got.At), got.At)
			var n int64
			require.NoError(t, second.Model(&row{}).Count(&n).Error)
			assert.Zero(t, n)
		})
	}
}

func TestDatabaseIsDroppedInSpiteOfOpenTransactions(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			var dsn string
			t.Run("leaves a transaction open", func(t *testing.T) {
				dsn = e.fresh(t)
				db := open(t, e.dialector(dsn))
				require.NoError(t, db.AutoMigrate(&row{}))
				tx := db.Begin()
				require.NoError(t, tx.Create(&row{At: time.Now()}).Error)
			})
			assert.Error(t, ping(t.Context(), e.driver, dsn))
		})
	}
}

func TestServerFromTheEnvironment(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			needsOwn(t, e.name)
			s, dsn, err := e.own(freePort)
			require.NoError(t, err)
			t.Cleanup(s.remove)
			forms := []string{dsn}
			if e.name == "postgres" {
				forms = append(forms, fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres sslmode=disable", s.port))
			}
			for _, form := range forms {
				t.Setenv(e.dsnEnv, form)
				fresh := e.fresh(t)
				assert.Contains(t, fresh, strconv.Itoa(s.port))
				require.NoError(t, open(t, e.dialector(fresh)).AutoMigrate(&row{}))
			}
		})
	}
}

func TestPostgresClusterIsItsOwn(t *testing.T) {
	t.Parallel()
	var ports [2]string
	t.Run("clusters", func(t *testing.T) {
		for i := range ports {
			dsn := PostgresCluster(t, "work_mem=7MB", fmt.Sprintf("application_name=own %d", i))
			ports[i] = regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(dsn)
			db, err := sql.Open("pgx", dsn)
			require.NoError(t, err)
			var memory, name string
			require.NoError(t, db.QueryRowContext(t.Context(),
				"SELECT current_setting('work_mem'), current_setting('application_name')").Scan(&memory, &name))
			assert.Equal(t, "7MB", memory)
			assert.Equal(t, fmt.Sprintf("own %d", i), name)
			require.NoError(t, db.Close())
		}
		assert.NotEqual(t, ports[0], ports[1])
	})
	for _, port := range ports {
		if port != "" {
			assert.False(t, answers(port), "stopped with its test")
		}
	}
}

func TestWrongSettingFails(t *testing.T) {
	t.Parallel()
	needsOwn(t, "postgres")
	_, err := startPostgres(freePort, "no_such_setting=1")
	require.ErrorContains(t, err, "no_such_setting")
}

// A port that is free when it is picked can be taken a moment later: by anything,
// another server of the same kind included.
func TestTakenPort(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			needsOwn(t, e.name)
			first, _, err := e.own(freePort)
			require.NoError(t, err)
			t.Cleanup(first.remove)
			taken := []int{first.port, first.port}
			second, dsn, err := e.own(func() (int, error) {
				if len(taken) == 0 {
					return freePort()
				}
				port := taken[0]
				taken = taken[1:]
				return port, nil
			})
			require.NoError(t, err)
			t.Cleanup(second.remove)
			assert.Empty(t, taken)
			assert.NotEqual(t, first.port, second.port)
			require.NoError(t, ping(t.Context(), e.driver, dsn))
		})
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]string{
		"postgres": "TENANCY_TEST_POSTGRES_BIN", "standby": "TENANCY_TEST_POSTGRES_BIN",
		"mysql": "TENANCY_TEST_MARIADB_BIN", "replica": "TENANCY_TEST_MARIADB_BIN",
		"pgbouncer": "TENANCY_TEST_PGBOUNCER_BIN",
	} {
		for require, want := range map[string]string{"": "SKIP", "1": "FAIL"} {
			t.Run(name+want, func(t *testing.T) {
				t.Parallel()
				if name == "pgbouncer" {
					needsOwn(t, "postgres")
				}
				cmd := helper(t, name, append(fromTheEnvironment(), env+"="+t.TempDir(), "TENANCY_TEST_REQUIRE="+require)...)
				out, _ := cmd.CombinedOutput() // its verdict is in its text
				assert.Contains(t, string(out), "--- "+want)
				assert.Contains(t, string(out), "make test")
			})
		}
	}
}

// TestServersDieWithTheirProcess kills a test binary in the middle of a test.
func TestServersDieWithTheirProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is a parent-death signal on Linux only")
	}
	for name := range helped {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needsHelped(t, name)
			cmd := helper(t, name, fromTheEnvironment()...)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			var address string
			for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
				address = regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(lines.Text())
			}
			require.NotEmpty(t, address)
			assert.True(t, answers(address))
			mine := fmt.Sprintf("%d-*", cmd.Process.Pid)
			assert.Len(t, left(mine), 1)
			assert.NotEmpty(t, running(t, workPrefix+mine))

			require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
			require.Error(t, cmd.Wait())
			assert.Eventually(t, func() bool { return !answers(address) }, 15*time.Second, 10*time.Millisecond)
			assert.Eventually(t, func() bool { return len(running(t, workPrefix+mine)) == 0 }, 15*time.Second, 10*time.Millisecond)
			assert.Eventually(t, func() bool {
				sweep() // again while the server still writes
				return len(left(mine)) == 0
			}, 15*time.Second, 50*time.Millisecond)
		})
	}
}

// TestMainLeavesNothing lets a test binary end by itself.
func TestMainLeavesNothing(t *testing.T) {
	t.Parallel()
	for name := range helped {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			needsHelped(t, name)
			cmd := helper(t, name, append(fromTheEnvironment(), "TESTDB_HELPER_ENDS=1")...)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			address := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(string(out))
			require.NotEmpty(t, address)
			assert.False(t, answers(address))
			assert.Empty(t, left(fmt.Sprintf("%d-*", cmd.Process.Pid)))
		})
	}
}

// running returns the processes whose command names a file of the pattern. A server
// that is paused for ever is one too, though it does not answer.
func running(t *testing.T, pattern string) (pids []string) {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, command := range commands {
		text, _ := os.ReadFile(command) // it may have ended
		if strings.Contains(string(text), strings.TrimSuffix(pattern, "*")) {
			pids = append(pids, filepath.Base(filepath.Dir(command)))
		}
	}
	return pids
}

// needsHelped ends the test if the servers of that name cannot be started.
func needsHelped(t *testing.T, name string) {
	t.Helper()
	switch {
	case name == "pgbouncer":
		needsPgBouncer(t)
	case name == "replica" || strings.HasSuffix(name, "mysql"):
		needsOwn(t, "mysql")
	default:
		needsOwn(t, "postgres")
	}
}

// fromTheEnvironment clears what the environment says about servers.
func fromTheEnvironment() []string {
	var env []string
	for _, e := range engines {
		env = append(env, e.dsnEnv+"=")
	}
	return env
}

// helper returns this test binary as another process, which runs TestHelper only.
func helper(t *testing.T, engine string, env ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHelper$", "-test.v")
	cmd.Env = append(append(os.Environ(), "TESTDB_HELPER="+engine), env...)
	return cmd
}

// helped are the servers that run, by name, when the process ends.
var helped = map[string]func(testing.TB) string{
	"postgres":  Postgres,
	"mysql":     MySQL,
	"pgbouncer": func(t testing.TB) string { t.Helper(); return PgBouncer(t, PostgresCluster(t)) },
	"standby":   func(t testing.TB) string { t.Helper(); return StartPostgres(t).Standby(t).DSN() },
	"replica":   func(t testing.TB) string { t.Helper(); return StartMariaDB(t).Replica(t).DSN() },
	"paused postgres": func(t testing.TB) string {
		t.Helper()
		c := StartPostgres(t)
		c.Pause(t)
		return c.DSN()
	},
}

func TestHelper(t *testing.T) {
	t.Parallel()
	if start, ok := helped[os.Getenv("TESTDB_HELPER")]; ok {
		fmt.Println(start(t))
		if os.Getenv("TESTDB_HELPER_ENDS") == "" {
			time.Sleep(time.Minute) // to be killed
		}
	}
}

func TestFindPrograms(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, version := range []string{"9.6", "15", "17", "18-empty"} {
		dir := filepath.Join(root, version, "bin")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		if !strings.HasSuffix(version, "empty") {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "a-server"), nil, 0o755))
		}
	}
	assert.Equal(t, filepath.Join(root, "9.6", "bin"), findPrograms("TESTDB_NOT_SET", "a-server", root+"/9*/bin", root+"/*/bin"))
	assert.Equal(t, filepath.Join(root, "17", "bin"), findPrograms("TESTDB_NOT_SET", "a-server", root+"/1*/bin"))
	assert.Empty(t, findPrograms("TESTDB_NOT_SET", "another-server", root+"/*/bin"))
}

// answers tells whether something listens there.
func answers(address string) bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func BenchmarkFreshDatabase(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			e.fresh(b) // the server's start is not measured
			for b.Loop() {
				e.fresh(b)
			}
		})
	}
}

func BenchmarkStartServer(b *testing.B) {
	for _, e := range engines {
		b.Run(e.name, func(b *testing.B) {
			if !e.installed() {
				b.Skip("no server programs")
			}
			for b.Loop() {
				s, _, err := e.own(freePort)
				require.NoError(b, err)
				b.StopTimer()
				s.remove()
				b.StartTimer()
			}
		})
	}
}
