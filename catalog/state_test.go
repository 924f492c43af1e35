package catalog

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

var allStates = []State{Creating, Active, Suspended, Moving, Dropping}

// TestStates tries each change of state from each state.
func TestStates(t *testing.T) {
	t.Parallel()
	legal := map[State]map[State]bool{
		Creating:  {Active: true, Dropping: true},
		Active:    {Suspended: true, Moving: true},
		Suspended: {Active: true, Moving: true, Dropping: true},
		Moving:    {Active: true, Suspended: true},
		Dropping:  {},
	}
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c := m.open(t)
			for _, from := range allStates {
				for _, to := range append(allStates, "", "asleep") {
					id := tenancy.ID(fmt.Sprintf("%s-%s", from, to))
					was := bring(t, c, create(t, c, NewTenant{ID: id}), from)
					now, err := c.SetState(t.Context(), was, to, "because")
					read, readErr := c.Read(t.Context(), id)
					require.NoError(t, readErr)
					if !legal[from][to] {
						require.ErrorIs(t, err, ErrIllegalState, "%s to %s", from, to)
						require.Equal(t, was, read, "%s to %s", from, to)
						continue
					}
					require.NoError(t, err, "%s to %s", from, to)
					require.Equal(t, now, read)
					require.Equal(t, to, now.State)
					require.Equal(t, "because", now.Reason)
					require.Greater(t, now.Epoch, was.Epoch)
				}
			}
		})
	}
}

// TestReasons asks for one where somebody will want to know why.
func TestReasons(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c := m.open(t)
			create(t, c, NewTenant{ID: "a"})
			_, err := c.Activate(t.Context(), "a", "")
			require.NoError(t, err)
			_, err = c.Suspend(t.Context(), "a", "")
			require.ErrorIs(t, err, ErrIllegalState)
			require.ErrorContains(t, err, "needs a reason")
			suspended, err := c.Suspend(t.Context(), "a", "unpaid")
			require.NoError(t, err)
			_, err = c.SetState(t.Context(), suspended, Dropping, "")
			require.ErrorIs(t, err, ErrIllegalState)
		})
	}
}

// TestWhatStatesAllow is about removing and placing.
func TestWhatStatesAllow(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c := m.open(t)
			for _, state := range allStates {
				was := bring(t, c, create(t, c, NewTenant{ID: tenancy.ID("p-" + state)}), state)
				_, err := c.Place(t.Context(), was, tenancy.Placement{TableSuffix: "_1"}, SharedTables, "a test")
				if state == Moving || state == Creating {
					require.NoError(t, err, state)
				} else {
					require.ErrorIs(t, err, ErrIllegalState, state)
				}
				was = bring(t, c, create(t, c, NewTenant{ID: tenancy.ID("r-" + state)}), state)
				err = c.Remove(t.Context(), was, "a test")
				_, read := c.Read(t.Context(), was.ID)
				if state == Dropping || state == Creating {
					require.NoError(t, err, state)
					require.ErrorIs(t, read, tenancy.ErrTenantNotFound)
				} else {
					require.ErrorIs(t, err, ErrIllegalState, state)
					require.NoError(t, read)
				}
			}
		})
	}
}

// TestChangedInTheMeantime refuses decisions on what is no longer so.
func TestChangedInTheMeantime(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			one, other := m.open(t), m.open(t)
			was := create(t, one, NewTenant{ID: "a"})
			now, err := other.Activate(t.Context(), "a", "")
			require.NoError(t, err)

			_, err = one.SetState(t.Context(), was, Dropping, "it is new")
			require.ErrorIs(t, err, ErrChanged)
			_, err = one.Update(t.Context(), was)
			require.ErrorIs(t, err, ErrChanged)
			_, err = one.Place(t.Context(), was, tenancy.Placement{}, SharedTables, "")
			require.ErrorIs(t, err, ErrChanged)
			require.ErrorIs(t, one.Remove(t.Context(), was, ""), ErrChanged)
			read, err := one.Read(t.Context(), "a")
			require.NoError(t, err)
			require.Equal(t, now, read)

			_, err = one.SetState(t.Context(), Tenant{ID: "b"}, Active, "")
			require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
			require.ErrorIs(t, one.Remove(t.Context(), Tenant{ID: "b"}, ""), tenancy.ErrTenantNotFound)
		})
	}
}
