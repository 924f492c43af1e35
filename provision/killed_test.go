package provision_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	osexec "os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// order is what another process is to do.
type order struct {
	Kind, Master, Home, Prefix string
	Shape                      catalog.Shape
	Drop                       bool
	After                      provision.Step // it is killed when this step has ended; "": not at all
	Within                     provision.Step // it is killed in the midst of this step
}

const orderVariable = "TENANCY_TEST_PROVISION_ORDER"

// send starts another process, which is this test binary, and waits for its end.
func (s site) send(o order) (said string, err error) {
	o.Kind, o.Master, o.Home, o.Prefix = s.name, s.master, s.home, s.prefix
	text, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	cmd := osexec.Command(os.Args[0], "-test.run=^TestOtherProcess$", "-test.v")
	cmd.Env = append(os.Environ(), orderVariable+"="+string(text))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// killMe ends this process as kill -9 does.
func killMe() {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

// TestOtherProcess is what another process does; by itself it does nothing.
func TestOtherProcess(t *testing.T) {
	text := os.Getenv(orderVariable)
	if text == "" {
		t.Skip("it is run by other tests")
	}
	var o order
	require.NoError(t, json.Unmarshal([]byte(text), &o))
	i := slices.IndexFunc(kinds, func(e kind) bool { return e.name == o.Kind })
	s := site{kind: kinds[i], master: o.Master, home: o.Home, prefix: o.Prefix, maxStale: 100 * time.Millisecond}
	w := s.openWorld(t, o.Shape, func(c *provision.Config, _ *tenancy.Config) {
		c.Seed = func(_ context.Context, tx *gorm.DB, _ catalog.Tenant) error {
			err := fill(tx, 10)
			if o.Within == provision.Seeding {
				killMe()
			}
			return err
		}
		if o.Within == provision.MakeTables {
			c.Models = nil
			c.Tables = func(ctx context.Context, _ catalog.Tenant) error {
				if err := c.DB.WithContext(ctx).AutoMigrate(&Label{}); err != nil {
					return err
				}
				killMe()
				return nil
			}
		}
	})
	w.steps.after = func(e provision.StepEvent) {
		if e.Step == o.After {
			killMe()
		}
	}
	var err error
	if o.Drop {
		_, err = w.Drop(t.Context(), "acme", "test")
	} else {
		_, err = w.create(t.Context(), "acme")
	}
	if err != nil {
		t.Log(err)
	}
	if errors.Is(err, tenancy.ErrTenantExists) {
		t.Log("it exists")
	} else {
		require.NoError(t, err)
	}
}

// free waits until the lock of a killed process is free: the server finds out when it reads from its connection.
func free(t *testing.T, do func() error) {
	t.Helper()
	require.Eventually(t, func() bool {
		err := do()
		if err != nil && !errors.Is(err, tenancy.ErrTenantExists) && !errors.Is(err, tenancy.ErrTenantUnavailable) {
			t.Error(err)
			return true
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
}

// TestKilledCreation kills a process after, and within, each step of a creation. Recover takes back what it has left, and so does
// another Create.
func TestKilledCreation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		var seed error
		w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) { c.Seed = seeding(&seed) })
		_, err := w.create(t.Context(), "other")
		require.NoError(t, err)
		rows, storages, others := w.rows(t), w.storages(t), w.counts("other")
		var orders []order
		for _, step := range stepsOf(shape)[:len(stepsOf(shape))-1] {
			orders = append(orders, order{Shape: shape, After: step})
		}
		orders = append(orders, order{Shape: shape, Within: provision.MakeTables}, order{Shape: shape, Within: provision.Seeding})
		for i, o := range orders {
			said, err := w.send(o)
			require.ErrorContains(t, err, "killed", said)
			left, err := w.catalog.Read(t.Context(), "acme")
			require.NoError(t, err, o)
			require.Equal(t, catalog.Creating, left.State)
			if i%2 == 0 {
				free(t, func() error {
					done, err := w.Recover(t.Context())
					if len(done.Busy) > 0 {
						return tenancy.ErrTenantUnavailable
					}
					return err
				})
			} else {
				free(t, func() error {
					_, err := w.create(t.Context(), "acme")
					return err
				})
				require.Equal(t, filled(), w.counts("acme"), o)
				_, err = w.Drop(t.Context(), "acme", "test")
				require.NoError(t, err)
			}
			w.gone("acme")
			require.Equal(t, rows, w.rows(t), o)
			require.Equal(t, storages, w.storages(t), o)
			require.Equal(t, others, w.counts("other"), o)
		}
	})
}

// TestKilledDrop kills a process after each step of a drop. Another call, or Recover, ends it.
func TestKilledDrop(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		var seed error
		w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) { c.Seed = seeding(&seed) })
		_, err := w.create(t.Context(), "other")
		require.NoError(t, err)
		rows, storages, others := w.rows(t), w.storages(t), w.counts("other")
		for _, step := range []provision.Step{provision.Suspending, provision.Draining, provision.Dropping, provision.Emptying} {
			_, err := w.create(t.Context(), "acme")
			require.NoError(t, err)
			said, err := w.send(order{Shape: shape, Drop: true, After: step})
			require.ErrorContains(t, err, "killed", said)
			if step == provision.Dropping {
				free(t, func() error {
					done, err := w.Recover(t.Context())
					if len(done.Busy) > 0 {
						return tenancy.ErrTenantUnavailable
					}
					require.Len(t, done.Dropped, 1)
					return err
				})
			} else {
				require.ErrorIs(t, w.as("acme").Find(&[]Label{}).Error, tenancy.ErrTenantUnavailable)
				free(t, func() error {
					_, err := w.Drop(t.Context(), "acme", "again")
					return err
				})
			}
			w.gone("acme")
			require.Equal(t, rows, w.rows(t), step)
			require.Equal(t, storages, w.storages(t), step)
			require.Equal(t, others, w.counts("other"), step)
		}
	})
}

// TestTwoProcesses has several processes make one tenant at once: one of them does.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		w := newWorld(t, e, shape)
		type outcome struct {
			said string
			err  error
		}
		ends := make(chan outcome)
		for range 2 {
			go func() {
				said, err := w.send(order{Shape: shape})
				ends <- outcome{said, err}
			}()
		}
		exist := 0
		for range 2 {
			end := <-ends
			require.NoError(t, end.err, end.said)
			if containsText(end.said, "it exists") {
				exist++
			}
		}
		require.Equal(t, 1, exist)
		require.Equal(t, filled(), w.counts("acme"))
		_, err := w.Drop(t.Context(), "acme", "test")
		require.NoError(t, err)
		w.gone("acme")
		require.Empty(t, w.storages(t))
	})
}
