package tenanthttp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/tenanthttp"
)

// TestRefusalsAreAlike: nobody learns which tenants there are from those that are not served.
func TestRefusalsAreAlike(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{
		Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com"), tenanthttp.Domain(customers), tenanthttp.Header("X-Tenant"), tenanthttp.Claim(token)},
		Check:   served,
	}, seen)
	whole := func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	unknown := whole(request("http://unknown.example.com/"))
	require.Equal(t, http.StatusNotFound, unknown.StatusCode)
	require.Equal(t, "no-store", unknown.Header.Get("Cache-Control"))
	for name, r := range map[string]*http.Request{
		"suspended":                   request("http://initech.example.com/"),
		"conflict with one that is":   request("http://globex.example.com/", bearing("acme")),
		"conflict with a suspended":   request("http://initech.example.com/", bearing("acme")),
		"conflict with an unknown":    request("http://unknown.example.com/", bearing("acme")),
		"unknown domain":              request("http://nowhere.test/"),
		"unknown domain and a token":  request("http://nowhere.test/", bearing("acme")),
		"another's domain and header": request("http://globex.test/", with("X-Tenant", "acme")),
		"unknown domain and a header": request("http://nowhere.test/", with("X-Tenant", "acme")),
		"suspended domain and header": request("http://initech.example.com/", with("X-Tenant", "initech")),
		"unknown tenant of the token": request("http://api.test/", bearing("unknown")),
	} {
		require.Equal(t, unknown, whole(r), name)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	down := errors.New("no route to host 10.9.8.7")
	for name, test := range map[string]struct {
		err  error
		want int
		cfg  tenanthttp.Config
	}{
		"unknown":                   {tenancy.ErrTenantNotFound, 404, tenanthttp.Config{}},
		"unknown, and all told":     {tenancy.ErrTenantNotFound, 404, tenanthttp.Config{Unavailable: 503, Conflict: 403}},
		"suspended":                 {fmt.Errorf("%w: it is suspended", tenancy.ErrTenantUnavailable), 404, tenanthttp.Config{}},
		"suspended, forbidden":      {fmt.Errorf("%w: it is suspended", tenancy.ErrTenantUnavailable), 403, tenanthttp.Config{Unavailable: 403}},
		"suspended, unavailable":    {tenancy.ErrTenantUnavailable, 503, tenanthttp.Config{Unavailable: 503}},
		"joined":                    {errors.Join(tenancy.ErrTenantUnavailable), 404, tenanthttp.Config{}},
		"cannot be found out":       {fmt.Errorf("%w: %w", tenancy.ErrTenantUnavailable, down), 503, tenanthttp.Config{}},
		"nor here":                  {fmt.Errorf("wrapped: %w", fmt.Errorf("%w: %w", tenancy.ErrTenantUnavailable, down)), 503, tenanthttp.Config{Unavailable: 403}},
		"overloaded":                {tenancy.ErrOverloaded, 503, tenanthttp.Config{}},
		"ID that does not fit":      {tenancy.ErrInvalidTenant, 400, tenanthttp.Config{}},
		"anything":                  {down, 500, tenanthttp.Config{}},
		"the request was abandoned": {context.Canceled, 500, tenanthttp.Config{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := test.cfg
			cfg.Sources = []tenanthttp.Source{tenanthttp.Subdomain("example.com")}
			cfg.Check = func(context.Context, tenancy.ID) error { return test.err }
			requireRefused(t, wrap(t, cfg, seen), request("http://acme.example.com/"), test.want)

			cfg.Check = nil
			cfg.Sources = []tenanthttp.Source{tenanthttp.Domain(func(context.Context, string) (tenancy.ID, error) { return "acme", test.err })}
			requireRefused(t, wrap(t, cfg, seen), request("http://acme.example.com/"), test.want)
		})
	}
}

func TestConflictStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusMisdirectedRequest} {
		h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com"), tenanthttp.Domain(customers), tenanthttp.Claim(token)}, Conflict: status}, seen)
		requireRefused(t, h, request("http://acme.example.com/", bearing("globex")), status)
		// Whether a domain is a tenant's does not show.
		requireRefused(t, h, request("http://globex.test/", bearing("acme")), status)
		requireRefused(t, h, request("http://nowhere.test/", bearing("acme")), status)
	}
}

func TestErrorHandler(t *testing.T) {
	t.Parallel()
	var got error
	h := wrap(t, tenanthttp.Config{
		Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com"), tenanthttp.Header("X-Tenant")},
		Check:   served,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, status int, err error) {
			_, ok := tenancy.FromContext(r.Context())
			require.False(t, ok)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			require.Equal(t, "X-Tenant", w.Header().Get("Vary"))
			got = err
			w.WriteHeader(status + 1)
		},
	}, seen)
	for _, test := range []struct {
		r    *http.Request
		want error
	}{
		{request("http://example.com/"), tenancy.ErrNoTenant},
		{request("http://example.com/", with("X-Tenant", "acme")), tenancy.ErrNoTenant},
		{request("http://a.b.example.com/"), tenancy.ErrInvalidTenant},
		{request("http://example.com/", host("acme@example.com")), tenancy.ErrInvalidTenant},
		{request("http://unknown.example.com/"), tenancy.ErrTenantNotFound},
		{request("http://initech.example.com/"), tenancy.ErrTenantUnavailable},
		{request("http://acme.example.com/", with("X-Tenant", "globex")), tenanthttp.ErrConflict},
	} {
		status, body := answer(h, test.r)
		require.ErrorIs(t, got, test.want)
		require.Contains(t, []int{401, 405}, status)
		require.Empty(t, body)
		for _, id := range []string{"acme", "globex", "unknown", "initech"} {
			require.NotContains(t, got.Error(), id)
		}
	}
}
