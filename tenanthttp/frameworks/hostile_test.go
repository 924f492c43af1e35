package frameworks_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	echo4 "github.com/labstack/echo/v4"
	"github.com/labstack/echo/v5"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode) // or it prints all routes
	os.Exit(m.Run())
}

// frameworks make the routes of the application: within middleware, and with that of the routes below /t/.
var frameworks = map[string]func(s store, used, routed middleware) http.Handler{
	"net/http": muxRoutes,
	"chi":      func(s store, used, routed middleware) http.Handler { return chiRoutes(s, used, routed) },
	"gin":      func(s store, used, routed middleware) http.Handler { return ginRoutes(s, used, routed) },
	"echo":     func(s store, used, routed middleware) http.Handler { return echoRoutes(s, used, routed) },
	"echo v4":  func(s store, used, routed middleware) http.Handler { return echo4Routes(s, used, routed) },
}

func muxRoutes(s store, used, routed middleware) http.Handler {
	list := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		items, err := s.list(r.Context())
		if err != nil {
			http.Error(w, "cannot be read", http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, items)
	})
	add := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.add(r.Context(), r.PathValue("item")); err != nil {
			http.Error(w, "cannot be stored", http.StatusInternalServerError)
		}
	})
	in := func(m middleware, h http.Handler) http.Handler {
		if m == nil {
			return h
		}
		return tokens(m(h))
	}
	mux := http.NewServeMux()
	if routed != nil {
		mux.Handle("GET /t/{tenant}/orders", in(routed, list))
		mux.Handle("POST /t/{tenant}/orders/{item}", in(routed, add))
	}
	mux.Handle("GET /orders", in(used, list))
	mux.Handle("POST /orders/{item}", in(used, add))
	return mux
}

// serve runs a handler with the framework's own server, and returns its address.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		switch h := handler.(type) {
		case *gin.Engine:
			ended <- h.RunListener(listener)
		case *echo.Echo:
			ended <- echo.StartConfig{Listener: listener, HideBanner: true, HidePort: true, GracefulTimeout: time.Second}.Start(ctx, h)
		case *echo4.Echo:
			h.Listener, h.HideBanner, h.HidePort = listener, true, true
			ended <- h.Start("")
		default:
			ended <- server.Serve(listener)
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = listener.Close() // with which other servers end
		if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
			require.ErrorIs(t, err, http.ErrServerClosed)
		}
	})
	return listener.Addr().String()
}

// send writes the lines of a request as they are, and returns what the server answers.
func send(t *testing.T, address string, lines ...string) (status int, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, strings.Join(append(lines, "Connection: close", "Content-Length: 0"), "\r\n")+"\r\n\r\n")
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode, string(content)
}

