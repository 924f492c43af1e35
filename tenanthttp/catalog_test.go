package tenanthttp_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/tenanthttp"
)

// TestCatalog finds tenants where an application has them.
func TestCatalog(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	master, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "master.db")), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	t.Cleanup(func() {
		pool, err := master.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	})
	tenants, err := catalog.Open(ctx, master, catalog.Config{MaxStale: 100 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = tenants.Close() })
	for id, domain := range map[tenancy.ID]string{"acme": "shop.acme.test", "globex": "globex.test"} {
		_, err = tenants.Create(ctx, catalog.NewTenant{ID: id, Domains: []string{domain}})
		require.NoError(t, err)
		_, err = tenants.Activate(ctx, id, "")
		require.NoError(t, err)
	}
	cfg := tenanthttp.Config{
		Sources: []tenanthttp.Source{
			tenanthttp.Subdomain("example.com"),
			tenanthttp.Domain(func(ctx context.Context, host string) (tenancy.ID, error) {
				t, err := tenants.ByDomain(ctx, host)
				return t.ID, err
			}),
			tenanthttp.Claim(token),
		},
		Check: tenanthttp.Served(tenants),
	}
	h := wrap(t, cfg, seen)
	requireServed(t, h, request("http://shop.acme.test:8080/"), "acme /")
	requireServed(t, h, request("http://globex.example.com/", bearing("globex")), "globex /")
	requireRefused(t, h, request("http://globex.test/", bearing("acme")), http.StatusNotFound)
	requireRefused(t, h, request("http://unknown.example.com/"), http.StatusNotFound)

	_, err = tenants.Suspend(ctx, "globex", "unpaid")
	require.NoError(t, err)
	cfg.Unavailable = http.StatusForbidden
	telling := wrap(t, cfg, seen)
	for _, target := range []string{"http://globex.test/", "http://globex.example.com/"} {
		requireRefused(t, h, request(target), http.StatusNotFound)
		requireRefused(t, telling, request(target), http.StatusForbidden)
	}

	// What cannot be found out is no word about the tenant.
	require.NoError(t, tenants.Close())
	for _, target := range []string{"http://initech.example.com/", "http://initech.test/", "http://unknown.test/"} {
		requireRefused(t, h, request(target), http.StatusServiceUnavailable)
		requireRefused(t, telling, request(target), http.StatusServiceUnavailable)
	}
}
