package sqltext

import "regexp"

// hints are comments, with what optimizers read in them, and MySQL's and SQLite's index hints.
var hints = regexp.MustCompile(`(?i)^\s*(` +
	`/\*[^!M*](?:[^*/]|\*[^/]|/[^*])*\*/|` +
	`(?:(?:USE|FORCE|IGNORE)\s+(?:INDEX|KEY)(?:\s+FOR\s+(?:JOIN|ORDER\s+BY|GROUP\s+BY))?\s*\([\w\s,` + "`" + `$.]*\)\s*)+|` +
	`INDEXED\s+BY\s+\w+|NOT\s+INDEXED` +
	`)\s*$`)

// Hint tells whether text is nothing but a comment or an index hint, which change how a statement runs and not what it
// reads. Comments that MySQL runs, /*! … */, are none.
func Hint(text string) bool { return hints.MatchString(text) }
