package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gormtenancy/tenancy/internal/locks"
	"github.com/gormtenancy/tenancy/internal/pools"
)

// beside are the ends of the names of files that SQLite puts beside a database (sqlite.org/tempfiles.html).
func beside() []string { return []string{"-journal", "-wal", "-shm"} }

// file returns the path of the database, as the dialector reads the DSN.
func (t *target) file() (string, error) {
	path, memory := pools.FileOf(t.open(t.dsn))
	switch {
	case memory:
		return "", fmt.Errorf("%w: a database in memory is there as long as it is open: it is not made or dropped", ErrInvalidDSN)
	case path == "":
		return "", fmt.Errorf("%w: it does not say which file the database is", ErrInvalidDSN)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", fmt.Errorf("%w: there is a folder in the place of the database", ErrInvalidDSN)
	}
	return path, nil
}

func (t *target) existsFile() (bool, error) {
	path, err := t.file()
	if err != nil {
		return false, err
	}
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, failed("looking for the database", err)
}

// createFile makes an empty file, which is a database to SQLite, and opens it once, so that a DSN with which it cannot be used
// fails here.
func (t *target) makeFile(ctx context.Context) error {
	path, err := t.file()
	if err != nil {
		return err
	}
	made, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the caller names the file
	if errors.Is(err, fs.ErrExist) {
		return &takenError{what: "the database"}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &failure{what: "creating the database: its folder is not there: make it first", cause: err}
	}
	if err == nil {
		err = made.Close()
	}
	if err != nil {
		return failed("creating the database", err)
	}
	pool, err := connect(ctx, t.open(t.dsn))
	if err == nil {
		err = failed("creating the database", pool.Close())
	}
	if err != nil {
		return errors.Join(err, removeFile(path))
	}
	return nil
}

func (t *target) dropFile() (bool, error) {
	path, err := t.file()
	if err != nil {
		return false, err
	}
	_, err = os.Lstat(path)
	there := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, failed("dropping the database", err)
	}
	return there, removeFile(path)
}

// removeFile removes a database. The file itself goes last but for what others may have put beside it meanwhile: as long as it
// is there, it is known that there is something to remove.
func removeFile(path string) error {
	files := []string{path}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		files = []string{target, path} // SQLite follows the link
	}
	for _, again := range []bool{false, true} {
		for _, file := range files {
			for _, end := range beside() {
				if err := removeIfThere(file + end); err != nil {
					return err
				}
			}
			if again {
				continue
			}
			if err := removeIfThere(file); err != nil {
				return err
			}
		}
	}
	for _, file := range files {
		if err := locks.Sweep(file); err != nil {
			return failed("dropping the database", err)
		}
	}
	return nil
}

func removeIfThere(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return failed("dropping the database", err)
}
