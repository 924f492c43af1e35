package dsn

import (
	"net/url"
	"strings"
)

// Source: github.com/go-sql-driver/mysql v1.10.1 dsn.go, ParseDSN: [user[:password]@][net[(addr)]]/name[?parameters], where
// the last slash counts. A slash in a parameter must be escaped therefore (loc=Europe%2FBerlin).

// cutMySQL returns what is before the name of the database, with the slash, the name, and what is after it.
func cutMySQL(dsn string) (before, name, after string, err error) {
	if dsn == "" {
		return "/", "", "", nil // the driver takes its defaults
	}
	slash := strings.LastIndexByte(dsn, '/')
	if slash < 0 {
		return "", "", "", invalid("the slash before the name of the database is missing")
	}
	address := dsn[strings.LastIndexByte(dsn[:slash], '@')+1 : slash]
	if strings.Contains(address, "(") && !strings.HasSuffix(address, ")") {
		return "", "", "", invalid("the address is not in parentheses, or a slash after the name of the database is not escaped (%%2F)")
	}
	rest := dsn[slash+1:]
	end := len(rest)
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		end = i
	}
	if name, err = url.PathUnescape(rest[:end]); err != nil {
		return "", "", "", invalid("the name of the database is not percent-encoded as it must be")
	}
	return dsn[:slash+1], name, rest[end:], nil
}

func withMySQL(dsn, name string) (string, error) {
	before, _, after, err := cutMySQL(dsn)
	if err != nil {
		return "", err
	}
	return before + url.PathEscape(name) + after, nil
}

func mysqlName(dsn string) (string, error) {
	_, name, _, err := cutMySQL(dsn)
	return name, err
}
