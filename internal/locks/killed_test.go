package locks_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/locks"
)

// TestHoldUntilKilled is no test: it is what another process does in the ones below.
func TestHoldUntilKilled(t *testing.T) {
	dsn := os.Getenv("TENANCY_LOCK_DSN")
	if dsn == "" {
		t.Skip("for another process")
	}
	d := database{os.Getenv("TENANCY_LOCK_DIALECT"), os.Getenv("TENANCY_LOCK_DRIVER"), dsn}
	held := d.acquire(t, d.open(t), "one")
	require.NoError(t, held.Check(t.Context()))
	fmt.Println("held")
	select {} // until it is killed
}

// holder starts a process that holds the lock "one".
func holder(t *testing.T, d database) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldUntilKilled$", "-test.v")
	cmd.Env = append(os.Environ(), "TENANCY_LOCK_DSN="+d.dsn, "TENANCY_LOCK_DIALECT="+d.dialect, "TENANCY_LOCK_DRIVER="+d.driver)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "held" {
			return cmd
		}
	}
	require.Fail(t, "the other process has not got the lock", lines.Err())
	return nil
}

func TestKilledProcessHoldsNothing(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		cmd := holder(t, d)
		db := d.open(t)
		_, err := d.try(t, db, "one")
		require.ErrorIs(t, err, locks.ErrHeld, "another process holds it")
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		release(t, d.acquire(t, db, "one"))
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	d := database{"sqlite", "sqlite", filepath.Join(t.TempDir(), "a.db")}
	cmd := holder(t, d)
	require.NoError(t, locks.Sweep(d.dsn))
	_, err := d.try(t, d.open(t), "one")
	require.ErrorIs(t, err, locks.ErrHeld, "one that is held stays")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.NoError(t, os.WriteFile(d.dsn+"2", nil, 0o600))
	left, err := filepath.Glob(d.dsn + "*")
	require.NoError(t, err)
	require.Len(t, left, 3)
	require.NoError(t, locks.Sweep(d.dsn))
	left, err = filepath.Glob(d.dsn + "*")
	require.NoError(t, err)
	require.Equal(t, []string{d.dsn, d.dsn + "2"}, left)
	require.NoError(t, locks.Sweep(filepath.Join(d.dsn+"3", "a.db")), "no folder, no locks")
}

// TestSweepLeavesHeldLocks sweeps while others take locks and let them go: none is lost.
func TestSweepLeavesHeldLocks(t *testing.T) {
	t.Parallel()
	d := database{"sqlite", "sqlite", filepath.Join(t.TempDir(), "a.db")}
	db := d.open(t)
	release(t, d.acquire(t, db, "one")) // the file is there
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					assert.NoError(t, locks.Sweep(d.dsn))
				}
			}
		})
	}
	for range 2000 {
		held, err := d.try(t, db, "one")
		if err != nil {
			require.ErrorIs(t, err, locks.ErrHeld)
			continue
		}
		require.NoError(t, held.Check(t.Context()))
		require.NoError(t, held.Release(t.Context()))
	}
	close(stop)
	wg.Wait()
}
