package catalog

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestDirectory has entries for shard keys, which are found in the form that statements give them in.
func TestDirectory(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t), t.Context()
			for _, name := range []string{"s1", "s2"} {
				require.NoError(t, c.AddShard(ctx, Shard{Name: name, DSN: "x"}))
			}
			id := uuid.New()
			for key, on := range map[tenancy.ID]string{"7": "s1", "-8": "s2", "eu": "s1", tenancy.ID(id.String()): "s2"} {
				bring(t, c, create(t, c, NewTenant{ID: key, On: new(on)}), Active)
			}
			for _, k := range []struct {
				key any
				on  string
			}{{int64(7), "s1"}, {int64(-8), "s2"}, {"eu", "s1"}, {[16]byte(id), "s2"}} {
				at, err := c.Resolve(ctx, k.key)
				require.NoError(t, err, "%v", k.key)
				require.Equal(t, tenancy.Placement{Shard: k.on}, at, "%v", k.key)
			}
			for _, unknown := range []any{int64(9), "", "EU ", []byte{0}} {
				_, err := c.Resolve(ctx, unknown)
				require.ErrorIs(t, err, tenancy.ErrTenantNotFound, "%v", unknown)
			}
			_, err := c.Resolve(ctx, nil)
			require.ErrorIs(t, err, tenancy.ErrMissingShardKey)
		})
	}
}
