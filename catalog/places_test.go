package catalog

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestNamesAreGivenOnce is about own schemas and databases: no tenant gets the name of an earlier one, whose files and connections
// other processes may still have open.
func TestNamesAreGivenOnce(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c := m.open(t, Config{SchemaPrefix: "s_", DatabasePrefix: "d_"})
			for _, name := range []string{"s_a", "s_a_2", "s_a_3"} {
				require.Equal(t, name, removed(t, c, NewTenant{ID: "a", Shape: OwnSchema}).Placement.Schema)
			}
			for _, name := range []string{"d_a", "d_a_2"} {
				require.Equal(t, name, removed(t, c, NewTenant{ID: "a", Shape: OwnDatabase}).Placement.Shard)
			}
			require.Equal(t, "s_a_2_2", create(t, c, NewTenant{ID: "a_2", Shape: OwnSchema}).Placement.Schema, "an earlier one of a had its name")
			require.Equal(t, "d_b_2", create(t, c, NewTenant{ID: "b_2", Shape: OwnDatabase}).Placement.Shard)
			require.Equal(t, "d_b", removed(t, c, NewTenant{ID: "b", Shape: OwnDatabase}).Placement.Shard)
			require.Equal(t, "d_b_3", create(t, c, NewTenant{ID: "b", Shape: OwnDatabase}).Placement.Shard, "b_2 has the name")
			require.NoError(t, c.AddShard(t.Context(), Shard{Name: "d_c", DSN: "x"}))
			require.Equal(t, "d_c_2", create(t, c, NewTenant{ID: "c", Shape: OwnDatabase}).Placement.Shard, "a shard has the name")

			lower := create(t, c, NewTenant{ID: "case", Shape: OwnDatabase}).Placement.Shard
			upper := create(t, c, NewTenant{ID: "CASE", Shape: OwnDatabase}).Placement.Shard
			require.Equal(t, "d_case", lower)
			if m.name == "postgres" {
				require.Equal(t, "d_CASE", upper)
			} else {
				require.Equal(t, "d_CASE_2", upper, "MySQL's databases and files can be the same in spite of their case")
			}
			same := m.open(t) // both prefixes are the same: on MySQL schemas are databases
			require.Equal(t, "tenant_x", create(t, same, NewTenant{ID: "x", Shape: OwnSchema}).Placement.Schema)
			require.NoError(t, same.Remove(t.Context(), Tenant{ID: "x"}, ""))
			require.Equal(t, "tenant_x_2", create(t, same, NewTenant{ID: "x", Shape: OwnDatabase}).Placement.Shard)
		})
	}
}

