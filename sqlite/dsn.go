package sqlite

import (
	"net/url"
	"path/filepath"
	"strings"
)

const uriScheme = "file:"

// common are the settings of every database [Open] makes. The names are those
// of modernc.org/sqlite v1.62.0 (sqlite.go, Driver.Open).
//
// _timezone goes with _time_format: the format has an offset, and texts with
// different offsets do not sort by instant.
const common = "_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)" +
	"&_txlock=immediate&_time_format=sqlite&_timezone=UTC"

// fileDSN returns the DSN of the file at path, or an error that is [ErrPath].
func fileDSN(path string) (string, error) {
	switch {
	case path == "":
		return "", errEmpty
	case strings.ContainsRune(path, 0):
		// SQLite would cut the name there (sqlite.org/uri.html, section 3.2).
		return "", errNUL
	case strings.HasPrefix(path, uriScheme):
		// Somebody's DSN for gorm.io/driver/sqlite. Escaped, it would open
		// a new, empty file with a long name.
		return "", errURI
	}

	return fileURI(path) + "?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&" + common, nil
}

// fileURI returns path as a URI for SQLite. A plain name will not do: the driver
// takes all from the first '?' for parameters.
func fileURI(path string) string {
	slashed := filepath.ToSlash(path)

	// C:/x is /C:/x in a URI (sqlite.org/uri.html, section 3.1).
	if filepath.VolumeName(path) != "" && !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}

	escaped := (&url.URL{Path: slashed}).EscapedPath()

	// An empty authority, or a path such as //tmp/x would give one.
	if strings.HasPrefix(escaped, "/") {
		return uriScheme + "//" + escaped
	}

	return uriScheme + escaped
}
