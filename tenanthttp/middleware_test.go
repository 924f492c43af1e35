package tenanthttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/tenanthttp"
)

// seen is what a handler answers: for whom it runs, and at which path.
func seen(w http.ResponseWriter, r *http.Request) {
	id, ok := tenancy.FromContext(r.Context())
	if !ok {
		id = "nobody"
	}
	_, _ = io.WriteString(w, string(id)+" "+r.URL.EscapedPath())
}

func wrap(t *testing.T, cfg tenanthttp.Config, next http.HandlerFunc) http.Handler {
	t.Helper()
	tenants, err := tenanthttp.New(cfg)
	require.NoError(t, err)
	return tenants(next)
}

// request is one that a server has parsed.
func request(target string, change ...func(r *http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for _, c := range change {
		c(r)
	}
	return r
}

func with(name string, values ...string) func(r *http.Request) {
	return func(r *http.Request) {
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
}

func from(peer string) func(r *http.Request) {
	return func(r *http.Request) { r.RemoteAddr = peer }
}

func host(name string) func(r *http.Request) {
	return func(r *http.Request) { r.Host = name }
}

// answer returns status and body.
func answer(h http.Handler, r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

func requireServed(t *testing.T, h http.Handler, r *http.Request, want string) {
	t.Helper()
	status, body := answer(h, r)
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, want, body)
}

func requireRefused(t *testing.T, h http.Handler, r *http.Request, want int) {
	t.Helper()
	status, body := answer(h, r)
	require.Equal(t, want, status, body)
	require.Equal(t, http.StatusText(want), body)
}

// token is a claim that reads what stands for a verified token.
func token(r *http.Request) (string, bool, error) {
	tenant, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Verified ")
	return tenant, ok, nil
}

func bearing(tenant string) func(r *http.Request) { return with("Authorization", "Verified "+tenant) }

// customers finds two tenants by domain, as package catalog does.
func customers(_ context.Context, domain string) (tenancy.ID, error) {
	switch domain {
	case "shop.acme.test", "2001:db8::1":
		return "acme", nil
	case "globex.test":
		return "globex", nil
	case "api.test":
		return "", nil
	}
	return "", tenancy.ErrTenantNotFound
}

// served knows acme and globex; initech is suspended.
func served(_ context.Context, id tenancy.ID) error {
	switch id {
	case "acme", "globex":
		return nil
	case "initech":
		return tenancy.ErrTenantUnavailable
	}
	return tenancy.ErrTenantNotFound
}

var proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

func TestWithoutTenant(t *testing.T) {
	t.Parallel()
	cfg := tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com"), tenanthttp.Claim(token)}}
	h := wrap(t, cfg, seen)
	requireRefused(t, h, request("http://example.com/"), http.StatusBadRequest)
	requireRefused(t, h, request("http://elsewhere.test/"), http.StatusBadRequest)
	requireServed(t, h, request("http://example.com/x", bearing("acme")), "acme /x")

	cfg.Optional = true
	h = wrap(t, cfg, seen)
	requireServed(t, h, request("http://example.com/x"), "nobody /x")
	requireRefused(t, h, request("http://a.b.example.com/"), http.StatusBadRequest)
}

// TestAgreement is what keeps a token of one tenant from the host of another.
func TestAgreement(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{
		tenanthttp.Header("X-Tenant"), tenanthttp.Subdomain("example.com"), tenanthttp.Domain(customers),
		tenanthttp.PathPrefix("/t/"), tenanthttp.Claim(token),
	}}, seen)

	requireServed(t, h, request("http://acme.example.com/"), "acme /")
	requireServed(t, h, request("http://acme.example.com/t/acme/x", bearing("acme"), with("X-Tenant", "acme")), "acme /x")
	requireServed(t, h, request("http://shop.acme.test/", bearing("acme")), "acme /")

	for name, r := range map[string]*http.Request{
		"token and subdomain":      request("http://acme.example.com/", bearing("globex")),
		"token and domain":         request("http://globex.test/", bearing("acme")),
		"token and unknown domain": request("http://nowhere.test/", bearing("acme")),
		"token and path":           request("http://example.com/t/acme/", bearing("globex")),
		"path and subdomain":       request("http://acme.example.com/t/globex/"),
		"path and upper case":      request("http://acme.example.com/t/ACME/"),
		"header and subdomain":     request("http://acme.example.com/", with("X-Tenant", "globex")),
		"two of three":             request("http://acme.example.com/", bearing("acme"), with("X-Tenant", "globex")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, h, r, http.StatusNotFound)
		})
	}
}

