package testdb

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processAttributes make a child run as the account and get the signal when the
// thread that started it ends.
func processAttributes(a account, death syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential(), Pdeathsig: death}
}

// lockThread keeps the goroutine's thread until the returned function is called.
func lockThread() func() {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

// freeze stops the process and its children, and waits until they stand still. The
// process comes first: it has no more children from then on. note gets each before
// it is stopped.
func freeze(pid int, note func(pid int) error) ([]int, error) {
	if err := freezeOne(pid, note); err != nil {
		return nil, err
	}
	frozen := []int{pid}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return frozen, err
	}
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // not a process
		}
		if _, parent := processState(child); parent != pid {
			continue
		}
		if err := freezeOne(child, note); err != nil {
			return frozen, err
		}
		frozen = append(frozen, child)
	}
	return frozen, nil
}

func freezeOne(pid int, note func(pid int) error) error {
	if err := note(pid); err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	for start := time.Now(); time.Since(start) < startTimeout; time.Sleep(time.Millisecond) {
		if state, _ := processState(pid); strings.ContainsRune("TtZX-", state) {
			return nil
		}
	}
	return fmt.Errorf("process %d goes on", pid)
}

// gone tells whether the process has ended, though nobody may have asked for its
// exit code: a container's first process often never does.
func gone(pid int) bool {
	state, _ := processState(pid)
	return strings.ContainsRune("ZX-", state)
}

// processState returns the letter of a process's state, '-' if there is none, and
// its parent.
func processState(pid int) (state rune, parent int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return '-', 0
	}
	// The name before it is in brackets, and may have any in itself.
	if _, err := fmt.Sscanf(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " %c %d", &state, &parent); err != nil {
		return '-', 0
	}
	return state, parent
}

// memoryDir returns a folder in memory, or "" where 4 GiB are not to be had.
func memoryDir() string {
	const dir, plenty = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < plenty { //nolint:gosec // a size
		return ""
	}
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return ""
	}
	var free int64
	_, available, _ := strings.Cut(string(info), "MemAvailable:")
	if _, err := fmt.Sscan(available, &free); err != nil || free<<10 < plenty {
		return ""
	}
	return dir
}
