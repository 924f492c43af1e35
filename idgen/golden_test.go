package idgen_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/idgen"
)

// TestGolden: what an ID decodes to never changes. Nothing in the file is edited; new cases are added.
func TestGolden(t *testing.T) {
	t.Parallel()
	var golden struct {
		Layouts map[string]idgen.Layout
		IDs     []struct {
			Layout string
			ID     int64 `json:",string"`
			idgen.Parts
		}
		UUIDs []struct {
			UUID  uuid.UUID
			Time  time.Time
			Shard int
		}
	}
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &golden))
	require.Equal(t, golden.Layouts["default"], idgen.DefaultLayout(), "the default is for ever, too")
	for _, c := range golden.IDs {
		parts, err := golden.Layouts[c.Layout].Decode(c.ID)
		require.NoError(t, err)
		require.Equal(t, c.Parts, parts, "%d in %s", c.ID, c.Layout)
	}
	for _, c := range golden.UUIDs {
		shard, err := idgen.ShardOfUUID(c.UUID)
		require.NoError(t, err)
		require.Equal(t, c.Shard, shard, "%s", c.UUID)
		at, err := idgen.TimeOfUUID(c.UUID)
		require.NoError(t, err)
		require.Equal(t, c.Time, at, "%s", c.UUID)
	}
}
