package tenancy_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

// places returns placements that differ in their shards.
func places(shards ...string) []tenancy.Placement {
	out := make([]tenancy.Placement, len(shards))
	for i, name := range shards {
		out[i].Shard = name
	}
	return out
}

// resolve returns the shard of a key.
func resolve(t *testing.T, r tenancy.ShardResolver, key any) string {
	t.Helper()
	at, err := r.Resolve(t.Context(), key)
	require.NoError(t, err)
	return at.Shard
}

// listed returns the placements that a resolver knows, or the error that it gives instead.
func listed(t *testing.T, r tenancy.ShardResolver) (found []tenancy.Placement, err error) {
	t.Helper()
	lister, ok := r.(tenancy.PlacementLister)
	require.True(t, ok, "it is a PlacementLister")
	for p, err := range lister.Placements(t.Context()) {
		if err != nil {
			require.Zero(t, p)
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

// failingKey is a key that cannot be had, and whose error shows it.
type failingKey struct{ err error }

func (k failingKey) Value() (driver.Value, error) { return nil, k.err }

// TestKeysThatHaveNoPlace is about promise 1: a resolver by keys has no place for what is no key of its own, and its error does not
// show the key.
func TestKeysThatHaveNoPlace(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	p := tenancy.Placement{}
	integers, strs := tenancy.Range(tenancy.Bound{From: 0, To: 10, At: p}), tenancy.Range(tenancy.Bound{From: "a", To: "b", At: p})
	all := tenancy.Range(tenancy.Bound{At: p})
	hash := tenancy.Hash(4, tenancy.EvenSlots(4, p)...)
	days := tenancy.ByDate(tenancy.Day, func(time.Time) tenancy.Placement { return p })
	for _, r := range []tenancy.ShardResolver{integers, strs, all, hash, days} {
		for _, missing := range []any{nil, (*int)(nil), []byte(nil), (*time.Time)(nil)} {
			_, err := r.Resolve(t.Context(), missing)
			require.ErrorIs(t, err, tenancy.ErrMissingShardKey, "%T of %T", r, missing)
		}
		for _, wrong := range []any{1.5, true, []string{secret}, struct{ A string }{secret}, map[string]bool{secret: true}, errors.New(secret)} {
			_, err := r.Resolve(t.Context(), wrong)
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig, "%T of %T", r, wrong)
			require.NotContains(t, err.Error(), secret)
		}
		failed := errors.New(secret)
		_, err := r.Resolve(t.Context(), failingKey{failed})
		require.ErrorIs(t, err, tenancy.ErrMissingShardKey)
		require.ErrorIs(t, err, failed)
		require.NotContains(t, err.Error(), secret)
	}
	for _, c := range []struct {
		r    tenancy.ShardResolver
		key  any
		want error
	}{
		{integers, 424242, tenancy.ErrShardNotFound},
		{integers, -424242, tenancy.ErrShardNotFound},
		{integers, "424242", tenancy.ErrInvalidConfig},
		{integers, tenancy.ID("424242"), tenancy.ErrInvalidConfig},
		{strs, "c424242", tenancy.ErrShardNotFound},
		{strs, tenancy.ID("c424242"), tenancy.ErrShardNotFound},
		{strs, "Z424242", tenancy.ErrShardNotFound},
		{strs, []byte("a424242"), tenancy.ErrInvalidConfig},
		{strs, 424242, tenancy.ErrInvalidConfig},
		{days, "424242", tenancy.ErrInvalidConfig},
		{days, 424242, tenancy.ErrInvalidConfig},
		{days, tenancy.ID("424242"), tenancy.ErrInvalidConfig},
	} {
		_, err := c.r.Resolve(t.Context(), c.key)
		require.ErrorIs(t, err, c.want, "%T of %T", c.r, c.key)
		require.NotContains(t, err.Error(), "424242")
	}
}

// TestResolverFaults is about promise 1: what is wrong with the arguments of a resolver is reported by db.Use, all at once,
// and by every call.
func TestResolverFaults(t *testing.T) {
	t.Parallel()
	p, q := tenancy.Placement{Shard: "p"}, tenancy.Placement{Shard: "q"}
	at := func(time.Time) tenancy.Placement { return p }
	slots := func(from, to int) tenancy.SlotRange { return tenancy.SlotRange{From: from, To: to, At: p} }
	bound := func(from, to any) tenancy.Bound { return tenancy.Bound{From: from, To: to, At: q} }
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		r     tenancy.ShardResolver
		key   any
		wants []string
	}{
		"range without bounds":               {tenancy.Range(), 1, []string{"no bounds"}},
		"range with a gap":                   {tenancy.Range(bound(nil, 1), bound(2, nil)), 5, []string{"gap between bounds[0] and bounds[1]"}},
		"range with a gap, in another order": {tenancy.Range(bound(2, nil), bound(nil, 1)), 5, []string{"gap between bounds[1] and bounds[0]"}},
		"range with overlap":                 {tenancy.Range(bound(0, 5), bound(4, 9)), 1, []string{"bounds[0] and bounds[1] overlap"}},
		"range in range":                     {tenancy.Range(bound(0, 50), bound(4, 9), bound(50, 60)), 1, []string{"bounds[0] and bounds[1] overlap"}},
		"range twice":                        {tenancy.Range(bound("a", "b"), bound("a", "b")), "a", []string{"bounds[0] and bounds[1] overlap"}},
		"range with two beginnings":          {tenancy.Range(bound(nil, 1), bound(nil, 2)), 1, []string{"overlap"}},
		"range with two ends":                {tenancy.Range(bound(1, nil), bound(2, nil)), 1, []string{"overlap"}},
		"range beside all keys":              {tenancy.Range(bound(nil, nil), bound(1, 2)), 1, []string{"overlap"}},
		"range without keys":                 {tenancy.Range(bound(5, 5), bound(5, 4), bound("b", "a")), 5, []string{"bounds[2].From is of kind string", "bounds[2].To is of kind string"}},
		"empty and backwards":                {tenancy.Range(bound(5, 5), bound(7, 6), bound(1, 2)), 5, []string{"bounds[0] has no keys", "bounds[1] has no keys"}},
		"range of mixed types":               {tenancy.Range(bound(nil, 1), bound(1, "2"), bound(day, nil)), 0, []string{"bounds[1].To is of kind string", "bounds[2].From is of kind time"}},
		"range of no keys":                   {tenancy.Range(bound(1.5, 2), bound((*int)(nil), 2)), 0, []string{"bounds[0].From: a float64 is no key", "bounds[1].From: the key is missing"}},
		"several faults":                     {tenancy.Range(bound(0, 2), bound(1, 3), bound(4, 5)), 0, []string{"bounds[0] and bounds[1] overlap", "gap between bounds[1] and bounds[2]"}},
		"hash without slots":                 {tenancy.Hash(0), 1, []string{"0 slots"}},
		"hash with fewer":                    {tenancy.Hash(-1, slots(0, 1)), 1, []string{"-1 slots"}},
		"hash without owners":                {tenancy.Hash(8), 1, []string{"slots 0 to 8 (exclusive) have no owner"}},
		"hash with gaps":                     {tenancy.Hash(8, slots(1, 3), slots(5, 7)), 1, []string{"slots 0 to 1 (", "slots 3 to 5 (", "slots 7 to 8 ("}},
		"hash with overlap":                  {tenancy.Hash(8, slots(0, 5), slots(1, 3), slots(4, 8)), 1, []string{"slots 1 to 3 (exclusive) have two owners", "slots 4 to 5 (exclusive) have two owners"}},
		"hash with one twice":                {tenancy.Hash(8, slots(0, 8), slots(0, 8)), 1, []string{"slots 0 to 8 (exclusive) have two owners"}},
		"hash outside":                       {tenancy.Hash(8, slots(-1, 4), slots(4, 9)), 1, []string{"slots -1 to 4", "slots 4 to 9"}},
		"hash with empty ranges":             {tenancy.Hash(8, slots(0, 8), slots(3, 3), slots(5, 4)), 1, []string{"3 to 3 (exclusive) are no slots", "5 to 4 (exclusive) are no slots"}},
		"more placements than slots":         {tenancy.Hash(2, tenancy.EvenSlots(2, places("a", "b", "c")...)...), 1, []string{"2 to 2 (exclusive) are no slots"}},
		"even slots of nobody":               {tenancy.Hash(2, tenancy.EvenSlots(2)...), 1, []string{"slots 0 to 2 (exclusive) have no owner"}},
		"even slots of no slots":             {tenancy.Hash(0, tenancy.EvenSlots(0, p)...), 1, []string{"0 slots"}},
		"even slots of fewer":                {tenancy.Hash(8, tenancy.EvenSlots(-4, p, q)...), 1, []string{"0 to -2 (exclusive) are no slots", "slots -2 to -4 (exclusive) do not all exist"}},
		"no unit":                            {tenancy.ByDate(0, nil), day, []string{"0 is no unit", "no function"}},
		"another unit":                       {tenancy.ByDate(tenancy.Year+1, at), day, []string{"6 is no unit"}},
		"no placements":                      {tenancy.ByDate(tenancy.Day, nil), day, []string{"no function"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, direct := c.r.Resolve(t.Context(), c.key)
			db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "x.db")), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			used := db.Use(tenancy.New(tenancy.Config{Resolver: c.r, Unlisted: -1}))
			require.ErrorContains(t, used, "Unlisted", "beside other faults")
			require.ErrorContains(t, used, "Resolver: ")
			for _, err := range []error{direct, used} {
				require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
				for _, want := range c.wants {
					require.ErrorContains(t, err, want)
				}
			}
			require.Equal(t, len(c.wants), strings.Count(direct.Error(), "tenancy: invalid configuration"), "and no other fault:\n%v", direct)
			if _, ok := c.r.(tenancy.PlacementLister); ok {
				_, err := listed(t, c.r)
				require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
			}
			pool, err := db.DB()
			require.NoError(t, err)
			require.NoError(t, pool.Close())
		})
	}
}

