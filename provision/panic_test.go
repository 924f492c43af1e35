package provision_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// TestPanics has the application panic, or end its goroutine, in the midst of a creation: all is taken back.
func TestPanics(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		panics := func() { panic(errTest) }
		w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) {
			c.Seed = func(_ context.Context, tx *gorm.DB, _ catalog.Tenant) error {
				if err := fill(tx, 10); err != nil {
					return err
				}
				panics()
				return nil
			}
		})
		require.PanicsWithValue(t, errTest, func() { _, _ = w.create(t.Context(), "acme") })
		w.gone("acme")

		ended := make(chan struct{})
		panics = runtime.Goexit
		go func() {
			defer close(ended)
			_, _ = w.create(t.Context(), "acme")
		}()
		<-ended
		w.gone("acme")

		panics = func() {}
		for _, step := range []provision.Step{provision.Registering, provision.MakeTables} {
			w.steps.after = func(e provision.StepEvent) {
				if e.Step == step {
					panic(errTest)
				}
			}
			require.PanicsWithValue(t, errTest, func() { _, _ = w.create(t.Context(), "acme") })
			w.steps.after = nil
			w.gone("acme")
		}
		require.Empty(t, w.storages(t))
		_, err := w.create(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, filled(), w.counts("acme"))
	})
}
