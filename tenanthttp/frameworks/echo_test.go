package frameworks_test

import (
	"net/http"

	"github.com/labstack/echo/v5"
)

func echoRoutes(s store, used, routed middleware) *echo.Echo {
	list := func(c *echo.Context) error {
		items, err := s.list(c.Request().Context())
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, items)
	}
	add := func(c *echo.Context) error {
		if err := s.add(c.Request().Context(), c.Param("item")); err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	}
	e := echo.New()
	if routed != nil {
		group := e.Group("/t/:tenant", echo.WrapMiddleware(tokens), echo.WrapMiddleware(routed))
		group.GET("/orders", list)
		group.POST("/orders/:item", add)
	}
	group := e.Group("")
	if used != nil {
		group.Use(echo.WrapMiddleware(tokens), echo.WrapMiddleware(used))
	}
	group.GET("/orders", list)
	group.POST("/orders/:item", add)
	return e
}

func Example_echo() {
	e := echoRoutes(openStore(), nil, nil)
	visit(tokens(aroundRouters()(e)))

	// Output:
	// POST acme.example.com/orders/anvil 200
	// GET  acme.example.com/orders 200 anvil
	// GET  example.com/t/acme/orders 200 anvil
	// GET  globex.example.com/orders 200
	// GET  initech.example.com/orders 404 Not Found
	// GET  example.com/orders 400 Bad Request
}

func Example_echoGroup() {
	e := echoRoutes(openStore(), aroundRouters(), inRoutes())
	visit(e)

	// Output:
	// POST acme.example.com/orders/anvil 200
	// GET  acme.example.com/orders 200 anvil
	// GET  example.com/t/acme/orders 200 anvil
	// GET  globex.example.com/orders 200
	// GET  initech.example.com/orders 404 Not Found
	// GET  example.com/orders 400 Bad Request
}
