package locks

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// lockMark is between the name of a database's file and that of a lock.
const lockMark = "-lock-"

// fileTries is how often a lock file may be removed by the one who had it before, just when we have got it.
const fileTries = 100

// fileLease is a lock on a file beside a database (flock, on Windows LockFileEx). The system lets it go with its process.
type fileLease struct{ file *flock.Flock }

// takeFile makes the file if need be. As the one who lets the lock go removes it, a lock counts only if the file is still the
// one that others find.
func takeFile(database, name string) (lease, error) {
	info, err := os.Stat(database)
	if err != nil {
		return nil, beside(err)
	}
	sum := digest(name)
	path := database + lockMark + hex.EncodeToString(sum[:16])
	for range fileTries {
		l := &fileLease{flock.New(path, flock.SetPermissions(info.Mode().Perm()))} // whoever may use the database may lock it
		free, err := l.file.TryLock()
		if err != nil {
			return nil, beside(err)
		}
		if !free {
			return nil, ErrHeld
		}
		if l.found() == nil {
			return l, nil
		}
		if err := l.file.Unlock(); err != nil {
			return nil, beside(err)
		}
	}
	return nil, ErrHeld
}

func (l *fileLease) check(context.Context) error { return l.found() }

// found reports whether the locked file is the one that others find.
func (l *fileLease) found() error {
	locked, err := l.file.Stat()
	if err != nil {
		return lost(beside(err))
	}
	found, err := os.Stat(l.file.Path())
	if err != nil {
		return lost(beside(err))
	}
	if !os.SameFile(locked, found) {
		return fmt.Errorf("%w: its file was removed", ErrLost)
	}
	return nil
}

func (l *fileLease) release(context.Context) error {
	err := l.found()
	if err == nil {
		_ = os.Remove(l.file.Path()) // before it is unlocked; where an open file cannot be removed, it stays, and does no harm
	}
	return errors.Join(err, beside(l.file.Unlock()))
}

// beside is err without its path, which may be all of a DSN.
func beside(err error) error {
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("tenancy: the lock file beside the database: %s: %w", file.Op, file.Err)
	}
	return err
}

// Sweep removes the lock files beside a database's file that nobody holds: a process that was killed leaves its own.
func Sweep(database string) error {
	entries, err := os.ReadDir(filepath.Dir(database))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filepath.Base(database)+lockMark) {
			continue
		}
		l := &fileLease{flock.New(filepath.Join(filepath.Dir(database), e.Name()))}
		if free, err := l.file.TryLock(); err != nil || !free {
			continue
		}
		if l.found() == nil { // or else somebody has the one that is there now
			_ = os.Remove(l.file.Path())
		}
		_ = l.file.Unlock()
	}
	return nil
}