// TestTenantsByHashAndRange is about promise 4: tenants that a strategy places live there, and nowhere else.
func TestTenantsByHashAndRange(t *testing.T) {
	t.Parallel()
	ids := []tenancy.ID{"acme", "globex", "initech", "umbrella", "hooli", "7", "zürich"}
	for name, r := range map[string]tenancy.ShardResolver{
		"Hash":  tenancy.Hash(64, tenancy.EvenSlots(64, places("one", "two")...)...),
		"Range": tenancy.Range(tenancy.Bound{To: "h", At: tenancy.Placement{Shard: "one"}}, tenancy.Bound{From: "h", At: tenancy.Placement{Shard: "two"}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := engines[0]
			l := newLand(t, e, e.fresh(t)(), &gorm.Config{}, tenancy.Config{
				Global: []any{&Country{}}, Resolver: r, Open: sqliteFiles(t, "one", "two"),
			}, "acme", "hooli") // one on each shard, which makes the tables there
			want := map[string][]string{}
			for _, id := range ids {
				require.NoError(t, l.as(id).Create(&Tag{Label: string(id)}).Error)
				shard := resolve(t, r, id)
				want[shard] = append(want[shard], string(id))
			}
			require.Len(t, want, 2)
			for shard, labels := range want {
				ctx := tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "test"), tenancy.Placement{Shard: shard})
				var found []string
				require.NoError(t, l.db.WithContext(ctx).Model(&Tag{}).Order("id").Pluck("label", &found).Error)
				require.Equal(t, labels, found, shard)
			}
		})
	}
}
