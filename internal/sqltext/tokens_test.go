package sqltext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestBrackets has those of arrays, which nest like parentheses: a parser in Go recurses for each.
func TestBrackets(t *testing.T) {
	t.Parallel()
	nest := func(n int) string { return "SELECT a" + strings.Repeat("[a", n) + strings.Repeat("]", n) }
	_, why := Postgres.Tokens(nest(deepest), nil)
	assert.Empty(t, why)
	_, why = Postgres.Tokens(nest(deepest+1), nil)
	assert.Equal(t, "more than 64 brackets in one another", why)
	_, why = Postgres.Tokens("SELECT a"+strings.Repeat("[1]", 2*deepest), nil)
	assert.Empty(t, why)
}

// TestContinuedStrings has PostgreSQL's strings with escapes. One goes on in a string on another line, which has escapes too
// although nothing there says so.
func TestContinuedStrings(t *testing.T) {
	t.Parallel()
	const goesOn = "string with escapes that goes on behind a line break"
	for sql, want := range map[string]string{
		"SELECT E'a'\n'\\' OR true --'":        goesOn,
		"SELECT E'a' -- b\n  '\\' OR true --'": goesOn,
		"SELECT E'a', 'b'":                     "",
		"SELECT E'a'\n, 'b\\'":                 "backslash before a quote", // as standard_conforming_strings says
		"SELECT E'a' -- 'b'":                   "",
		"SELECT E'a\\'' FROM b WHERE c = 'd'":  "",
		"SELECT 'a'\n'b\\'":                    "backslash before a quote",
	} {
		_, why := Postgres.Tokens(sql, nil)
		assert.Equal(t, want, why, sql)
	}
}
