package testdb

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
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
