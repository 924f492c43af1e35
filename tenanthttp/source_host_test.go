package tenanthttp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/tenanthttp"
)

const noAnswer, malformed = "nobody /", ""

func TestSubdomain(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{
		Sources:  []tenanthttp.Source{tenanthttp.Subdomain("Example.com.", "eu.example.com", "localhost"), tenanthttp.Subdomain("xn--bcher-kva.example")},
		Reserved: []string{"api", "static"}, Optional: true,
	}, seen)
	long := strings.Repeat("a", 63)
	for name, want := range map[string]string{
		"acme.example.com":                "acme /",
		"ACME.eXample.COM":                "acme /",
		"acme.example.com:8080":           "acme /",
		"acme.example.com:":               "acme /",
		"acme.example.com.":               "acme /",
		"acme.example.com.:443":           "acme /",
		"acme-2_x.example.com":            "acme-2_x /",
		"7.example.com":                   "7 /",
		long + ".example.com":             long + " /",
		"acme.eu.example.com":             "acme /",
		"eu.example.com":                  noAnswer, // not the tenant "eu" of example.com
		"acme.localhost:3000":             "acme /",
		"xn--mnchen-3ya.example.com":      "xn--mnchen-3ya /",
		"XN--MNCHEN-3YA.example.com":      "xn--mnchen-3ya /",
		"acme.xn--bcher-kva.example":      "acme /",
		"example.com":                     noAnswer,
		"EXAMPLE.com.":                    noAnswer,
		"www.example.com":                 noAnswer,
		"WWW.eu.example.com":              noAnswer,
		"api.example.com":                 noAnswer,
		"static.example.com:80":           noAnswer,
		"acmeexample.com":                 noAnswer,
		"acme.example.com.evil.test":      noAnswer,
		"evil.test":                       noAnswer,
		"com":                             noAnswer,
		"192.0.2.1":                       noAnswer,
		"192.0.2.1:80":                    noAnswer,
		"[2001:db8::1]":                   noAnswer,
		"[2001:db8::1]:80":                noAnswer,
		"":                                noAnswer, // HTTP/1.0
		"a.b.example.com":                 malformed,
		"www.acme.example.com":            malformed,
		"acme.www.example.com":            malformed,
		".example.com":                    malformed,
		"acme..example.com":               malformed,
		"acme.example.com..":              malformed,
		".":                               malformed,
		"acme.example.com:http":           malformed,
		"acme.example.com:65536":          malformed,
		"acme.example.com:80:80":          malformed,
		"acme.example.com:-1":             malformed,
		"user@acme.example.com":           malformed,
		"globex.example.com@evil.test":    malformed,
		"user:pw@acme.example.com":        malformed,
		"acme.example.com,globex.test":    malformed,
		"acme.example.com globex":         malformed,
		" acme.example.com":               malformed,
		"acme.example.com/":               malformed,
		"acme.example.com#":               malformed,
		`acme\.example.com`:               malformed,
		"ac%6de.example.com":              malformed,
		"ac\x00me.example.com":            malformed,
		"acme.example.com\r\nX: y":        malformed,
		"münchen.example.com":             malformed,
		"ac\u212Ame.example.com":          malformed, // KELVIN SIGN is k in lower case
		"acme\uff0eexample.com":           malformed, // a full stop for browsers
		"acme\u3002example.com":           malformed,
		"\xff.example.com":                malformed,
		"*.example.com":                   malformed,
		"-acme.example.com":               malformed,
		"acme-.example.com":               malformed,
		long + "a.example.com":            malformed,
		strings.Repeat("a.", 127) + "com": malformed,
		"[::1":                            malformed,
		"[::1]x":                          malformed,
		"[::1].example.com":               malformed,
		"[fe80::1%25eth0]":                malformed,
		"[192.0.2.1]":                     malformed,
		"[acme.example.com]":              malformed,
		"::1":                             malformed,
		":80":                             malformed,
	} {
		r := request("/", host(name))
		if want == malformed {
			status, _ := answer(h, r)
			require.Equal(t, http.StatusBadRequest, status, "%q", name)
			continue
		}
		status, body := answer(h, r)
		require.Equal(t, http.StatusOK, status, "%q", name)
		require.Equal(t, want, body, "%q", name)
	}
	requireRefused(t, h, request("http://user@acme.example.com/"), http.StatusBadRequest)
}

func TestDomain(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{
		Sources:  []tenanthttp.Source{tenanthttp.Domain(customers), tenanthttp.Subdomain("example.com")},
		Optional: true,
	}, seen)
	for _, name := range []string{"shop.acme.test", "SHOP.acme.TEST.", "shop.acme.test:8443", "[2001:db8::1]", "[2001:0DB8:0::1]:80"} {
		requireServed(t, h, request("/", host(name)), "acme /")
	}
	requireServed(t, h, request("/", host("api.test")), noAnswer)
	requireServed(t, h, request("/", host("")), noAnswer)
	// What belongs to Subdomain is not looked up.
	requireServed(t, h, request("/", host("unknown.example.com")), "unknown /")
	requireServed(t, h, request("/", host("www.example.com")), noAnswer)
	requireServed(t, h, request("/", host("example.com")), noAnswer)
	for _, name := range []string{"acme.test", "x.shop.acme.test", "10.0.0.1", "localhost"} {
		requireRefused(t, h, request("/", host(name)), http.StatusNotFound)
	}
	for _, name := range []string{"shop.acme.test@globex.test", "shop.acme.test\x00", "shop.acme.test,globex.test", "2001:db8::1", strings.Repeat("a", 64) + ".test"} {
		requireRefused(t, h, request("/", host(name)), http.StatusBadRequest)
	}
}
