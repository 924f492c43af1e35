package tenanthttp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/tenanthttp"
)

// at returns a request for a path as it stands in the request line.
func at(t *testing.T, path string) *http.Request {
	t.Helper()
	r := request("/")
	u, err := url.ParseRequestURI(path)
	require.NoError(t, err)
	r.URL = u
	return r
}

func TestPathPrefix(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.PathPrefix("/t/")}, Optional: true}, seen)
	for path, want := range map[string]string{
		"/t/acme/orders":           "acme /orders",
		"/t/acme/orders/":          "acme /orders/",
		"/t/acme/":                 "acme /",
		"/t/acme":                  "acme /",
		"/t/acme?x=/../":           "acme /",
		"/t/ACME/":                 "ACME /",
		"/t/%61cme/":               "acme /",
		"/t/m%C3%BCnchen/x":        "münchen /x",
		"/t/a%20b/%C3%BC":          "a b /%C3%BC",
		"/t/a%25b/":                "a%b /",
		"/t/acme/a%2Fb/c":          "acme /a%2Fb/c",
		"/t/a%21/x%2Fy":            "a! /x%2Fy",
		"/t/acme/a//b":             "acme /a//b",
		"/t/acme/...":              "acme /...",
		"/t/acme/.well-known/x":    "acme /.well-known/x",
		"/t/.acme/.well-known/x":   ".acme /.well-known/x",
		"/t/acme;x=1/":             "acme;x=1 /",
		"/t/t/t/":                  "t /t/",
		"/t/":                      "nobody /t/",
		"/t":                       "nobody /t",
		"/":                        "nobody /",
		"/T/acme/":                 "nobody /T/acme/",
		"/tt/acme/":                "nobody /tt/acme/",
		"//t/acme/":                "nobody //t/acme/",
		"/x/../t/acme/":            "nobody /x/../t/acme/",
		"/x/t/acme":                "nobody /x/t/acme",
		"/t//":                     malformed,
		"/t//acme/":                malformed,
		"/t/../":                   malformed,
		"/t/./acme":                malformed,
		"/t/%2e%2e/x":              malformed,
		"/t/%2E/x":                 malformed,
		"/t/acme%2Fglobex/":        malformed,
		"/t/acme%2fglobex":         malformed,
		"/t/acme%5Cglobex":         malformed,
		`/t/acme\globex`:           malformed,
		"/t/acme/../globex/orders": malformed,
		"/t/acme/..":               malformed,
		"/t/acme/.":                malformed,
		"/t/acme/./x":              malformed,
		"/t/acme/%2e%2e/globex/":   malformed,
		"/t/acme/%2E%2e%2Fglobex/": malformed,
		"/t/acme/x%2F..%2Fglobex":  malformed,
		`/t/acme/..%5Cglobex`:      malformed,
		"/t/acme/x/..":             malformed,
		"/t/acme//evil.test/":      malformed,
		"/t/acme/%2Fevil.test/":    malformed,
		"/t/acme/%5Cevil.test/":    malformed,
		`/t/acme/\evil.test/`:      malformed,
		"/%74/acme/":               malformed,
		"/t%2Facme/":               malformed,
		"/t/%00/":                  malformed,
		"/t/ac%0Ame/":              malformed,
		"/t/%FF/":                  malformed,
		"/t/acme%7F/":              malformed,
		"/t/acme%C2%85/":           malformed, // NEXT LINE is a control character
	} {
		status, body := answer(h, at(t, path))
		if want == malformed {
			require.Equal(t, http.StatusBadRequest, status, "%q: %s", path, body)
			continue
		}
		require.Equal(t, http.StatusOK, status, "%q", path)
		require.Equal(t, want, body, "%q", path)
	}
	requireServed(t, h, at(t, "*"), "nobody *")

	// A path that a handler further out has changed, and left the encoded one as it was.
	r := at(t, "/x%2Fy")
	r.URL.Path = "/t/acme/z y"
	requireServed(t, h, r, "acme /z%20y")
}

func TestPathValue(t *testing.T) {
	t.Parallel()
	tenants, err := tenanthttp.New(tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.PathValue("tenant")}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("GET /t/{tenant}/orders/{id}", tenants(http.HandlerFunc(seen)))
	mux.Handle("/any/{tenant...}", tenants(http.HandlerFunc(seen)))
	mux.Handle("/none/", tenants(http.HandlerFunc(seen)))

	requireServed(t, mux, at(t, "/t/acme/orders/1"), "acme /t/acme/orders/1")
	requireServed(t, mux, at(t, "/t/%61cme/orders/1"), "acme /t/%61cme/orders/1")
	requireServed(t, mux, at(t, "/any/acme"), "acme /any/acme")
	for _, path := range []string{"/t/acme%2Fglobex/orders/1", "/t/%2E%2E/orders/1", "/t/%2e/orders/1", "/t/a%5Cb/orders/1", "/t/a%00/orders/1", "/any/acme/x", "/any/", "/none/acme"} {
		requireRefused(t, mux, at(t, path), http.StatusBadRequest)
	}

	// The mux sends dot segments away before.
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, at(t, "/t/acme/../globex/orders/1"))
	require.Equal(t, "/t/globex/orders/1", w.Header().Get("Location"))
}
