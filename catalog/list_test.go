package catalog

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestFilters is about which tenants are listed.
func TestFilters(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t), t.Context()
			require.NoError(t, c.AddShard(ctx, Shard{}))
			require.NoError(t, c.AddShard(ctx, Shard{Name: "s1", DSN: "x"}))
			for id, n := range map[tenancy.ID]NewTenant{
				"a": {Attributes: map[string]string{"plan": "big", "region": "eu"}, On: new("")},
				"b": {Attributes: map[string]string{"plan": "small", "region": "eu"}, On: new("s1")},
				"c": {Shape: OwnSchema, On: new("s1")},
				"d": {Shape: OwnDatabase, On: new("s1"), Attributes: map[string]string{"note": `plan":"big`}},
				"B": {On: new("")},
			} {
				n.ID = id
				bring(t, c, create(t, c, n), map[tenancy.ID]State{"b": Active, "c": Suspended}[id])
			}
			for what, test := range map[string]struct {
				f    Filter
				want []tenancy.ID
			}{
				"all":        {Filter{}, []tenancy.ID{"B", "a", "b", "c", "d"}},
				"states":     {Filter{States: []State{Active, Suspended}}, []tenancy.ID{"b", "c"}},
				"state":      {Filter{States: []State{Moving}}, nil},
				"shard":      {Filter{Shard: new("s1")}, []tenancy.ID{"b", "c", "d"}},
				"default":    {Filter{Shard: new("")}, []tenancy.ID{"B", "a"}},
				"shape":      {Filter{Shape: OwnDatabase}, []tenancy.ID{"d"}},
				"attribute":  {Filter{Attribute: map[string]string{"plan": "big"}}, []tenancy.ID{"a"}},
				"attributes": {Filter{Attribute: map[string]string{"plan": "big", "region": "us"}}, nil},
				"together":   {Filter{Shard: new("s1"), Shape: SharedTables, States: []State{Active}, Attribute: map[string]string{"region": "eu"}}, []tenancy.ID{"b"}},
			} {
				var got []tenancy.ID
				for _, found := range collect(t, c.List(ctx, test.f)) {
					got = append(got, found.ID)
					read, err := c.Read(ctx, found.ID)
					require.NoError(t, err)
					require.Equal(t, read, found)
				}
				require.Equal(t, test.want, got, what)
			}
			require.Equal(t, []tenancy.ID{"b"}, collect(t, c.Tenants(ctx)))
			require.Equal(t, []tenancy.ID{"B", "a", "b", "c", "d"}, collect(t, c.Tenants(Maintenance(ctx))))
			for _, err := range c.List(ctx, Filter{}) {
				require.NoError(t, err)
				break // and nothing is left behind
			}
		})
	}
}

// TestListWhileTenantsChange reads several pages while others come, change and go: who is there all the time is listed once.
func TestListWhileTenantsChange(t *testing.T) {
	t.Parallel()
	const tenants = 2*pageSize + 7
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t), t.Context()
			for i := range tenants {
				_, err := c.Create(ctx, NewTenant{ID: tenancy.ID(fmt.Sprintf("t%04d", i)), Domains: []string{fmt.Sprintf("t%d.example.com", i)}})
				require.NoError(t, err)
			}
			var got []tenancy.ID
			for found, err := range c.List(ctx, Filter{}) {
				require.NoError(t, err)
				require.Len(t, found.Domains, 1)
				got = append(got, found.ID)
				if n := len(got); n == pageSize-1 || n == pageSize || n == 2*pageSize {
					create(t, c, NewTenant{ID: tenancy.ID(fmt.Sprintf("t0000-%d", n)), Domains: []string{fmt.Sprintf("a%d.example.com", n)}}) // behind
					create(t, c, NewTenant{ID: tenancy.ID(fmt.Sprintf("t9999-%d", n)), Domains: []string{fmt.Sprintf("b%d.example.com", n)}}) // before
					_, err := c.Activate(ctx, found.ID, "")
					require.NoError(t, err)
					require.NoError(t, c.Remove(ctx, Tenant{ID: tenancy.ID(fmt.Sprintf("t%04d", n-100))}, ""))
				}
			}
			require.True(t, slices.IsSorted(got))
			require.Len(t, slices.Compact(got), len(got), "each once")
			for i := range tenants {
				require.Contains(t, got, tenancy.ID(fmt.Sprintf("t%04d", i)))
			}
			require.Len(t, collect(t, c.Tenants(Maintenance(ctx))), tenants+3)
		})
	}
}

// TestHistory is about what is told of a tenant, and of one that is gone.
func TestHistory(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t), t.Context()
			require.NoError(t, c.AddShard(ctx, Shard{Name: "s1", DSN: "x"}))
			create(t, c, NewTenant{ID: "a", Shape: OwnSchema, Reason: "ordered"})
			create(t, c, NewTenant{ID: "b"})
			a, err := c.Activate(ctx, "a", "paid")
			require.NoError(t, err)
			a.Name = "A"
			_, err = c.Update(ctx, a)
			require.NoError(t, err)
			a, err = c.Suspend(ctx, "a", "unpaid")
			require.NoError(t, err)
			a, err = c.SetState(ctx, a, Dropping, "left")
			require.NoError(t, err)
			require.NoError(t, c.Remove(ctx, a, "done"))
			create(t, c, NewTenant{ID: "a", Shape: OwnSchema})

			at := a.Placement
			want := []Event{
				{Epoch: 2, What: Created, Tenant: "a", Name: "a", To: Creating, Placement: at, Reason: "ordered"},
				{Epoch: 4, What: StateChanged, Tenant: "a", Name: "a", From: Creating, To: Active, Placement: at, Reason: "paid"},
				{Epoch: 5, What: Updated, Tenant: "a", Name: "A", From: Active, To: Active, Placement: at},
				{Epoch: 6, What: StateChanged, Tenant: "a", Name: "A", From: Active, To: Suspended, Placement: at, Reason: "unpaid"},
				{Epoch: 7, What: StateChanged, Tenant: "a", Name: "A", From: Suspended, To: Dropping, Placement: at, Reason: "left"},
				{Epoch: 8, What: Removed, Tenant: "a", Name: "A", From: Dropping, Placement: at, Reason: "done"},
				{Epoch: 9, What: Created, Tenant: "a", Name: "a", To: Creating, Placement: tenancy.Placement{Shard: "s1", Schema: "tenant_a_2", Exclusive: true}},
			}
			got := collect(t, c.History(ctx, "a"))
			for i := range got {
				require.False(t, got[i].At.IsZero())
				require.True(t, i == 0 || !got[i].At.Before(got[i-1].At))
				want[min(i, len(want)-1)].At = got[i].At
			}
			require.Equal(t, want, got)
			require.Empty(t, collect(t, c.History(ctx, "nobody")))
			all := collect(t, c.History(ctx, ""))
			require.Len(t, all, 9)
			require.Equal(t, Event{Epoch: 1, At: all[0].At, What: ShardAdded, Placement: tenancy.Placement{Shard: "s1"}}, all[0])
		})
	}
}
