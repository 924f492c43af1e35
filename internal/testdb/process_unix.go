//go:build unix

package testdb

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// An account is the user that servers run as.
type account struct {
	uid, gid uint32
	drop     bool // this process is root, and servers refuse to be
}

// serverAccount returns this process's own user or, for root, the named one or
// else nobody.
func serverAccount(name string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}, nil //nolint:gosec // IDs are 32 bits wide
	}
	u, err := user.Lookup(name)
	if err != nil {
		u = &user.User{Uid: "65534", Gid: "65534"}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, err
	}
	return account{uid: uint32(uid), gid: uint32(gid), drop: true}, nil
}

func (a account) chown(path string) error {
	if !a.drop {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// owns tells whether path is a folder, and the account's own.
func (a account) owns(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == a.uid
}

func (a account) credential() *syscall.Credential {
	if !a.drop {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// ownSession keeps from the command the signals that a terminal or a time limit
// sends to all processes of a session.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr.Setsid = true }

// alive tells whether there is such a process.
func alive(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
