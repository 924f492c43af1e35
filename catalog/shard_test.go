package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestShards is about shards that come, change and go while tenants are there.
func TestShards(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, other, ctx := m.open(t), m.open(t), t.Context()
			create(t, c, NewTenant{ID: "early"})
			require.NoError(t, c.AddShard(ctx, Shard{DSN: "home"}))
			home, err := c.Shard(ctx, "")
			require.NoError(t, err)
			require.EqualValues(t, 1, home.Tenants, "a strategy counts those that were there before")
			s1 := Shard{Name: "s1", DSN: "one", Replicas: []string{"r1", "r2"}, Attributes: map[string]string{"region": "eu"}, Shapes: []Shape{SharedTables, OwnDatabase}}
			require.NoError(t, c.AddShard(ctx, s1))
			require.ErrorIs(t, other.AddShard(ctx, s1), ErrShardExists)
			require.NoError(t, other.AddShard(ctx, Shard{Name: "S1 "}), "another name")
			require.NoError(t, other.RemoveShard(ctx, "S1 "))

			got, err := other.Shard(ctx, "s1")
			require.NoError(t, err)
			require.EqualValues(t, 3, got.Epoch)
			s1.Epoch = 3
			require.Equal(t, s1, got)
			_, err = other.Shard(ctx, "s2")
			require.ErrorIs(t, err, tenancy.ErrShardNotFound)

			create(t, c, NewTenant{ID: "a", On: new("s1")})
			create(t, c, NewTenant{ID: "own", On: new("s1"), Shape: OwnDatabase})
			require.NoError(t, c.SetBytes(ctx, "s1", 5<<40))
			require.ErrorIs(t, c.SetBytes(ctx, "s2", 1), tenancy.ErrShardNotFound)
			require.ErrorIs(t, c.SetBytes(ctx, "s1", -1), tenancy.ErrInvalidConfig)
			all, err := other.Shards(ctx)
			require.NoError(t, err)
			s1.Tenants, s1.Bytes = 2, 5<<40
			require.Equal(t, []Shard{{DSN: "home", Tenants: 1, Epoch: 2}, s1}, all, "without the one of own alone")

			changed := s1
			changed.DSN, changed.Replicas, changed.Closed, changed.Bytes, changed.Tenants = "two", nil, true, 0, 99
			require.NoError(t, c.UpdateShard(ctx, changed))
			got, err = c.Shard(ctx, "s1")
			require.NoError(t, err)
			require.Greater(t, got.Epoch, s1.Epoch)
			changed.Bytes, changed.Tenants, changed.Epoch = 5<<40, 2, got.Epoch
			require.Equal(t, changed, got)
			require.ErrorIs(t, other.UpdateShard(ctx, s1), ErrChanged)
			require.ErrorIs(t, other.UpdateShard(ctx, Shard{Name: "s2", DSN: "x"}), tenancy.ErrShardNotFound)
			require.ErrorIs(t, other.UpdateShard(ctx, Shard{Name: "s1", Own: true}), tenancy.ErrInvalidConfig)

			require.ErrorIs(t, c.RemoveShard(ctx, "s1"), ErrShardInUse)
			require.NoError(t, c.Remove(ctx, Tenant{ID: "a"}, ""))
			require.ErrorIs(t, c.RemoveShard(ctx, "s1"), ErrShardInUse, "there is a database beside it")
			require.NoError(t, c.Remove(ctx, Tenant{ID: "own"}, ""))
			_, err = c.Shard(ctx, "tenant_own")
			require.ErrorIs(t, err, tenancy.ErrShardNotFound, "it went with its tenant")
			require.NoError(t, c.AddShard(ctx, Shard{Name: "kept", Own: true, Host: "s1"}))
			require.ErrorIs(t, c.RemoveShard(ctx, "s1"), ErrShardInUse)
			require.NoError(t, c.RemoveShard(ctx, "kept"))
			require.NoError(t, c.RemoveShard(ctx, "s1"))
			require.ErrorIs(t, c.RemoveShard(ctx, "s1"), tenancy.ErrShardNotFound)
			require.ErrorIs(t, c.RemoveShard(ctx, ""), ErrShardInUse)
		})
	}
}

// TestShardsRefused is about what no shard can be.
func TestShardsRefused(t *testing.T) {
	t.Parallel()
	c := openSQLite(t)
	for what, s := range map[string]Shard{
		"a control character":   {Name: "a\n"},
		"own and nameless":      {Own: true, Host: "a"},
		"own and beside itself": {Name: "a", Own: true, Host: "a"},
		"a host, but not own":   {Name: "a", Host: "b"},
		"a shape":               {Name: "a", Shapes: []Shape{"round"}},
		"an attribute":          {Name: "a", Attributes: map[string]string{"\xff": "a"}},
	} {
		s.DSN = "user:secret@host"
		err := c.AddShard(t.Context(), s)
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig, what)
		require.NotContains(t, err.Error(), "secret", what)
		require.ErrorIs(t, c.UpdateShard(t.Context(), s), tenancy.ErrInvalidConfig, what)
	}
}

// TestOwnDatabasesAreBesideTheirHost is about the DSNs of databases that are one tenant's alone.
func TestOwnDatabasesAreBesideTheirHost(t *testing.T) {
	t.Parallel()
	type dsns struct{ host, replica, own, ownReplica string }
	of := map[string]dsns{
		"sqlite": {"/data/host.db", "/replica/host.db", "/data/tenant_a.db", "/replica/tenant_a.db"},
		"postgres": {
			"postgres://app@host:5433/main?sslmode=disable", "postgres://app@replica/main",
			"postgres://app@host:5433/tenant_a?sslmode=disable", "postgres://app@replica/tenant_a",
		},
		"mysql": {"app@tcp(host:3307)/main?parseTime=true", "app@tcp(replica)/main", "app@tcp(host:3307)/tenant_a?parseTime=true", "app@tcp(replica)/tenant_a"},
	}
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx, d := m.open(t), t.Context(), of[m.name]
			made := create(t, c, NewTenant{ID: "a", Shape: OwnDatabase})
			_, found, asOf, err := c.store.loadShard(ctx, "tenant_a")
			require.True(t, found)
			require.EqualValues(t, 1, asOf)
			require.ErrorIs(t, err, tenancy.ErrShardNotFound)
			require.ErrorContains(t, err, `beside shard "", whose DSN the catalog does not have`)

			require.NoError(t, c.AddShard(ctx, Shard{DSN: d.host, Replicas: []string{d.replica}}))
			sh, found, asOf, err := c.store.loadShard(ctx, made.Placement.Shard)
			require.NoError(t, err)
			require.True(t, found)
			require.EqualValues(t, 2, asOf)
			require.Equal(t, Shard{Name: "tenant_a", DSN: d.own, Replicas: []string{d.ownReplica}, Own: true, Epoch: 1}, sh)
			stored, err := c.Shard(ctx, "tenant_a")
			require.NoError(t, err)
			require.Empty(t, stored.DSN, "it follows its host")

			require.NoError(t, c.UpdateShard(ctx, Shard{DSN: "host=secret dbname='x"}))
			_, _, _, err = c.store.loadShard(ctx, "tenant_a")
			if m.name != "sqlite" {
				require.ErrorIs(t, err, tenancy.ErrShardNotFound)
				require.NotContains(t, err.Error(), "secret")
			}
			_, found, _, err = c.store.loadShard(ctx, "nowhere")
			require.NoError(t, err)
			require.False(t, found)
		})
	}
}
