package sqlproof_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// query is an entry of the corpus.
type query struct {
	name      string
	sql       string
	args      []any
	unordered bool
	write     bool
}

func corpusFile(dialect, name string) string {
	return filepath.Join("testdata", "reports", dialect, name)
}

func readCorpus(t testing.TB, dialect, name string) string {
	t.Helper()
	text, err := os.ReadFile(corpusFile(dialect, name))
	require.NoError(t, err)
	return string(text)
}

// queries reads the corpus of a dialect. An entry begins with "-- name:", followed by other lines of that kind.
func queries(t testing.TB, dialect string) []query {
	t.Helper()
	var all []query
	for i, entry := range regexp.MustCompile(`(?m)^-- name: `).Split(readCorpus(t, dialect, "queries.sql"), -1) {
		if i == 0 {
			require.Empty(t, strings.TrimSpace(entry))
			continue
		}
		name, rest, _ := strings.Cut(entry, "\n")
		q := query{name: name}
		for {
			line, more, _ := strings.Cut(rest, "\n")
			args, isArgs := strings.CutPrefix(line, "-- args: ")
			switch {
			case isArgs:
				q.args = arguments(t, args)
			case line == "-- unordered":
				q.unordered = true
			case line == "-- kind: write":
				q.write = true
			default:
				q.sql = strings.TrimSpace(rest)
				require.NotEmpty(t, q.sql, q.name)
			}
			if q.sql != "" {
				break
			}
			rest = more
		}
		all = append(all, q)
	}
	require.Greater(t, len(all), 50)
	return all
}

// arguments reads a list in JSON; its numbers are whole.
func arguments(t testing.TB, text string) []any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var args []any
	require.NoError(t, d.Decode(&args))
	for i, a := range args {
		if n, ok := a.(json.Number); ok {
			whole, err := n.Int64()
			require.NoError(t, err)
			args[i] = whole
		}
	}
	return args
}
