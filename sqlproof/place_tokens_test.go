package sqlproof

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPiecesMergeWithNothing has texts that are read in other tokens than those of the text before and of the pieces in it.
func TestPiecesMergeWithNothing(t *testing.T) {
	t.Parallel()
	read := func(sql string) *Statement {
		b, err := NewBuilder("postgres", sql)
		require.NoError(t, err)
		return b.st
	}
	inserted := piece{from: 14, to: 14, schema: true}
	replaced := piece{from: 14, to: 15, suffix: true, head: `"t`, tail: `" AS "t"`}
	for _, c := range []struct {
		before, now string
		piece
		same bool
	}{
		{`SELECT a FROM t WHERE b`, `SELECT a FROM "s".t WHERE b`, inserted, true},
		{`SELECT a FROM t WHERE b`, `SELECT a FROM "s".t WHERE`, inserted, false},
		{`SELECT a FROM t WHERE b`, `SELECT a FROM "s".t WHERE b c`, inserted, false},
		{`SELECT a FROM t WHERE b`, `SELECT a FROM "s".tWHERE b`, inserted, false},
		{`SELECT a FROM t WHERE b`, `SELECT a FROM "s"."t WHERE b"`, inserted, false},
		{`SELECT a FROM t WHERE b`, `SELECTa FROM "s".t WHERE b`, inserted, false},
		{`SELECT a FROM t WHERE b`, `SELECT a FROM "t_" AS "t" WHERE b`, replaced, true},
		{`SELECT a FROM t WHERE b`, `SELECT a FROM "t_" AS "t"`, replaced, false},
		{`SELECT a FROM t"b"`, `SELECT a FROM "t_" AS "t""b"`, replaced, false},
	} {
		p := placer{st: read(c.before), out: placement{pieces: []piece{c.piece}}}
		assert.Equal(t, c.same, p.sameTokens(read(c.now), len("s"), len("_")), c.now)
	}
}
