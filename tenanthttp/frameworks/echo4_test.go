package frameworks_test

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// forEcho4 is echo.WrapMiddleware, which does not tell the values of the route's wildcards in this version.
func forEcho4(m middleware) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		wrapped := echo.WrapMiddleware(m)(next)
		return func(c echo.Context) error {
			for i, name := range c.ParamNames() {
				c.Request().SetPathValue(name, c.ParamValues()[i])
			}
			return wrapped(c)
		}
	}
}

func echo4Routes(s store, used, routed middleware) *echo.Echo {
	list := func(c echo.Context) error {
		items, err := s.list(c.Request().Context())
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, items)
	}
	add := func(c echo.Context) error {
		if err := s.add(c.Request().Context(), c.Param("item")); err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	}
	e := echo.New()
	if routed != nil {
		group := e.Group("/t/:tenant", forEcho4(tokens), forEcho4(routed))
		group.GET("/orders", list)
		group.POST("/orders/:item", add)
	}
	group := e.Group("")
	if used != nil {
		group.Use(forEcho4(tokens), forEcho4(used))
	}
	group.GET("/orders", list)
	group.POST("/orders/:item", add)
	return e
}
