package dsn

import (
	"net/url"
	"strings"
)

// Source: pgx v5.11.0 pgconn/config.go, ParseConfigWithOptions, and pgconn/parse_url.go, parseURLSettings, which follow libpq.
// What is of no concern here (hosts, credentials, settings) is passed over, and left to the driver to refuse.

func withPostgres(dsn, name string) (string, error) {
	if strings.IndexByte(dsn, 0) >= 0 || strings.IndexByte(name, 0) >= 0 {
		return "", invalid("a NUL byte in it")
	}
	if isURL(dsn) {
		u, err := readURL(dsn)
		if err != nil {
			return "", err
		}
		return u.withDatabase(name), nil
	}
	pairs, err := readPairs(dsn)
	if err != nil {
		return "", err
	}
	return pairs.withDatabase(name), nil
}

func postgresName(dsn string) (string, error) {
	if !isURL(dsn) {
		pairs, err := readPairs(dsn)
		return pairs.database(), err
	}
	u, err := readURL(dsn)
	if err != nil {
		return "", err
	}
	return u.database()
}

func isURL(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// isDatabase reports whether a setting of that name is the database: pgx knows it by two.
func isDatabase(key string) bool { return key == "dbname" || key == "database" }

// postgresURL is a DSN in the form of a URL, cut at the name of its database.
type postgresURL struct {
	before string   // up to the slash, which is not in it
	path   string   // the database, escaped; may be empty
	query  []string // pairs of key and value, escaped
}

func readURL(dsn string) (postgresURL, error) {
	scheme, rest, _ := strings.Cut(dsn, "://")
	start := 0
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		start = i + 1 // a '?' before it is part of the password
	}
	end := len(rest)
	if i := strings.IndexAny(rest[start:], "/?"); i >= 0 {
		end = start + i
	}
	path, query, asked := strings.Cut(rest[end:], "?")
	u := postgresURL{before: scheme + "://" + rest[:end], path: strings.TrimPrefix(path, "/")}
	if asked && query != "" {
		u.query = strings.Split(query, "&")
	}
	for _, pair := range u.query {
		if _, _, err := readParameter(pair); err != nil {
			return postgresURL{}, err
		}
	}
	return u, nil
}

func readParameter(pair string) (key, value string, err error) {
	key, value, found := strings.Cut(pair, "=")
	if !found || strings.Contains(value, "=") {
		return "", "", invalid("a parameter of its URL is not of the form key=value")
	}
	if key, err = unescape(key); err != nil {
		return "", "", err
	}
	value, err = unescape(value)
	return key, value, err
}

// unescape differs from net/url in that a '+' is a plus, and that spaces around the text do not count.
func unescape(text string) (string, error) {
	text = strings.Trim(text, " ")
	plain, err := url.PathUnescape(text)
	if err != nil || strings.Contains(text, " ") || strings.Contains(plain, "\x00") {
		return "", invalid("a part of its URL is not percent-encoded as it must be")
	}
	return plain, nil
}

// database returns what the driver takes: a parameter counts more than the path, and of several the last.
func (u postgresURL) database() (string, error) {
	name, err := unescape(u.path)
	if err != nil {
		return "", err
	}
	for _, pair := range u.query {
		key, value, err := readParameter(pair)
		if err != nil {
			return "", err
		}
		if isDatabase(key) {
			name = value
		}
	}
	return name, nil
}

func (u postgresURL) withDatabase(name string) string {
	var kept []string
	for _, pair := range u.query {
		if key, _, err := readParameter(pair); err != nil || !isDatabase(key) {
			kept = append(kept, pair)
		}
	}
	text := u.before + "/" + url.PathEscape(name)
	if len(kept) > 0 {
		text += "?" + strings.Join(kept, "&")
	}
	return text
}

// pair is one setting of a DSN in the form key=value.
type pair struct {
	text  string // as it stands there, with the space after it
	key   string
	value string
}

type pairs []pair

// spaces are those between settings.
const spaces = " \t\n\r\v\f"

// readPairs follows pgx v5.11.0 pgconn/config.go, parseKeywordValueSettings.
func readPairs(dsn string) (pairs, error) {
	var all pairs
	rest := strings.TrimLeft(dsn, spaces)
	for rest != "" {
		before := rest
		key, after, found := strings.Cut(rest, "=")
		key = strings.Trim(key, spaces)
		if !found || key == "" || strings.ContainsAny(key, spaces) {
			return nil, invalid("it is no URL, and a setting in it is not of the form key=value")
		}
		after = strings.TrimLeft(after, spaces)
		value, length, err := readValue(after)
		if err != nil {
			return nil, err
		}
		rest = strings.TrimLeft(after[length:], spaces)
		all = append(all, pair{text: before[:len(before)-len(rest)], key: key, value: value})
	}
	return all, nil
}

// readValue reads the value at the beginning of text: it may stand in single quotes, and a backslash takes the character
// after it for what it is.
func readValue(text string) (value string, length int, err error) {
	quoted := strings.HasPrefix(text, "'")
	i := 0
	if quoted {
		i = 1
	}
	var b strings.Builder
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\'':
			return b.String(), i + 1, nil
		case !quoted && strings.IndexByte(spaces, c) >= 0:
			return b.String(), i, nil
		case c == '\\':
			if i++; i == len(text) {
				continue // a backslash at the very end escapes nothing
			}
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	if quoted {
		return "", 0, invalid("a quoted value in it has no end")
	}
	return b.String(), len(text), nil
}

func (p pairs) database() string {
	name := ""
	for _, s := range p {
		if isDatabase(s.key) {
			name = s.value
		}
	}
	return name
}

// withDatabase puts the name in front: at the end it could follow a backslash.
func (p pairs) withDatabase(name string) string {
	kept := ""
	for _, s := range p {
		if !isDatabase(s.key) {
			kept += s.text
		}
	}
	if kept != "" {
		kept = " " + kept
	}
	return "dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "'" + kept
}
