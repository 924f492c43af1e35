package tenancy_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

// TestListKnowsKeysInAllTheirTypes is about one key that comes from a map, a row and a condition in three types.
func TestListKnowsKeysInAllTheirTypes(t *testing.T) {
	t.Parallel()
	here, there := tenancy.Placement{Shard: "here"}, tenancy.Placement{Shard: "there"}
	id, other := uuid.New(), uuid.New()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		list          tenancy.ShardResolver
		known, absent []any
	}{
		"integers": {tenancy.List(map[int]tenancy.Placement{7: here, -1: there}), []any{7, int8(7), uint64(7)}, []any{8, "7", uint64(1<<63 + 7)}},
		"strings":  {tenancy.List(map[string]tenancy.Placement{"7": here, "": there}), []any{"7", tenancy.ID("7")}, []any{7, "8", []byte("7")}},
		"IDs":      {tenancy.List(map[tenancy.ID]tenancy.Placement{"7": here}), []any{"7", tenancy.ID("7")}, []any{7, tenancy.ID("")}},
		"UUIDs":    {tenancy.List(map[uuid.UUID]tenancy.Placement{id: here}), []any{id, [16]byte(id), &id}, []any{other, id.String(), id[:]}},
		"times":    {tenancy.List(map[time.Time]tenancy.Placement{noon: here}), []any{noon, noon.In(time.FixedZone("", 3600))}, []any{noon.Add(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, key := range c.known {
				at, err := c.list.Resolve(t.Context(), key)
				require.NoError(t, err, "%T", key)
				assert.Equal(t, here, at, "%T", key)
			}
			for _, key := range c.absent {
				_, err := c.list.Resolve(t.Context(), key)
				want := tenancy.ErrShardNotFound
				if _, tenant := key.(tenancy.ID); tenant {
					want = tenancy.ErrTenantNotFound
				}
				require.ErrorIs(t, err, want, "%T", key)
			}
			_, err := c.list.Resolve(t.Context(), nil)
			require.ErrorIs(t, err, tenancy.ErrMissingShardKey)
		})
	}
}

func TestListFaults(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]tenancy.ShardResolver{
		"no key of rows": tenancy.List(map[float64]tenancy.Placement{1.5: {}}),
		"twice the same": tenancy.List(map[any]tenancy.Placement{7: {}, int64(7): {Shard: "other"}}),
		"a missing one":  tenancy.List(map[*int]tenancy.Placement{nil: {}}),
	} {
		_, err := list.Resolve(t.Context(), 7)
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig, name)
		db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{})
		require.NoError(t, err)
		require.ErrorIs(t, db.Use(tenancy.New(tenancy.Config{Resolver: list})), tenancy.ErrInvalidConfig, name)
	}
}

func TestListPlacementsInOrder(t *testing.T) {
	t.Parallel()
	a, b, c := tenancy.Placement{Shard: "a"}, tenancy.Placement{Shard: "a", Schema: "b"}, tenancy.Placement{Shard: "c"}
	lister, ok := tenancy.List(map[int]tenancy.Placement{1: c, 2: b, 3: a, 4: c}).(tenancy.PlacementLister)
	require.True(t, ok)
	var got []tenancy.Placement
	for p, err := range lister.Placements(t.Context()) {
		require.NoError(t, err)
		got = append(got, p)
	}
	assert.Equal(t, []tenancy.Placement{a, b, c}, got)
}