// TestHostileRequests tries to write for acme, or to read what it has, with a token of globex and without any.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	const (
		evil   = "POST /orders/evil HTTP/1.1"
		acme   = "Host: acme.example.com"
		globex = "Authorization: Bearer token-of-globex"
	)
	hostile := [][]string{
		// hosts
		{evil, acme, globex},
		{evil, "Host: ACME.EXAMPLE.COM.:80", globex},
		{evil, "Host: example.com", "X-Forwarded-Host: acme.example.com"},
		{evil, "Host: example.com", "Forwarded: host=acme.example.com"},
		{evil, "Host: x.acme.example.com"},
		{evil, "Host: acme..example.com"},
		{evil, "Host: globex@acme.example.com"},
		{evil, "Host: acme.example.com@globex.example.com"},
		{evil, "Host: acme.example.com,globex.example.com"},
		{evil, "Host: acme.example.com/"},
		{evil, "Host: acme.example.com:x"},
		{evil, "Host: ac%6de.example.com"},
		{evil, "Host: ac\u212Ame.example.com"},
		{evil, "Host: acme\x00.example.com"},
		{evil, "Host: acme.example.com", "Host: globex.example.com"},
		{evil, "Host: acme.example.com", "Host: acme.example.com"},
		{evil, "Host: acme.example.com.evil.test"},
		{evil, "Host: acmeexample.com"},
		{evil, "Host: [::1]"},
		{evil, "Host: ::1"},
		{evil, "Host:"},
		{evil},
		{"POST /orders/evil HTTP/1.0"},
		{"POST http://acme.example.com/orders/evil HTTP/1.1", "Host: globex.example.com", globex},
		{"POST http://x@acme.example.com/orders/evil HTTP/1.1", acme},
		{"POST http://ac%6de.example.com/orders/evil HTTP/1.1", acme},
		// headers
		{evil, "Host: example.com", "X-Tenant: acme"},
		{evil, "Host: globex.example.com", "X-Tenant: acme"},
		{evil, "Host: globex.example.com", "X-Tenant: acme", "X-Tenant: globex"},
		{evil, "Host: globex.example.com", "X-Tenant: globex, acme"},
		{evil, "Host: globex.example.com", "x-tenant:"},
		{evil, "Host: example.com", "X-Tenant: acme", globex},
		{evil, "Host: example.com", "Authorization: Bearer token-of-"},
		{evil, "Host: example.com", "Authorization: Bearer token-of-initech"},
		// paths
		{"POST /t/acme/orders/evil HTTP/1.1", "Host: example.com", globex},
		{"POST /t/acme/orders/evil HTTP/1.1", "Host: globex.example.com"},
		{"POST /t/globex/orders/evil HTTP/1.1", acme},
		{"POST /t/globex/../acme/orders/evil HTTP/1.1", "Host: example.com", globex},
		{"POST /t/globex/%2e%2e/acme/orders/evil HTTP/1.1", "Host: example.com", globex},
		{"POST /t/globex%2f..%2facme/orders/evil HTTP/1.1", "Host: example.com", globex},
		{"POST /t/acme%2Fx/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/acme%5C/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/acme%00/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/ACME/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/acme%20/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t//acme/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/acme//orders/evil HTTP/1.1", "Host: example.com"},
		{"POST //t/acme/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /%74/acme/orders/evil HTTP/1.1", "Host: example.com", globex},
		{"POST /t%2Facme/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/../orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/./orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t//orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/" + strings.Repeat("a", 64) + "/orders/evil HTTP/1.1", "Host: example.com"},
		{"POST /t/initech/orders/evil HTTP/1.1", "Host: example.com"},
	}
	for name, routes := range frameworks {
		for _, around := range []bool{true, false} {
			t.Run(name+map[bool]string{true: " around", false: " within"}[around], func(t *testing.T) {
				t.Parallel()
				s := openStore()
				var handler http.Handler
				if around {
					handler = tokens(aroundRouters()(routes(s, nil, nil)))
				} else {
					handler = routes(s, aroundRouters(), inRoutes())
				}
				address := serve(t, handler)

				// What is right is served, in each spelling.
				for _, lines := range [][]string{
					{"POST /orders/anvil HTTP/1.1", acme},
					{"POST /orders/anvil HTTP/1.1", "Host: Acme.Example.com.:8080", "Authorization: Bearer token-of-acme", "X-Tenant: acme"},
					{"POST /t/acme/orders/anvil HTTP/1.1", "Host: example.com", "Authorization: Bearer token-of-acme"},
					{"POST http://acme.example.com/orders/anvil HTTP/1.1", "Host: globex.example.com"},
				} {
					status, body := send(t, address, lines...)
					require.Equal(t, http.StatusOK, status, "%q: %s", lines, body)
				}
				status, body := send(t, address, "GET /orders HTTP/1.1", acme)
				require.Equal(t, http.StatusOK, status)
				require.Equal(t, "anvil anvil anvil anvil", body)
				status, body = send(t, address, "GET /orders HTTP/1.1", "Host: globex.example.com")
				require.Equal(t, http.StatusOK, status)
				require.Empty(t, body)

				for _, lines := range hostile {
					status, body := send(t, address, lines...)
					require.GreaterOrEqual(t, status, 300, "%q: %s", lines, body)
					require.Less(t, status, 500, "%q: %s", lines, body)
					for _, told := range []string{"acme", "globex", "initech", "tenancy"} {
						require.False(t, status >= 400 && strings.Contains(body, told), "%q: %s", lines, body)
					}
				}
				var stored []Order
				all := tenancy.WithPlacement(tenancy.WithoutTenant(t.Context(), "to count them"), tenancy.Placement{})
				require.NoError(t, s.db.WithContext(all).Find(&stored).Error)
				require.Len(t, stored, 4)
				for _, order := range stored {
					require.Equal(t, "acme anvil", order.TenantID+" "+order.Item)
				}
			})
		}
	}
}

// TestSpellings: an ID that is encoded where it need not be is the same ID, or nobody's.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for name, routes := range frameworks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore()
			within := serve(t, routes(s, aroundRouters(), inRoutes()))
			around := serve(t, tokens(aroundRouters()(routes(s, nil, nil))))
			stored := 0
			for _, path := range []string{"/t/acm%65/orders/x", "/t/%61cme/orders/a%2Fb", "/t/acme/orders/%78", "/t/acme/orders/a%20b"} {
				status, _ := send(t, around, "POST "+path+" HTTP/1.1", "Host: example.com")
				require.Equal(t, http.StatusOK, status, path)
				stored++
				if status, _ = send(t, within, "POST "+path+" HTTP/1.1", "Host: example.com"); status == http.StatusOK {
					stored++
				} else {
					require.Equal(t, http.StatusNotFound, status, path)
				}
			}
			items, err := s.list(tenancy.WithTenant(t.Context(), "acme"))
			require.NoError(t, err)
			require.Len(t, strings.Split(strings.ReplaceAll(items, "a b", "ab"), " "), stored)
		})
	}
}