// TestPlace is about a tenant that is moved, by hand here.
func TestPlace(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t), t.Context()
			for _, name := range []string{"", "s1", "s2"} {
				require.NoError(t, c.AddShard(ctx, Shard{Name: name, DSN: "x"}))
			}
			other := create(t, c, NewTenant{ID: "other", Shape: OwnSchema, On: new("s1")})
			a := bring(t, c, create(t, c, NewTenant{ID: "a", On: new("s1")}), Moving)
			homes := func(want ...int64) {
				t.Helper()
				all, err := c.Shards(ctx)
				require.NoError(t, err)
				for i, s := range all {
					require.Equal(t, want[i], s.Tenants, s.Name)
					stored, err := c.Shard(ctx, s.Name)
					require.NoError(t, err)
					require.Equal(t, want[i], stored.Tenants, s.Name)
				}
			}
			homes(0, 2, 0)
			place := func(at tenancy.Placement, shape Shape) {
				t.Helper()
				now, err := c.Place(ctx, a, at, shape, "a move")
				require.NoError(t, err)
				require.Equal(t, at, now.Placement)
				require.Equal(t, shape, now.Shape)
				read, err := c.Read(ctx, "a")
				require.NoError(t, err)
				require.Equal(t, read, now)
				a = now
			}
			refused := func(at tenancy.Placement, shape Shape, target error) {
				t.Helper()
				_, err := c.Place(ctx, a, at, shape, "a move")
				require.ErrorIs(t, err, target)
				read, err := c.Read(ctx, "a")
				require.NoError(t, err)
				require.Equal(t, a, read)
			}
			place(tenancy.Placement{Shard: "s2", TableSuffix: "_1"}, SharedTables)
			homes(0, 1, 1)
			place(tenancy.Placement{Shard: "s2", Schema: "mine", Exclusive: true}, OwnSchema)
			require.NoError(t, c.SetPlace(ctx, a.Placement, Target{Version: 7, Models: "m"}, ""))
			place(tenancy.Placement{Shard: "s1", Schema: "mine", Exclusive: true}, OwnSchema)
			homes(0, 2, 0)
			place(tenancy.Placement{Shard: "s2", Schema: "mine", Exclusive: true}, OwnSchema)
			require.Zero(t, a.Version, "the schema there is another one than it was")

			refused(other.Placement, OwnSchema, tenancy.ErrInvalidConfig)
			refused(tenancy.Placement{Shard: "s2", Schema: other.Placement.Schema, Exclusive: true}, OwnSchema, tenancy.ErrInvalidConfig)
			if m.name != "postgres" {
				refused(tenancy.Placement{Shard: "S1", Schema: "TENANT_other", Exclusive: true}, OwnSchema, tenancy.ErrShardNotFound)
				refused(tenancy.Placement{Shard: "s1", Schema: "TENANT_other", Exclusive: true}, OwnSchema, tenancy.ErrInvalidConfig)
			}
			refused(tenancy.Placement{Shard: "s9"}, SharedTables, tenancy.ErrShardNotFound)
			refused(tenancy.Placement{Shard: "s1", Exclusive: true}, SharedTables, tenancy.ErrInvalidConfig)
			refused(tenancy.Placement{Shard: "s1"}, OwnSchema, tenancy.ErrInvalidConfig)
			refused(tenancy.Placement{Shard: "s1", Exclusive: true}, OwnDatabase, tenancy.ErrInvalidConfig)
			refused(tenancy.Placement{Shard: "s1", Schema: "pg_x", Exclusive: true}, OwnSchema, tenancy.ErrInvalidTenant)

			// A database of its own is added before.
			require.ErrorIs(t, c.AddShard(ctx, Shard{Name: "own", Own: true, Host: "s9"}), tenancy.ErrShardNotFound)
			require.NoError(t, c.AddShard(ctx, Shard{Name: "own", Own: true, Host: "s1"}))
			refused(tenancy.Placement{Shard: "own"}, SharedTables, tenancy.ErrInvalidConfig)
			place(tenancy.Placement{Shard: "own", Exclusive: true}, OwnDatabase)
			homes(0, 2, 0)
			require.ErrorIs(t, c.RemoveShard(ctx, "own"), ErrShardInUse)
			place(tenancy.Placement{}, SharedTables)
			homes(1, 1, 0)
			require.NoError(t, c.RemoveShard(ctx, "own"))
			require.ErrorIs(t, c.AddShard(ctx, Shard{Name: "own", Own: true, Host: "s1"}), ErrShardExists, "no name is given twice")

			_, err := c.SetState(ctx, a, Active, "")
			require.NoError(t, err)
			require.Len(t, collect(t, c.History(ctx, "a")), 11)
		})
	}
}

