// Package tenanthttp puts the tenant of an HTTP request into its context: it is net/http middleware, and works in whatever
// routes http.Handlers.
//
//	tenants, err := tenanthttp.New(tenanthttp.Config{
//		Sources: []tenanthttp.Source{
//			tenanthttp.Subdomain("example.com"), // acme.example.com
//			tenanthttp.Claim(tenantOfToken),     // must agree
//		},
//		Check: tenanthttp.Served(resolver), // that of the plugin
//	})
//	http.ListenAndServe(":8080", authenticate(tenants(mux)))
//
// Handlers say db.WithContext(r.Context()), and that is all. Reads that follow a write of the same request go to the primary,
// as [tenancy.ReadYourWrites] says.
//
// # Promises
//
//   - A handler runs with one valid tenant, or does not run. With Config.Optional it may run without one, which the plugin
//     refuses when the handler touches tenants' rows.
//   - All sources that answer must name the same tenant, and so must a tenant that the context has already. A token of one
//     tenant on the host of another is refused.
//   - What a client can write as it likes decides nothing by itself: a header only confirms what another source says, and
//     forwarded hosts are read from Config.TrustedProxies alone.
//   - What can be read in two ways is refused: repeated headers and lists in them, hosts and paths that are not well formed,
//     encoded slashes and dot segments around the tenant.
//   - By default the answers for a tenant that is unknown, one that is suspended, and sources that disagree are the same, byte
//     for byte. No answer names a tenant or says why.
//   - Caches do not mix tenants: what decides beside host and path is in Vary, and refusals are not stored.
//
// # Refusals
//
// What a request is refused with goes to Config.ErrorHandler, and by default is:
//
//	400  tenancy.ErrNoTenant, tenancy.ErrInvalidTenant   no source names a tenant; host, path, header or ID is malformed
//	404  tenancy.ErrTenantNotFound
//	404  tenancy.ErrTenantUnavailable                    suspended and the like: see Config.Unavailable
//	404  ErrConflict                                     see Config.Conflict
//	503  tenancy.ErrTenantUnavailable with a cause       it could not be found out, whatever the tenant
//	503  tenancy.ErrOverloaded
//	500  all others
//
// # Where it goes
//
// Outside of the router, so that paths are stripped before they are routed; [PathValue] alone goes inside. After what verifies
// tokens, or [Claim] finds none. After what answers CORS preflights: these carry neither tokens nor headers. Before whatever
// writes http.Request.RemoteAddr from headers, or the proxies it names are believed.
//
// # Limits
//
//   - It tells whose data a request is about, and not whether the caller may see it.
//   - Subdomains are taken as they are: "xn--mnchen-3ya" is the ID of that host, no Unicode is decoded.
//   - An active tenant answers, and so shows that it exists; and answers that look the same may take different times.
//   - Redirects to absolute paths that a handler behind [PathPrefix] makes, and those of http.ServeMux to the trailing slash, lack
//     the prefix, as behind http.StripPrefix. Patterns with [PathValue] have none of that.
//   - A handler that sets Vary, instead of adding to it, takes away what was added.
package tenanthttp
