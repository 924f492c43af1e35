package tenanthttp_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/tenanthttp"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	_, err := tenanthttp.New(tenanthttp.Config{})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "Sources: ")

	// All at once, each by its field.
	_, err = tenanthttp.New(tenanthttp.Config{
		Sources: []tenanthttp.Source{
			{},
			tenanthttp.Subdomain(), tenanthttp.Domain(nil), tenanthttp.PathPrefix("t"), tenanthttp.PathValue(""), tenanthttp.Header("X Tenant"),
			tenanthttp.ProxyHeader(""), tenanthttp.Claim(nil), tenanthttp.Func(nil), tenanthttp.Claim(token, "a b"),
		},
		Reserved:       []string{"API"},
		TrustedProxies: []netip.Prefix{{}},
		ForwardedHost:  "X Forwarded",
		Unavailable:    http.StatusTeapot,
		Conflict:       http.StatusOK,
		RetryAfter:     -time.Second,
	})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	for _, field := range []string{
		"Sources[0]", "Sources[1]", "Sources[2]", "Sources[3]", "Sources[4]", "Sources[5]", "Sources[6]", "Sources[7]", "Sources[8]", "Sources[9]",
		"Reserved[0]", "TrustedProxies[0]", "ForwardedHost", "Unavailable", "Conflict", "RetryAfter",
	} {
		require.ErrorContains(t, err, field+": ")
	}

	refused := func(cfg tenanthttp.Config, field string) {
		t.Helper()
		_, err := tenanthttp.New(cfg)
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		require.ErrorContains(t, err, field)
	}
	for _, base := range []string{"", ".", "*.example.com", "example.com:80", "münchen.example", "192.0.2.1", "[::1]", "::1", "http://example.com", "-a.test", "exa mple.com", ".example.com"} {
		refused(tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com", base)}}, "Sources[0]: ")
	}
	for _, prefix := range []string{"", "t/", "/t", "//", "/t//", "/a b/", "/%74/", "/ü/", "/t?/"} {
		refused(tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.PathPrefix(prefix)}}, "Sources[0]: ")
	}
	subdomain := []tenanthttp.Source{tenanthttp.Subdomain("example.com")}
	refused(tenanthttp.Config{Sources: subdomain, ForwardedHost: "X-Forwarded-Host"}, "TrustedProxies: ")
	refused(tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.ProxyHeader("X-Tenant")}}, "TrustedProxies: ")
	refused(tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.PathValue("tenant")}, TrustedProxies: proxies, ForwardedHost: "Forwarded"}, "ForwardedHost: ")
	refused(tenanthttp.Config{Sources: subdomain, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}}, "TrustedProxies[0]: ")
}

// TestConfigIsCopied: who changes slices afterwards changes nothing.
func TestConfigIsCopied(t *testing.T) {
	t.Parallel()
	cfg := tenanthttp.Config{
		Sources:        []tenanthttp.Source{tenanthttp.ProxyHeader("X-Tenant"), tenanthttp.Subdomain("example.com")},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Reserved:       []string{"api"},
	}
	h := wrap(t, cfg, seen)
	cfg.Sources[0] = tenanthttp.Header("X-Tenant")
	cfg.TrustedProxies[0] = netip.MustParsePrefix("0.0.0.0/0")
	cfg.Reserved[0] = "other"
	requireServed(t, h, request("/", with("X-Tenant", "acme"), from("10.0.0.1:1")), "acme /")
	requireRefused(t, h, request("/", with("X-Tenant", "acme"), from("11.0.0.1:1")), http.StatusBadRequest)
	requireRefused(t, h, request("http://api.example.com/"), http.StatusBadRequest)
}
