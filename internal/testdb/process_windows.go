package testdb

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
)

// No server is started here: tests use the ones that the environment names, or
// skip.
type account struct{ uid uint32 }

func serverAccount(name string) (account, error) {
	return account{}, fmt.Errorf("%s: %w", name, errNoServer)
}

func (account) chown(string) error { return errors.ErrUnsupported }

func (account) owns(string) bool { return false }

func processAttributes(account, syscall.Signal) *syscall.SysProcAttr { return nil }

func lockThread() func() { return func() {} }

func ownSession(*exec.Cmd) {}

func alive(int) bool { return true }

func freeze(int, func(int) error) ([]int, error) { return nil, errors.ErrUnsupported }

func gone(pid int) bool { return !alive(pid) }

func memoryDir() string { return "" }
