package rowsecurity

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Setting is the name of a PostgreSQL setting that policies read with current_setting, such as "app.tenant_id".
type Setting string

// longestName is what PostgreSQL keeps of an identifier.
// Source: PostgreSQL 15 src/include/pg_config_manual.h NAMEDATALEN, less its end mark.
const longestName = 63

// Check tells whether the name is one that PostgreSQL lets anybody set: two or more parts with dots between them.
// Source: PostgreSQL 15 src/backend/utils/misc/guc.c valid_custom_variable_name. Differs: small letters and no bytes
// beyond ASCII, so that it is spelled in one way only.
func (s Setting) Check() error {
	if !regexp.MustCompile(`^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)+$`).MatchString(string(s)) {
		return fmt.Errorf("%q is no name for a setting of your own: it has two parts of small letters, digits and _, "+
			"such as app.tenant_id", string(s))
	}
	for part := range strings.SplitSeq(string(s), ".") {
		if len(part) > longestName {
			return fmt.Errorf("%q is no name for a setting: %q has more than %d bytes", string(s), part, longestName)
		}
	}
	return nil
}

// quoted returns the name as an SQL identifier.
func (s Setting) quoted() string {
	parts := strings.Split(string(s), ".")
	for i, part := range parts {
		parts[i] = identifier(part)
	}
	return strings.Join(parts, ".")
}

// literal returns text as an SQL literal that means the same whatever standard_conforming_strings, backslash_quote and
// client_encoding say: what is no plain letter is written as an escape.
// Source: PostgreSQL 15 documentation, 4.1.2.2 String Constants with C-Style Escapes.
func literal(text string) (string, error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) { // two such texts would become one
		return "", fmt.Errorf("text of %d bytes that is not valid UTF-8, or has a zero byte", len(text))
	}
	var b strings.Builder
	b.WriteString("E'")
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_. :/", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('\'')
	return b.String(), nil
}
