//go:build unix && !linux

package testdb

import (
	"errors"
	"syscall"
)

// processAttributes make a child run as the account. There is no parent-death
// signal here: a server outlives a test binary that is killed, until it notices
// that its folder has been swept.
func processAttributes(a account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: a.credential()}
}

func lockThread() func() { return func() {} }

func freeze(int, func(int) error) ([]int, error) { return nil, errors.ErrUnsupported }

func gone(pid int) bool { return !alive(pid) }

func memoryDir() string { return "" }
