package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSavepointOf(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]Savepoint{
		"SAVEPOINT a":                     {"SAVEPOINT", "a"},
		"  savepoint\n\ta ;\n":            {"SAVEPOINT", "a"},
		"SAVEPOINT sp0xc000123;":          {"SAVEPOINT", "sp0xc000123"},
		`SAVEPOINT "Ab"`:                  {"SAVEPOINT", "Ab"},
		"SAVEPOINT `a`;":                  {"SAVEPOINT", "a"},
		"ROLLBACK TO a":                   {"ROLLBACK TO", "a"},
		"ROLLBACK TO SAVEPOINT a":         {"ROLLBACK TO", "a"},
		`ROLLBACK TO "savepoint"`:         {"ROLLBACK TO", "savepoint"},
		"rollback transaction to a":       {"ROLLBACK TO", "a"},
		"ROLLBACK WORK TO SAVEPOINT a":    {"ROLLBACK TO", "a"},
		"RELEASE a":                       {"RELEASE", "a"},
		"RELEASE SAVEPOINT a":             {"RELEASE", "a"},
		"":                                {},
		";":                               {},
		"SAVEPOINT":                       {},
		"SAVEPOINT SAVEPOINT":             {},
		"SAVEPOINT SAVEPOINT a":           {},
		"SAVEPOINT a b":                   {},
		"SAVEPOINT a; SELECT 1":           {},
		"SAVEPOINT a;;":                   {},
		"SAVEPOINT a;SELECT":              {},
		"SAVEPOINT a -- x":                {},
		"SAVEPOINT/**/a":                  {},
		"SAVEPOINT 1a":                    {},
		"SAVEPOINT a.b":                   {},
		"SAVEPOINT 'a'":                   {},
		"SAVEPOINT \"a":                   {},
		"SAVEPOINT \"\"":                  {},
		`SAVEPOINT "a""b"`:                {},
		"SAVEPOINT \"a`":                  {},
		"SAVEPOINT a\x00":                 {},
		"SAVEPOINT\u00A0a":                {},
		"ROLLBACK":                        {},
		"ROLLBACK a":                      {},
		"ROLLBACK TO":                     {},
		"ROLLBACK TO SAVEPOINT":           {},
		"ROLLBACK TO SAVEPOINT SAVEPOINT": {},
		"ROLLBACK TRANSACTION WORK TO a":  {},
		"ROLLBACK PREPARED a":             {},
		"RELEASE":                         {},
		"RELEASE SAVEPOINT":               {},
		"RELEASE TO a":                    {},
		"COMMIT":                          {},
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			s, ok := SavepointOf(sql)
			require.Equal(t, want, s)
			require.Equal(t, want != Savepoint{}, ok)
		})
	}
}
