package tenanthttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gormtenancy/tenancy"
)

// Config is what [New] is told. Only Sources must be set.
type Config struct {
	// Sources are asked in their order. All that answer must agree. See [ErrConflict].
	Sources []Source
	// Check is asked whether the tenant is served, as [Served] asks the plugin's resolver. An unknown tenant is
	// [tenancy.ErrTenantNotFound]. One that is known and not served is [tenancy.ErrTenantUnavailable]; with a cause beside it, the
	// error says that this could not be found out. Zero: statements find out.
	Check func(ctx context.Context, id tenancy.ID) error
	// Optional lets requests pass that name no tenant: landing pages, sign-up. Zero: they are refused.
	Optional bool
	// Reserved are subdomains that are no tenants, beside www. Zero: www alone.
	Reserved []string

	// TrustedProxies are the addresses of proxies that ForwardedHost and [ProxyHeader] are believed from, as
	// http.Request.RemoteAddr has them: address and port of who has opened the connection. Zero: nobody is believed.
	TrustedProxies []netip.Prefix
	// ForwardedHost is the header in which they tell the host that the client asked for. It must be one that the outermost of
	// them overwrites.
	//
	// "Forwarded" (RFC 7239): the last element counts, which the nearest proxy has added; if it says that a trusted proxy was
	// the client, the one before it, and so on. Any other, such as "X-Forwarded-Host": it must have one value, since in a list
	// nobody can tell who has added what. If the header is missing, or comes from elsewhere, the Host line counts.
	//
	// Zero: the Host line counts.
	ForwardedHost string

	// Unavailable is the status for tenants that are known and not served, suspended or on the move: http.StatusForbidden or
	// http.StatusServiceUnavailable. That tells which tenants exist; where it is no secret, 503 suits clients and search engines
	// best. Zero: http.StatusNotFound, as for those that do not exist.
	Unavailable int
	// Conflict is the status for sources that disagree: http.StatusForbidden or http.StatusMisdirectedRequest. With [Domain]
	// among the sources, that tells which domains are tenants'. Zero: http.StatusNotFound.
	Conflict int
	// RetryAfter is sent with http.StatusServiceUnavailable. Zero: nothing is.
	RetryAfter time.Duration
	// ErrorHandler answers requests that are refused. Headers that keep caches from mistakes are set. The error is for logs: it
	// may tell whether a tenant exists. Zero: the text of the status.
	ErrorHandler func(w http.ResponseWriter, r *http.Request, status int, err error)
}

// Served returns a Config.Check that asks a resolver, such as that of the plugin, for the tenant's place.
func Served(r tenancy.ShardResolver) func(ctx context.Context, id tenancy.ID) error {
	return func(ctx context.Context, id tenancy.ID) error {
		_, err := r.Resolve(ctx, id)
		return err
	}
}

// check reports all that is wrong at once.
func (c Config) check() error {
	var faults []error
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(c.Sources) == 0 {
		wrong("Sources: there is none, so no request has a tenant")
	}
	readsHost, readsProxy := false, false
	for i, s := range c.Sources {
		if s.find == nil && s.fault == nil {
			wrong("Sources[%d]: make it with one of the functions of this package", i)
		}
		if s.fault != nil {
			wrong("Sources[%d]: %w", i, s.fault)
		}
		readsHost = readsHost || s.host
		readsProxy = readsProxy || s.weight == fromProxy
	}
	for i, name := range c.Reserved {
		if !isLabel(name) {
			wrong("Reserved[%d]: it is no subdomain in lower case", i)
		}
	}
	for i, p := range c.TrustedProxies {
		if !p.IsValid() || p.Addr().Is4In6() {
			wrong("TrustedProxies[%d]: it is not valid, or an IPv4 address written as IPv6", i)
		}
	}
	if c.ForwardedHost != "" {
		if !isToken(c.ForwardedHost) {
			wrong("ForwardedHost: it is not the name of a header")
		}
		if !readsHost {
			wrong("ForwardedHost: no source looks at the host")
		}
		readsProxy = true
	}
	if readsProxy && len(c.TrustedProxies) == 0 {
		wrong("TrustedProxies: nobody is trusted, so ForwardedHost and ProxyHeader are never believed")
	}
	if !slices.Contains([]int{0, http.StatusForbidden, http.StatusServiceUnavailable}, c.Unavailable) {
		wrong("Unavailable: %d is neither 403 nor 503", c.Unavailable)
	}
	if !slices.Contains([]int{0, http.StatusForbidden, http.StatusMisdirectedRequest}, c.Conflict) {
		wrong("Conflict: %d is neither 403 nor 421", c.Conflict)
	}
	if c.RetryAfter < 0 {
		wrong("RetryAfter: it is negative")
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", tenancy.ErrInvalidConfig, errors.Join(faults...))
}

// isToken tells whether a header may have the name.
func isToken(name string) bool {
	const others = "!#$%&'*+-.^_`|~"
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(others, r)
	})
}
