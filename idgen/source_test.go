package idgen_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/idgen"
)

// TestSources keep the rules of Source.
func TestSources(t *testing.T) {
	t.Parallel()
	integers, err := idgen.New(idgen.Config{Node: idgen.FixedNode(0)})
	require.NoError(t, err)
	uuids := new(idgen.UUIDv7Generator)
	for name, c := range map[string]struct {
		source  idgen.Source
		highest int
		like    any
		refused []any
	}{
		"integers": {integers, 1023, int64(0), []any{nil, 1, uint64(1 << 60), "1152921504606846976", int64(-1), int64(7), [16]byte{}}},
		"uuids":    {uuids, idgen.MaxUUIDShard, [16]byte{}, []any{nil, int64(1 << 60), [16]byte{}, "", uuid.NewString(), uuid.New(), []byte{}, strings.Repeat("0", 36)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, shard := range []int{0, 1, c.highest} {
				id, err := c.source.NextID(shard)
				require.NoError(t, err)
				require.IsType(t, c.like, id)
				got, err := c.source.ShardOf(id)
				require.NoError(t, err)
				require.Equal(t, shard, got)
			}
			id, err := c.source.NextID(c.highest + 1)
			require.ErrorIs(t, err, idgen.ErrInvalidShard)
			require.Nil(t, id, "no zero ID, which a caller could take for one")
			for _, id := range c.refused {
				_, err := c.source.ShardOf(id)
				require.ErrorIs(t, err, idgen.ErrInvalidID, "%T", id)
			}
		})
	}
}

// TestShardOfText: UUIDs in columns of text have their shard too, and other text has none.
func TestShardOfText(t *testing.T) {
	t.Parallel()
	var g idgen.UUIDv7Generator
	id, err := g.Next(4711)
	require.NoError(t, err)
	text := uuid.UUID(id).String()
	for _, spelling := range []string{text, strings.ToUpper(text)} {
		shard, err := g.ShardOf(spelling)
		require.NoError(t, err)
		require.Equal(t, 4711, shard)
	}
	for _, other := range []string{
		"{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", ""), text[:35], text + " ", text[:35] + "g",
		text[:8] + "0" + text[9:], text[:13] + "0" + text[14:], text[:18] + "0" + text[19:], text[:23] + "0" + text[24:],
		text[:19] + "-" + text[20:],
	} {
		_, err := g.ShardOf(other)
		require.ErrorIs(t, err, idgen.ErrInvalidID)
		require.NotContains(t, err.Error(), other, "errors have no values")
	}
}