// TestPlaces is about what migrate and fan-out read.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t), t.Context()
			require.Equal(t, []Place{{Shape: SharedTables}}, collect(t, c.Places(ctx)), "the default database, before any shard was added")
			require.NoError(t, c.AddShard(ctx, Shard{Name: "s1", DSN: "x"}))
			require.NoError(t, c.AddShard(ctx, Shard{Name: "s2", DSN: "x", Closed: true}))
			require.NoError(t, c.AddShard(ctx, Shard{Name: "s3", DSN: "x", Shapes: []Shape{OwnSchema, OwnDatabase}}))
			require.NoError(t, c.AddShard(ctx, Shard{Name: "s4", DSN: "x", Shapes: []Shape{SharedTables}}))
			create(t, c, NewTenant{ID: "a", On: new("s1")})
			create(t, c, NewTenant{ID: "b", On: new("s1")})
			schema := create(t, c, NewTenant{ID: "schema", On: new("s3"), Shape: OwnSchema})
			own := create(t, c, NewTenant{ID: "own", On: new("s3"), Shape: OwnDatabase})
			_, err := c.Place(ctx, create(t, c, NewTenant{ID: "c", On: new("s1")}), tenancy.Placement{Shard: "s1", TableSuffix: "_1"}, SharedTables, "")
			require.NoError(t, err)
			bring(t, c, create(t, c, NewTenant{ID: "gone", On: new("s3"), Shape: OwnSchema}), Dropping)

			require.NoError(t, c.SetPlace(ctx, own.Placement, Target{Version: 2, Models: "m"}, ""))
			require.NoError(t, c.SetPlace(ctx, own.Placement, Target{Version: 3, Models: "n"}, "lock timeout"))
			require.NoError(t, c.SetPlace(ctx, tenancy.Placement{Shard: "s1"}, Target{Version: 4}, ""))
			got := collect(t, c.Places(ctx))
			for i := range got {
				require.Equal(t, got[i].Version == 0, got[i].MigratedAt.IsZero())
				got[i].MigratedAt = got[i].MigratedAt.Truncate(0)
			}
			want := []Place{
				{Placement: tenancy.Placement{Shard: "s1"}, Shape: SharedTables, Tenants: 2, Version: 4, MigratedAt: got[0].MigratedAt},
				{Placement: tenancy.Placement{Shard: "s1", TableSuffix: "_1"}, Shape: SharedTables, Tenants: 1},
				{Placement: tenancy.Placement{Shard: "s2"}, Shape: SharedTables},
				{Placement: schema.Placement, Shape: OwnSchema, Tenants: 1, Tenant: "schema"},
				{Placement: tenancy.Placement{Shard: "s4"}, Shape: SharedTables},
				{Placement: own.Placement, Shape: OwnDatabase, Tenants: 1, Tenant: "own", Version: 2, Models: "m", Err: "lock timeout", MigratedAt: got[5].MigratedAt},
			}
			require.Equal(t, want, got)

			a, err := c.Read(ctx, "a")
			require.NoError(t, err)
			require.EqualValues(t, 4, a.Version)
			own, err = c.Read(ctx, "own")
			require.NoError(t, err)
			require.EqualValues(t, 2, own.Version)
			require.Equal(t, "m", own.Models)

			require.NoError(t, c.SetPlace(ctx, own.Placement, Target{Version: 3, Models: "n"}, ""))
			require.Empty(t, collect(t, c.Places(ctx))[5].Err, "it has gone well at last")

			_, err = c.Activate(ctx, "own", "")
			require.NoError(t, err)
			require.Equal(t, []tenancy.Placement{{Shard: "s1"}, {Shard: "s2"}, {Shard: "s4"}, own.Placement}, collect(t, c.Placements(ctx)),
				"without those of tenants that are creating or dropping")

			var behind []tenancy.ID
			for t, err := range c.List(ctx, Filter{Behind: &Target{Version: 4}}) {
				if err == nil {
					behind = append(behind, t.ID)
				}
			}
			require.Equal(t, []tenancy.ID{"c", "gone", "own", "schema"}, behind)
		})
	}
}

// TestPlacesInPages is about more places than one page has, in shards with and without tenants.
func TestPlacesInPages(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t), t.Context()
			require.NoError(t, c.AddShard(ctx, Shard{}))
			want := map[tenancy.Placement]int64{{}: 0}
			for i := range 12 {
				name := fmt.Sprintf("s%02d", i)
				require.NoError(t, c.AddShard(ctx, Shard{Name: name, DSN: "x"}))
				want[tenancy.Placement{Shard: name}] = 0
			}
			for i := range 2*pageSize + 30 {
				shard := fmt.Sprintf("s%02d", i%11)
				n := NewTenant{ID: tenancy.ID(fmt.Sprint("t", i)), On: &shard, Shape: OwnSchema}
				if i%100 == 0 {
					n.Shape = SharedTables
				}
				made, err := c.Create(ctx, n)
				require.NoError(t, err)
				want[made.Placement]++
			}
			var last tenancy.Placement
			for i, p := range collect(t, c.Places(ctx)) {
				require.Equal(t, want[p.Placement], p.Tenants, "%v", p.Placement)
				delete(want, p.Placement)
				require.True(t, i == 0 || last.Shard < p.Placement.Shard || last.Shard == p.Placement.Shard && last.Schema < p.Placement.Schema, "they have an order")
				last = p.Placement
			}
			require.Empty(t, want)
		})
	}
}
