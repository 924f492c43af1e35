package sqltext

import (
	"regexp"
	"strings"
)

// indexHints are MySQL's and SQLite's.
var indexHints = regexp.MustCompile(`(?i)^(` +
	`(?:(?:USE|FORCE|IGNORE)\s+(?:INDEX|KEY)(?:\s+FOR\s+(?:JOIN|ORDER\s+BY|GROUP\s+BY))?\s*\([\w\s,` + "`" + `$.]*\)\s*)+|` +
	`INDEXED\s+BY\s+\w+|NOT\s+INDEXED` +
	`)$`)

// Hint tells whether text is nothing but one comment or index hints, which change how a statement runs and not what it
// reads. Comments that MySQL runs, /*! … */, are none.
func Hint(text string) bool {
	text = strings.TrimSpace(text)
	inner, isComment := strings.CutPrefix(text, "/*")
	if !isComment {
		return indexHints.MatchString(text)
	}
	inner, closed := strings.CutSuffix(inner, "*/")
	return closed && !strings.Contains(inner, "*/") && !strings.Contains(inner, "/*") && !strings.HasSuffix(inner, "/") &&
		!strings.HasPrefix(inner, "!") && !strings.HasPrefix(inner, "M!") && unreadable(inner) == ""
}