// TestContext holds sources to a tenant that middleware further out has found.
func TestContext(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Header("X-Tenant"), tenanthttp.Claim(token)}}, seen)
	inside := func(id tenancy.ID) func(r *http.Request) {
		return func(r *http.Request) { *r = *r.WithContext(tenancy.WithTenant(r.Context(), id)) }
	}
	requireServed(t, h, request("/", inside("acme")), "acme /")
	requireServed(t, h, request("/", inside("acme"), bearing("acme"), with("X-Tenant", "acme")), "acme /")
	requireRefused(t, h, request("/", inside("acme"), bearing("globex")), http.StatusNotFound)
	requireRefused(t, h, request("/", inside("acme"), with("X-Tenant", "globex")), http.StatusNotFound)
	requireRefused(t, h, request("/", inside("a\x00b")), http.StatusBadRequest)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{
		Sources:        []tenanthttp.Source{tenanthttp.Header("X-Tenant"), tenanthttp.ProxyHeader("x-gateway-tenant"), tenanthttp.Subdomain("example.com")},
		TrustedProxies: proxies, Optional: true,
	}, seen)

	// A header of the client is nothing alone, and neither is one of a proxy that does not come from it.
	requireRefused(t, h, request("/", with("X-Tenant", "acme")), http.StatusBadRequest)
	requireRefused(t, h, request("/", with("X-Tenant", "acme"), from("10.1.2.3:4")), http.StatusBadRequest)
	requireRefused(t, h, request("/", with("X-Tenant", "acme"), with("X-Gateway-Tenant", "acme")), http.StatusBadRequest)
	for _, peer := range []string{"192.0.2.1:1234", "11.0.0.1:1", "[fe80::1]:1", "10.1.2.3", "@", "", "[::ffff:11.0.0.1]:1"} {
		requireRefused(t, h, request("/", with("X-Gateway-Tenant", "acme"), from(peer)), http.StatusBadRequest)
	}
	for _, peer := range []string{"10.1.2.3:4", "[::ffff:10.1.2.3]:4", "[fd00::1]:4", "[fd00::1%eth0]:4"} {
		requireServed(t, h, request("/", with("X-Gateway-Tenant", "acme"), from(peer)), "acme /")
	}
	requireServed(t, h, request("http://acme.example.com/", with("X-Tenant", "acme")), "acme /")
	requireRefused(t, h, request("/", with("X-Gateway-Tenant", "acme"), with("X-Tenant", "globex"), from("10.1.2.3:4")), http.StatusNotFound)

	for name, values := range map[string][]string{
		"two": {"acme", "globex"}, "the same twice": {"acme", "acme"}, "a list": {"acme,globex"}, "empty": {""}, "empty and one": {"", "acme"},
		"a control character": {"ac\tme"}, "not UTF-8": {"ac\xffme"}, "long": {strings.Repeat("a", 64)},
	} {
		for _, header := range []string{"X-Tenant", "X-Gateway-Tenant"} {
			t.Run(header+" "+name, func(t *testing.T) {
				t.Parallel()
				requireRefused(t, h, request("/", with(header, values...), from("10.1.2.3:4")), http.StatusBadRequest)
			})
		}
	}
}

func TestClaimAndFunc(t *testing.T) {
	t.Parallel()
	broken := errors.New("keys cannot be reached")
	h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{
		tenanthttp.Claim(func(r *http.Request) (string, bool, error) {
			switch r.Header.Get("Authorization") {
			case "":
				return "ignored", false, nil
			case "broken":
				return "acme", true, broken
			case "unsuitable":
				return "", false, tenancy.ErrInvalidTenant
			}
			return token(r)
		}),
		tenanthttp.Func(func(r *http.Request) (tenancy.ID, error) {
			if r.TLS == nil {
				return "", nil
			}
			return tenancy.ID(r.TLS.ServerName), nil
		}),
	}}, seen)
	requireServed(t, h, request("/", bearing("acme")), "acme /")
	requireServed(t, h, request("https://example.com/"), "example.com /") // httptest.NewRequest fills TLS
	requireRefused(t, h, request("https://example.com/", bearing("acme")), http.StatusNotFound)
	requireRefused(t, h, request("/"), http.StatusBadRequest)
	requireRefused(t, h, request("/", bearing("")), http.StatusBadRequest)
	requireRefused(t, h, request("https://example.com/", bearing("")), http.StatusBadRequest)
	requireRefused(t, h, request("/", bearing("a\x01")), http.StatusBadRequest)
	requireRefused(t, h, request("/", with("Authorization", "unsuitable")), http.StatusBadRequest)
	requireRefused(t, h, request("/", with("Authorization", "broken")), http.StatusInternalServerError)
}

