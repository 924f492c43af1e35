package catalog

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestMasterOfAnotherKind has the tenants' databases on PostgreSQL, and the master in SQLite.
func TestMasterOfAnotherKind(t *testing.T) {
	t.Parallel()
	var asked Shard
	c := masters()[0].fresh(t).open(t, Config{Dialect: "postgres", Connect: func(_ context.Context, s Shard) (tenancy.Shard, error) {
		asked = s
		return tenancy.Shard{}, nil
	}})
	require.Equal(t, "postgres", c.Dialect())
	require.NoError(t, c.AddShard(t.Context(), Shard{Name: "eu", DSN: "postgres://app@db.example/postgres?sslmode=disable"}))
	made := create(t, c, NewTenant{ID: "Acme", Shape: OwnDatabase})
	_, err := c.OpenShard(t.Context(), made.Placement.Shard)
	require.NoError(t, err)
	require.Equal(t, "postgres://app@db.example/tenant_Acme?sslmode=disable", asked.DSN)
	create(t, c, NewTenant{ID: "acme", Shape: OwnDatabase}) // another one: PostgreSQL tells them apart

	_, err = Open(t.Context(), masters()[0].fresh(t).db(t), Config{Dialect: "oracle"})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
}

// TestNamesOfShards is about the name of a database that was added by hand, in another case.
func TestNamesOfShards(t *testing.T) {
	t.Parallel()
	for _, kind := range masters() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			c := kind.fresh(t).open(t)
			require.NoError(t, c.AddShard(t.Context(), Shard{Name: "h", DSN: "dsn"}))
			require.NoError(t, c.AddShard(t.Context(), Shard{Name: "Big", Own: true, Host: "h"}))
			schema := func(name string) tenancy.Placement {
				return tenancy.Placement{Shard: "h", Schema: name, Exclusive: true}
			}
			made := create(t, c, NewTenant{ID: "a"})
			_, err := c.Place(t.Context(), made, schema("Big"), OwnSchema, "while it is a database")
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
			require.NoError(t, c.RemoveShard(t.Context(), "Big"))
			_, err = c.Place(t.Context(), made, schema("Big"), OwnSchema, "when it was one")
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
			_, err = c.Place(t.Context(), made, schema("big"), OwnSchema, "when another was one")
			if kind.name == "postgres" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		})
	}
}
