package frameworks_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// forGin makes gin's middleware of net/http's, and tells it the values of the route's wildcards.
func forGin(m middleware) gin.HandlerFunc {
	return func(c *gin.Context) {
		for _, p := range c.Params {
			c.Request.SetPathValue(p.Key, p.Value)
		}
		passed := false
		m(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed = true
			c.Request = r
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Abort()
		}
	}
}

func ginRoutes(s store, used, routed middleware) *gin.Engine {
	list := func(c *gin.Context) {
		items, err := s.list(c.Request.Context())
		if err != nil {
			c.String(http.StatusInternalServerError, "cannot be read")
			return
		}
		c.String(http.StatusOK, "%s", items)
	}
	add := func(c *gin.Context) {
		if err := s.add(c.Request.Context(), c.Param("item")); err != nil {
			c.String(http.StatusInternalServerError, "cannot be stored")
		}
	}
	engine := gin.New()
	engine.UseEscapedPath = true // otherwise an encoded slash divides segments
	if routed != nil {
		group := engine.Group("/t/:tenant", forGin(tokens), forGin(routed))
		group.GET("/orders", list)
		group.POST("/orders/:item", add)
	}
	group := engine.Group("/")
	if used != nil {
		group.Use(forGin(tokens), forGin(used))
	}
	group.GET("/orders", list)
	group.POST("/orders/:item", add)
	return engine
}

func Example_gin() {
	engine := ginRoutes(openStore(), nil, nil)
	visit(tokens(aroundRouters()(engine)))

	// Output:
	// POST acme.example.com/orders/anvil 200
	// GET  acme.example.com/orders 200 anvil
	// GET  example.com/t/acme/orders 200 anvil
	// GET  globex.example.com/orders 200
	// GET  initech.example.com/orders 404 Not Found
	// GET  example.com/orders 400 Bad Request
}

func Example_ginGroup() {
	engine := ginRoutes(openStore(), aroundRouters(), inRoutes())
	visit(engine)

	// Output:
	// POST acme.example.com/orders/anvil 200
	// GET  acme.example.com/orders 200 anvil
	// GET  example.com/t/acme/orders 200 anvil
	// GET  globex.example.com/orders 200
	// GET  initech.example.com/orders 404 Not Found
	// GET  example.com/orders 400 Bad Request
}

// TestGinContext: a *gin.Context has the tenant with the fallback alone, and never another.
func TestGinContext(t *testing.T) {
	t.Parallel()
	s := openStore()
	for _, fallback := range []bool{false, true} {
		engine := gin.New()
		engine.ContextWithFallback = fallback
		var err error
		engine.GET("/", func(c *gin.Context) { err = s.add(c, "anvil") })
		r := httptest.NewRequest(http.MethodGet, "http://acme.example.com/", nil)
		aroundRouters()(engine).ServeHTTP(httptest.NewRecorder(), r)
		if fallback {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, tenancy.ErrNoTenant)
		}
	}
	items, err := s.list(tenancy.WithTenant(t.Context(), "acme"))
	require.NoError(t, err)
	require.Equal(t, "anvil", items)
}
