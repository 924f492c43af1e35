package tenanthttp_test

import (
	"net/http"
	"testing"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/tenanthttp"
)

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkMiddleware is what a request costs more than without the middleware. The context alone is what no middleware can
// do without: WithTenant, ReadYourWrites and a copy of the request.
func BenchmarkMiddleware(b *testing.B) {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	resolver := tenancy.List(map[tenancy.ID]tenancy.Placement{"acme": {}})
	subdomain := tenanthttp.Subdomain("example.com")
	for _, bench := range []struct {
		name   string
		cfg    tenanthttp.Config
		target string
		change []func(r *http.Request)
	}{
		{"subdomain", tenanthttp.Config{Sources: []tenanthttp.Source{subdomain}}, "http://acme.example.com/orders", nil},
		{"subdomain, port, upper case", tenanthttp.Config{Sources: []tenanthttp.Source{subdomain}}, "http://Acme.Example.com:8080/orders", nil},
		{"domain", tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Domain(customers)}}, "http://shop.acme.test/orders", nil},
		{"path", tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.PathPrefix("/t/")}}, "http://example.com/t/acme/orders", nil},
		{"proxy header", tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.ProxyHeader("X-Tenant")}, TrustedProxies: proxies}, "/", []func(r *http.Request){with("X-Tenant", "acme"), from("10.0.0.1:80")}},
		{"forwarded", tenanthttp.Config{Sources: []tenanthttp.Source{subdomain}, TrustedProxies: proxies, ForwardedHost: "Forwarded"}, "/", []func(r *http.Request){with("Forwarded", "for=192.0.2.1;host=acme.example.com;proto=https"), from("10.0.0.1:80")}},
		{"all, checked", tenanthttp.Config{Sources: []tenanthttp.Source{subdomain, tenanthttp.Domain(customers), tenanthttp.PathPrefix("/t/"), tenanthttp.Claim(token), tenanthttp.Header("X-Tenant")}, Check: tenanthttp.Served(resolver)}, "http://acme.example.com/t/acme/orders", []func(r *http.Request){bearing("acme"), with("X-Tenant", "acme")}},
		{"refused", tenanthttp.Config{Sources: []tenanthttp.Source{subdomain, tenanthttp.Claim(token)}}, "http://acme.example.com/", []func(r *http.Request){bearing("globex")}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			tenants, err := tenanthttp.New(bench.cfg)
			if err != nil {
				b.Fatal(err)
			}
			h, r, w := tenants(nothing), request(bench.target, bench.change...), discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
	b.Run("the context alone", func(b *testing.B) {
		r := request("/")
		b.ReportAllocs()
		for b.Loop() {
			nothing.ServeHTTP(nil, r.WithContext(tenancy.ReadYourWrites(tenancy.WithTenant(r.Context(), "acme"))))
		}
	})
}
