package sqlite

import (
	"errors"
	"fmt"

	"gorm.io/gorm"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrPath is what gorm.Open fails with if the path given to [Open], or the DSN
// given to [New], would make SQLite open something else than it says: it is
// empty, has a NUL byte, or is a "file:" URI where a path is due.
var ErrPath = errors.New("sqlite: unusable path")

var (
	errEmpty = fmt.Errorf("%w: empty", ErrPath)
	errNUL   = fmt.Errorf("%w: NUL byte", ErrPath)
	errURI   = fmt.Errorf(`%w: a "file:" URI goes to New; for a file of that name put "./" before it`, ErrPath)
)

// Translate returns the GORM error that err stands for, or err itself:
//
//   - SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE: gorm.ErrDuplicatedKey
//   - SQLITE_CONSTRAINT_FOREIGNKEY: gorm.ErrForeignKeyViolated
//   - SQLITE_CONSTRAINT_CHECK: gorm.ErrCheckConstraintViolated
//
// It looks through wrapped errors. GORM calls it if gorm.Config.TranslateError
// is set. Safe for concurrent use.
//
// The codes are SQLite's extended ones, which modernc.org/sqlite v1.62.0 turns
// on for every connection (conn.go, newConn) and returns from Error.Code.
func (d *dialector) Translate(err error) error {
	var e *modernc.Error
	if !errors.As(err, &e) {
		return err
	}

	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return gorm.ErrDuplicatedKey
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return gorm.ErrForeignKeyViolated
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return gorm.ErrCheckConstraintViolated
	default:
		return err
	}
}
