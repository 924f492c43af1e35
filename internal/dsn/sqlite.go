package dsn

import (
	"net/url"
	"path/filepath"
	"strings"
)

const (
	uriScheme        = "file:"
	defaultExtension = ".db"
)

// file is a DSN of SQLite, cut around the path. The drivers modernc.org/sqlite v1.62.0 (conn.go, newConn) and
// github.com/mattn/go-sqlite3 v1.14.22 (sqlite3.go, SQLiteDriver.Open) both take all from the first '?' for parameters, unless
// it is a URI, which SQLite reads itself (sqlite.org/uri.html).
type file struct {
	before string // "file:" and the authority; empty: it is a plain path
	path   string // not escaped
	after  string // parameters and fragment
	memory bool
	vfs    bool // a file system of the program's own: nothing is known of what it does with the path
}

func readFile(dsn string) (file, error) {
	rest, uri := strings.CutPrefix(dsn, uriScheme)
	if !uri {
		end := len(dsn)
		if i := strings.IndexByte(dsn, '?'); i >= 1 { // the drivers look for it from the second byte on
			end = i
		}
		return file{path: dsn[:end], after: dsn[end:], memory: dsn[:end] == ":memory:"}, nil
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		end = i
	}
	f := file{before: uriScheme, path: rest[:end], after: rest[end:]}
	query, _, _ := strings.Cut(strings.TrimPrefix(f.after, "?"), "#")
	if strings.HasPrefix(f.after, "#") {
		query = ""
	}
	parameters, _ := url.ParseQuery(query) // what cannot be read is left out
	f.vfs = parameters.Has("vfs")
	f.memory = f.path == ":memory:" || parameters.Get("mode") == "memory" || parameters.Get("vfs") == "memdb"
	if authority, ok := strings.CutPrefix(f.path, "//"); ok {
		host, path, _ := strings.Cut(authority, "/")
		f.before, f.path = uriScheme+"//"+host, "/"+path
	}
	path, err := url.PathUnescape(f.path)
	if err != nil || strings.Contains(path, "\x00") {
		return file{}, invalid("the path of its URI is not percent-encoded as it must be")
	}
	f.path = path
	return f, nil
}

// text returns the DSN of another path.
func (f file) text(path string) string {
	if f.before != "" {
		path = (&url.URL{Path: path}).EscapedPath()
	}
	return f.before + path + f.after
}

// cut returns the folder, with its separator, and the last name of the path in two parts.
func (f file) cut() (folder, name, extension string, err error) {
	if f.memory {
		return "", "", "", invalid("a database in memory has no file, so that there is none beside it either")
	}
	slash := strings.LastIndexByte(f.path, '/')
	if filepath.Separator != '/' {
		slash = max(slash, strings.LastIndexByte(f.path, filepath.Separator))
	}
	folder, name = f.path[:slash+1], f.path[slash+1:]
	if name == "" {
		return "", "", "", invalid("it names no file")
	}
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && dot < len(name)-1 {
		name, extension = name[:dot], name[dot:]
	}
	return folder, name, extension, nil
}

func withFile(dsn, name string) (string, error) {
	if strings.ContainsAny(name, "/\\\x00") {
		return "", invalid(`a file of its own cannot have a slash, a backslash or a NUL byte in its name`)
	}
	f, err := readFile(dsn)
	if err != nil {
		return "", err
	}
	folder, _, extension, err := f.cut()
	if err != nil {
		return "", err
	}
	if extension == "" {
		extension = defaultExtension
	}
	path := folder + name + extension
	if f.before == "" && strings.Contains(name, "?") {
		return "", invalid(`a '?' in the name would begin the parameters: write the DSN as a URI (file:…)`)
	}
	return f.text(path), nil
}

func fileName(dsn string) (string, error) {
	f, err := readFile(dsn)
	if err != nil {
		return "", err
	}
	_, name, _, err := f.cut()
	return name, err
}

// SQLiteFile returns the path of the file that a DSN of SQLite names, or "" if that is not known, and whether the database is
// in memory.
func SQLiteFile(dsn string) (path string, memory bool) {
	f, err := readFile(dsn)
	switch {
	case err != nil || f.vfs && !f.memory:
		return "", false
	case f.memory:
		return "", true
	}
	path = f.path
	if f.before != "" && len(path) > 2 && path[0] == '/' && path[2] == ':' && filepath.VolumeName(path[1:]) != "" {
		path = path[1:] // /C:/x is C:/x on Windows
	}
	if f.before != "" {
		path = filepath.FromSlash(path)
	}
	return path, false
}
