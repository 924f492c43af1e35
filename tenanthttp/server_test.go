package tenanthttp_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/tenanthttp"
)

// send writes a request as it is, and returns what the server answers.
func send(t *testing.T, server *httptest.Server, raw string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, raw)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, string(content)
}

// TestServer sends what no client would, to the server of net/http.
func TestServer(t *testing.T) {
	t.Parallel()
	h := wrap(t, tenanthttp.Config{
		Sources: []tenanthttp.Source{tenanthttp.Subdomain("example.com"), tenanthttp.PathPrefix("/t/"), tenanthttp.Header("X-Tenant")},
	}, seen)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	for name, test := range map[string]struct {
		request string // its lines
		want    string // the answer, or that there is none
	}{
		"plain":                      {"GET / HTTP/1.1|Host: acme.example.com", "acme /"},
		"no Host, HTTP/1.0":          {"GET /t/acme/ HTTP/1.0", "acme /"},
		"only Host's name, HTTP/1.0": {"GET / HTTP/1.0|Host: acme.example.com", "acme /"},
		"absolute form":              {"GET http://acme.example.com/x HTTP/1.1|Host: globex.example.com", "acme /x"}, // RFC 9112, 3.2.2
		"header and host":            {"GET / HTTP/1.1|Host: acme.example.com|X-Tenant: acme", "acme /"},
		"header in lower case":       {"GET / HTTP/1.1|Host: acme.example.com|x-tenant: globex", malformed},
		"no Host":                    {"GET /t/acme/ HTTP/1.1", malformed},
		"two Hosts":                  {"GET /t/acme/ HTTP/1.1|Host: acme.example.com|Host: globex.example.com", malformed},
		"the same Host twice":        {"GET / HTTP/1.1|Host: acme.example.com|Host: acme.example.com", malformed},
		"empty Host":                 {"GET / HTTP/1.1|Host:", malformed},
		"Host on two lines":          {"GET / HTTP/1.1|Host: acme.example.com| .evil.test", malformed},
		"space before the colon":     {"GET / HTTP/1.1|Host : acme.example.com", malformed},
		"list of Hosts":              {"GET / HTTP/1.1|Host: acme.example.com, globex.example.com", malformed},
		"user in Host":               {"GET / HTTP/1.1|Host: globex@acme.example.com", malformed},
		"user in the absolute form":  {"GET http://globex@acme.example.com/ HTTP/1.1|Host: acme.example.com", malformed},
		"path in Host":               {"GET / HTTP/1.1|Host: acme.example.com/t/globex", malformed},
		"NUL in Host":                {"GET / HTTP/1.1|Host: acme\x00.example.com", malformed},
		"bytes that are not ASCII":   {"GET / HTTP/1.1|Host: ac\u212Ame.example.com", malformed},
		"encoded in Host":            {"GET / HTTP/1.1|Host: ac%6De.example.com", malformed},
		"encoded in absolute form":   {"GET http://ac%6De.example.com/ HTTP/1.1|Host: acme.example.com", malformed},
		"bare IPv6":                  {"GET /t/acme/ HTTP/1.1|Host: ::1", malformed},
		"IPv6":                       {"GET /t/acme/ HTTP/1.1|Host: [::1]:80", "acme /"},
		"CONNECT":                    {"CONNECT acme.example.com:443 HTTP/1.1|Host: globex.example.com", "acme "},
		"asterisk":                   {"OPTIONS * HTTP/1.1|Host: acme.example.com", ""}, // net/http answers it by itself
		"path not encoded":           {"GET /t/\xfc/ HTTP/1.1|Host: example.com", malformed},
		"path with a space":          {"GET /t/a b/ HTTP/1.1|Host: example.com", malformed},
		"dot segments":               {"GET /t/acme/../globex/ HTTP/1.1|Host: example.com", malformed},
		"path and host":              {"GET /t/globex/ HTTP/1.1|Host: acme.example.com", malformed},
		"header twice":               {"GET / HTTP/1.1|Host: acme.example.com|X-Tenant: acme|X-Tenant: acme", malformed},
		"header with underscore":     {"GET / HTTP/1.1|Host: acme.example.com|X_Tenant: globex", "acme /"}, // another header
		"header alone":               {"GET / HTTP/1.1|Host: example.com|X-Tenant: acme", malformed},
		"forwarded host":             {"GET / HTTP/1.1|Host: acme.example.com|X-Forwarded-Host: globex.example.com|Forwarded: host=globex.example.com", "acme /"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := send(t, server, strings.ReplaceAll(test.request, "|", "\r\n")+"\r\nConnection: close\r\n\r\n")
			switch {
			case name == "asterisk":
				require.Equal(t, http.StatusOK, status)
				require.Empty(t, body)
			case test.want == malformed:
				require.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, status, body)
				require.NotContains(t, body, "acme")
			default:
				require.Equal(t, http.StatusOK, status, body)
				require.Equal(t, test.want, body)
			}
		})
	}
}