// TestReadYourWrites: a context that remembers writes stays as it is.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"http://acme.example.com/", "http://example.com/"} {
		var inside context.Context
		cfg := tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com")}, Optional: true}
		wrap(t, cfg, func(_ http.ResponseWriter, r *http.Request) { inside = r.Context() }).ServeHTTP(httptest.NewRecorder(), request(target))
		require.NotNil(t, inside)
		require.Equal(t, inside, tenancy.ReadYourWrites(inside))
	}
}

// TestRequestStays: others that hold the request, such as middleware further out, see it as it came.
func TestRequestStays(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.PathPrefix("/t/")}}, seen)
	r := request("/t/acme/a%2Fb?q=1")
	requireServed(t, h, r, "acme /a%2Fb")
	require.Equal(t, "/t/acme/a/b", r.URL.Path)
	require.Equal(t, "/t/acme/a%2Fb?q=1", r.URL.String())
	_, ok := tenancy.FromContext(r.Context())
	require.False(t, ok)
}

func TestMethods(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com")}, Check: served}, seen)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodOptions, http.MethodPost, "PROPFIND"} {
		for target, want := range map[string]int{"acme.example.com": 200, "example.com": 400, "unknown.example.com": 404, "a.b.example.com": 400} {
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL, nil)
			require.NoError(t, err)
			r.Host = target
			if method == http.MethodOptions { // a preflight
				r.Header.Set("Origin", "https://app.example.com")
				r.Header.Set("Access-Control-Request-Method", "POST")
			}
			response, err := server.Client().Do(r)
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, want, response.StatusCode, "%s %s", method, target)
			require.Equal(t, method == http.MethodHead, len(body) == 0, "%s %s", method, target)
		}
	}
}

func TestVary(t *testing.T) {
	t.Parallel()
	none := func(*http.Request) (tenancy.ID, error) { return "", nil }
	for name, test := range map[string]struct {
		cfg  tenanthttp.Config
		want string
	}{
		"host and path": {tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com"), tenanthttp.PathPrefix("/t/"), tenanthttp.PathValue("x")}}, ""},
		"headers":       {tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Header("x-a"), tenanthttp.Header("X-A"), tenanthttp.ProxyHeader("X-B")}, TrustedProxies: proxies}, "X-A, X-B"},
		"claim":         {tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Claim(token)}}, "Authorization, Cookie"},
		"its header":    {tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Claim(token, "X-Token")}}, "X-Token"},
		"function":      {tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Claim(token), tenanthttp.Func(none)}}, "*"},
		"its headers":   {tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Func(none, "Host", "Accept")}}, "Host, Accept"},
		"forwarded":     {tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Domain(customers)}, TrustedProxies: proxies, ForwardedHost: "X-Forwarded-Host"}, "X-Forwarded-Host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, target := range []string{"http://nowhere.test/", "http://acme.example.com/t/acme/"} { // refused, or served
				w := httptest.NewRecorder()
				wrap(t, test.cfg, seen).ServeHTTP(w, request(target))
				require.Equal(t, test.want, w.Header().Get("Vary"))
			}
		})
	}
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Origin")
	wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Header("X-A")}}, seen).ServeHTTP(w, request("/"))
	require.Equal(t, []string{"Origin", "X-A"}, w.Header().Values("Vary"))
}

func TestServed(t *testing.T) {
	t.Parallel()
	check := tenanthttp.Served(tenancy.List(map[tenancy.ID]tenancy.Placement{"acme": {}}))
	require.NoError(t, check(t.Context(), "acme"))
	require.ErrorIs(t, check(t.Context(), "globex"), tenancy.ErrTenantNotFound)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	cfg := tenanthttp.Config{
		Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com")}, Check: served,
		Unavailable: http.StatusServiceUnavailable, RetryAfter: 1500 * time.Millisecond,
	}
	retryAfter := func(target string) string {
		w := httptest.NewRecorder()
		wrap(t, cfg, seen).ServeHTTP(w, request(target))
		return w.Header().Get("Retry-After")
	}
	require.Equal(t, "2", retryAfter("http://initech.example.com/"))
	require.Empty(t, retryAfter("http://unknown.example.com/"))
	cfg.RetryAfter = 0
	require.Empty(t, retryAfter("http://initech.example.com/"))
}
