package tenanthttp

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzHost(f *testing.F) {
	for _, host := range []string{
		"acme.example.com", "ACME.Example.com.:80", "[2001:DB8::1]:443", "::1", "a..b", "user@acme.example.com", "ac\u212Ame.example.com", "xn--mnchen-3ya.example.com",
		"a.b.example.com", "acme.example.com:65536", "[::ffff:192.0.2.1]", "", ".", "-", "[", "[]:",
	} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		canonical, ok := canonicalHost(host)
		if !ok {
			return
		}
		again := canonical
		if strings.Contains(canonical, ":") {
			again = "[" + canonical + "]"
			ip, err := netip.ParseAddr(canonical)
			require.NoError(t, err)
			require.Empty(t, ip.Zone())
		} else {
			require.Empty(t, strings.Trim(canonical, "abcdefghijklmnopqrstuvwxyz0123456789-_."))
			require.NotContains(t, "."+canonical+".", "..")
			require.LessOrEqual(t, len(canonical), longestHost)
		}
		twice, ok := canonicalHost(again)
		require.True(t, ok)
		require.Equal(t, canonical, twice)
		for _, same := range []string{again + ":80", strings.ToUpper(again)} {
			other, ok := canonicalHost(same)
			require.True(t, ok, same)
			require.Equal(t, canonical, other)
		}
		// There is a tenant in the host only if the host is that tenant's.
		if label, below := cutBase(canonical, []string{"eu.example.com", "example.com"}); below && label != "" {
			require.Contains(t, []string{label + ".eu.example.com", label + ".example.com"}, canonical)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"/t/acme/orders", "/t/acme", "/t/", "/t/a%2Fb/", "/t/%2e%2e/x", "/t/acme/../globex", "/t/acme/%2E./x", "/t/acme//evil.test", "/t/acme/a%2Fb//c", "/%74/acme/",
		"/t/m%C3%BCnchen/%21", `/t/acme/\evil.test`, "/t/acme/x%5C..", "//t/acme",
	} {
		f.Add(path)
	}
	const prefix = "/t/"
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.ParseRequestURI(text)
		if err != nil {
			return
		}
		p, err := splitPath(u, prefix)
		if err != nil {
			require.Equal(t, path{}, p)
			return
		}
		if p.tenant == "" {
			require.True(t, !strings.HasPrefix(u.Path, prefix) || u.Path == prefix)
			return
		}
		require.NotContains(t, p.tenant, "/")
		require.NotContains(t, p.tenant, `\`)
		// Nothing is lost, and nothing is moved from one side to the other.
		require.Equal(t, strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(prefix+p.tenant+p.rest, "/"))
		rest := p.strip(u)
		require.Equal(t, p.rest, rest.Path)
		require.Equal(t, p.escape, rest.EscapedPath())
		require.Equal(t, u.RawPath == "", rest.RawPath == "")
		require.True(t, strings.HasPrefix(rest.Path, "/"))
		// What is left stays below the tenant, and on the host.
		require.True(t, len(rest.Path) == 1 || !strings.ContainsAny(rest.Path[1:2], `/\`))
		for segment := range strings.FieldsFuncSeq(rest.Path, func(r rune) bool { return r == '/' || r == '\\' }) {
			require.NotContains(t, []string{".", ".."}, segment)
		}
		resolved, err := u.Parse(u.EscapedPath())
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(resolved.Path, prefix+p.tenant), resolved.Path)
	})
}

func FuzzForwarded(f *testing.F) {
	for _, text := range []string{
		"for=192.0.2.60;proto=https;by=203.0.113.43;host=acme.example.com", `host="a\"b";for="[2001:db8::1]:80", for=_hidden`, "host=a,,host=b", `host="`, "=", ";", "for=10.0.0.1",
	} {
		f.Add(text)
	}
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, text string) {
		// What comes before the element that a proxy adds does not change its host, or the header is refused.
		host, err := trusted.lastHost(text + ", for=192.0.2.1;host=acme.example.com")
		if err == nil {
			require.Equal(t, "acme.example.com", host)
		}
		if hops, ok := parseForwarded(text); ok {
			require.NotEmpty(t, hops)
		}
	})
}
