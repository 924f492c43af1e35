// Package frameworks shows package tenanthttp in chi, gin and echo, by examples that are tests. It is a module of its own, so that
// who uses the library has no framework with it.
//
// One way serves all of them: to put the middleware around the whole router, which is an http.Handler. Then tenants are known,
// and paths stripped, before anything is routed. Inside of a router, [tenanthttp.PathValue] finds the tenant in the route's own
// pattern. Chi takes the middleware as it is, echo with echo.WrapMiddleware, and gin and echo v4 as the
// tests have it.
//
// Handlers take the context of the request: r.Context() in chi, c.Request.Context() in gin, c.Request().Context() in echo. A
// *gin.Context given to db.WithContext has no tenant, and the plugin refuses it, unless the engine's ContextWithFallback is set.
//
// In chi and echo, values of a path with anything that is encoded without need are not decoded: such a spelling of an ID is that
// of an unknown tenant, even if the ID itself is written as usual and has something to encode. Around the router that is not so.
// Gin routes decoded paths, in which an encoded slash divides segments, unless the engine's UseEscapedPath is set.
package frameworks
