package catalog

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
)

const (
	stoppedMaster  = "TENANCY_TEST_STOPPED_MASTER"
	stoppedDialect = "TENANCY_TEST_STOPPED_DIALECT"
)

// TestStoppedProcess is about a process that is stopped (SIGSTOP), for longer than MaxStale, while a tenant is moved: when it
// goes on, not even its first look-up uses what it knew.
func TestStoppedProcess(t *testing.T) {
	t.Parallel()
	for dialect, dsn := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "master.db") },
		"postgres": func(t *testing.T) string { t.Helper(); return testdb.Postgres(t) },
	} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			dsn := dsn(t)
			c := master{dialect, func() gorm.Dialector { return dialector(dialect, dsn) }}.open(t, Config{MaxStale: sceneStale})
			o := newOracle(sceneStale)
			now, err := c.SetState(t.Context(), create(t, c, NewTenant{ID: "a"}), Active, "")
			require.NoError(t, err)

			self, err := os.Executable()
			require.NoError(t, err)
			child := exec.CommandContext(t.Context(), self, "-test.run=^TestStoppedChild$", "-test.count=1")
			child.Env = append(os.Environ(), stoppedMaster+"="+dsn, stoppedDialect+"="+dialect)
			child.Stderr = os.Stderr
			child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			runtime.LockOSThread() // the child is killed when the thread that started it ends
			defer runtime.UnlockOSThread()
			out, err := child.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, child.Start())
			defer func() {
				_ = child.Process.Kill() // it runs for ever
				_ = child.Wait()
			}()
			lines := bufio.NewScanner(out)
			require.True(t, lines.Scan())
			require.Equal(t, "ready", lines.Text())

			for round := 1; round <= 6; round++ {
				time.Sleep(rand.N(sceneStale))
				require.NoError(t, child.Process.Signal(syscall.SIGSTOP))
				now, err = o.moveOn(t.Context(), c, now, round)
				committed := time.Now()
				require.NoError(t, err)
				time.Sleep(sceneStale + rand.N(2*time.Second))
				require.NoError(t, child.Process.Signal(syscall.SIGCONT))
				said := lines.Scan()
				if !said {
					_ = child.Wait()
				}
				require.True(t, said, "the process has ended: %s", child.ProcessState)
				var seen int
				var last int64
				_, err = fmt.Sscanf(lines.Text(), "_%d %d", &seen, &last)
				if err != nil { // it has failed
					for lines.Scan() {
						t.Log(lines.Text())
					}
				}
				require.NoError(t, err)
				require.Equal(t, round, seen)
				require.Less(t, time.Unix(0, last).Sub(committed), sceneStale, "the last look-up that got the old place began so long after the commit")
			}
		})
	}
}

func dialector(dialect, dsn string) gorm.Dialector {
	if dialect == "postgres" {
		return postgres.Open(dsn)
	}
	return sqlite.Open(dsn)
}

// TestStoppedChild is the process that TestStoppedProcess stops: it looks a tenant up all the time, and says when it sees another
// place, and when the last look-up began that saw the one before.
func TestStoppedChild(t *testing.T) {
	dsn, dialect := os.Getenv(stoppedMaster), os.Getenv(stoppedDialect)
	if dsn == "" {
		t.Skip("it is a part of TestStoppedProcess")
	}
	c := master{dialect, func() gorm.Dialector { return dialector(dialect, dsn) }}.open(t, Config{MaxStale: sceneStale})
	last, err := c.Resolve(t.Context(), tenancy.ID("a"))
	require.NoError(t, err)
	fmt.Println("ready")
	for lastBegan := time.Now(); ; {
		began := time.Now()
		p, err := c.Resolve(Maintenance(t.Context()), tenancy.ID("a"))
		require.NoError(t, err)
		if p != last {
			fmt.Println(p.TableSuffix, lastBegan.UnixNano())
		}
		last, lastBegan = p, began
		time.Sleep(50 * time.Microsecond)
	}
}
