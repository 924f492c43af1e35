package tenanthttp_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/tenanthttp"
)

func TestForwardedHost(t *testing.T) {
	t.Parallel()
	sources := []tenanthttp.Source{tenanthttp.Subdomain("example.com")}
	h := wrap(t, tenanthttp.Config{Sources: sources, TrustedProxies: proxies, ForwardedHost: "x-forwarded-host"}, seen)
	const proxy = "10.0.0.1:5000"
	told := func(values ...string) func(r *http.Request) { return with("X-Forwarded-Host", values...) }

	requireServed(t, h, request("http://inner.test/", from(proxy), told("acme.example.com:443")), "acme /")
	requireServed(t, h, request("http://globex.example.com/", from(proxy), told("acme.example.com")), "acme /")
	requireServed(t, h, request("http://acme.example.com/", from(proxy)), "acme /")
	requireServed(t, h, request("/", host(""), from(proxy), told("acme.example.com")), "acme /")
	requireServed(t, h, request("/", host("mal formed"), from(proxy), told("acme.example.com")), "acme /")

	// From elsewhere it is not read, whatever it is.
	for _, peer := range []string{"192.0.2.1:5000", "10.0.0.1", "unix", ""} {
		requireServed(t, h, request("http://acme.example.com/", from(peer), told("globex.example.com")), "acme /")
		requireServed(t, h, request("http://acme.example.com/", from(peer), told("mal formed", "")), "acme /")
		requireRefused(t, h, request("http://inner.test/", from(peer), told("acme.example.com")), http.StatusBadRequest)
	}
	// Another header than the one configured is not read.
	requireServed(t, h, request("http://acme.example.com/", from(proxy), with("Forwarded", "host=globex.example.com"), with("X-Host", "globex.example.com")), "acme /")

	for _, values := range [][]string{
		{"globex.example.com", "acme.example.com"},
		{"acme.example.com", "acme.example.com"},
		{"globex.example.com, acme.example.com"},
		{""},
		{"acme.example.com,"},
		{"a.b.example.com"},
		{"user@acme.example.com"},
		{"http://acme.example.com"},
	} {
		requireRefused(t, h, request("http://acme.example.com/", from(proxy), told(values...)), http.StatusBadRequest)
	}

	// An empty one is no missing one.
	optional := wrap(t, tenanthttp.Config{Sources: sources, TrustedProxies: proxies, ForwardedHost: "X-Forwarded-Host", Optional: true}, seen)
	requireRefused(t, optional, request("http://acme.example.com/", from(proxy), told("")), http.StatusBadRequest)

	// Without the option nobody is believed.
	h = wrap(t, tenanthttp.Config{Sources: sources, TrustedProxies: proxies}, seen)
	requireServed(t, h, request("http://acme.example.com/", from(proxy), told("globex.example.com")), "acme /")
}

func TestForwarded(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com")}, TrustedProxies: proxies, ForwardedHost: "Forwarded"}, seen)
	const proxy = "10.0.0.1:5000"
	for name, test := range map[string]struct {
		values []string
		want   string
	}{
		"one":                               {[]string{"for=192.0.2.60;proto=https;by=203.0.113.43;host=acme.example.com"}, "acme /"},
		"names in any case":                 {[]string{"For=192.0.2.60;HOST=acme.example.com"}, "acme /"},
		"quoted":                            {[]string{`host="acme.example.com:8443"; for="[2001:db8:cafe::17]:4711"`}, "acme /"},
		"not quoted":                        {[]string{`host=acme.example.com:8443;for=192.0.2.1:5`}, "acme /"},
		"escaped":                           {[]string{`host="\a\cme.example.com"`}, "acme /"},
		"commas and semicolons in quotes":   {[]string{`by="a,b;host=globex.example.com";host=acme.example.com`}, "acme /"},
		"what the client wrote comes first": {[]string{"for=198.51.100.1;host=globex.example.com, for=192.0.2.60;host=acme.example.com"}, "acme /"},
		"on lines of their own":             {[]string{"host=globex.example.com", "for=192.0.2.60;host=acme.example.com"}, "acme /"},
		"a chain":                           {[]string{"for=192.0.2.60;host=acme.example.com, for=10.0.0.2;host=inner.test"}, "acme /"},
		"a longer one":                      {[]string{`host=globex.example.com,for=192.0.2.60;host=acme.example.com,for="[fd00::2]:80";host=a.test,for="10.0.0.3:99";host=b.test`}, "acme /"},
		"all of them trusted":               {[]string{"for=10.0.0.9;host=acme.example.com, for=10.0.0.2;host=inner.test"}, "acme /"},
		"the client hides":                  {[]string{"host=globex.example.com, for=_hidden;host=acme.example.com"}, "acme /"},
		"the client is unknown":             {[]string{"host=globex.example.com, for=unknown;host=acme.example.com"}, "acme /"},
		"the client seems to be a proxy":    {[]string{`host=globex.example.com, for="10.0.0.2, x";host=acme.example.com`}, "acme /"},
		"no host in the last":               {[]string{"host=globex.example.com, for=192.0.2.60"}, malformed},
		"no host at all":                    {[]string{"for=192.0.2.60"}, malformed},
		"host twice":                        {[]string{"host=acme.example.com;host=globex.example.com"}, malformed},
		"client twice":                      {[]string{"for=10.0.0.1;for=192.0.2.1;host=acme.example.com"}, malformed},
		"empty":                             {[]string{""}, malformed},
		"empty element":                     {[]string{"host=acme.example.com,"}, malformed},
		"empty parameter":                   {[]string{"host=acme.example.com;"}, malformed},
		"empty host":                        {[]string{"host="}, malformed},
		"empty quoted host":                 {[]string{`host=""`}, malformed},
		"no value":                          {[]string{"host"}, malformed},
		"quote that does not end":           {[]string{`host=acme.example.com;by="x`, `host=globex.example.com`}, malformed},
		"escape that does not end":          {[]string{`host="acme.example.com\`}, malformed},
		"text after a quote":                {[]string{`host="acme.example.com"x`}, malformed},
		"text after a value":                {[]string{`host=acme.example.com x`}, malformed},
		"quote in a value":                  {[]string{`host=ac"me.example.com"`}, malformed},
		"text between hosts":                {[]string{`host=globex.example.com xhost=acme.example.com`}, malformed},
		"empty client":                      {[]string{`for=;host=acme.example.com`}, malformed},
		"quote in another value":            {[]string{`by=a"b;host=acme.example.com`}, malformed},
		"malformed before":                  {[]string{`???, host=acme.example.com`}, malformed},
		"two hosts in one":                  {[]string{`host="acme.example.com,globex.example.com"`}, malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request("http://initech.example.com/", from(proxy), with("Forwarded", test.values...))
			if test.want == malformed {
				requireRefused(t, h, r, http.StatusBadRequest)
				return
			}
			requireServed(t, h, r, test.want)
			requireServed(t, h, request("http://initech.example.com/", from("192.0.2.1:1"), with("Forwarded", test.values...)), "initech /")
		})
	}
	status, _ := answer(h, request("http://acme.example.com/", from(proxy)))
	require.Equal(t, http.StatusOK, status)
}
