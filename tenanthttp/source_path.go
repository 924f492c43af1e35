package tenanthttp

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/gormtenancy/tenancy"
)

// PathPrefix takes the tenant from the segment after a prefix, and takes both away: with the prefix "/t/", a handler sees
// /t/acme/orders as /orders, and /t/acme as /. Other paths are no answer. The ID is the segment without percent-encoding, and
// upper case counts. Refused are encoded slashes in it, dot segments after it, and what would leave a path that begins with two
// slashes.
func PathPrefix(prefix string) Source {
	s := Source{name: "the path", prefix: prefix}
	if !strings.HasPrefix(prefix, "/") || !strings.HasSuffix(prefix, "/") || strings.Contains(prefix, "//") || (&url.URL{Path: prefix}).EscapedPath() != prefix {
		s.fault = fmt.Errorf("the prefix %q must begin and end with a slash, and have nothing that is encoded in paths", prefix)
		return s
	}
	s.find = func(v view) (tenancy.ID, error) {
		p, err := splitPath(v.URL, prefix)
		return tenancy.ID(p.tenant), err
	}
	return s
}

// PathValue takes the tenant from a wildcard of the pattern that the request was routed by, such as {tenant} in
// /t/{tenant}/orders. It is for middleware inside of an http.ServeMux, or of a router that sets http.Request.PathValue. Values
// with slashes are refused.
func PathValue(name string) Source {
	s := Source{name: "the path"}
	if name == "" {
		s.fault = fmt.Errorf("PathValue needs the name of a wildcard")
		return s
	}
	s.find = func(v view) (tenancy.ID, error) {
		tenant := v.PathValue(name)
		if tenant != "" && !isSegment(tenant) {
			return "", errPath("the tenant in it is not one segment")
		}
		return tenancy.ID(tenant), nil
	}
	return s
}

// path is one that was split. Without a tenant it does not have the prefix, or nothing after it.
type path struct {
	tenant       string
	rest, escape string // after the tenant, decoded and as it came
}

// splitPath looks for the slashes in the path as it came: encoded ones are none.
func splitPath(u *url.URL, prefix string) (path, error) {
	decoded, came := u.Path, u.EscapedPath()
	if !strings.HasPrefix(decoded, prefix) {
		return path{}, nil
	}
	if !strings.HasPrefix(came, prefix) {
		return path{}, errPath("its prefix is encoded")
	}
	decoded, came = decoded[len(prefix):], came[len(prefix):]
	if decoded == "" {
		return path{}, nil
	}
	segment := came
	if slash := strings.IndexByte(came, '/'); slash >= 0 {
		segment = came[:slash]
	}
	tenant, err := url.PathUnescape(segment)
	if err != nil || !isSegment(tenant) {
		return path{}, errPath("the tenant in it is not one segment")
	}
	p := path{tenant: tenant, rest: decoded[len(tenant):], escape: came[len(segment):]}
	if p.rest == "" {
		p.rest, p.escape = "/", "/"
	}
	if len(p.rest) > 1 && isSlash(p.rest[1]) { // a redirect to it would lead to another host
		return path{}, errPath("it has an empty segment after the tenant")
	}
	if hasDots(p.rest) {
		return path{}, errPath("it has dot segments")
	}
	return p, nil
}

// strip returns the URL with the path that is left.
func (p path) strip(u *url.URL) *url.URL {
	stripped := *u
	stripped.Path = p.rest
	if stripped.RawPath != "" {
		stripped.RawPath = p.escape
	}
	return &stripped
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

func isSegment(text string) bool {
	return text != "" && text != "." && text != ".." && !strings.ContainsAny(text, `/\`)
}

// hasDots tells whether a decoded path has segments that stand for others. A backslash divides segments on some systems.
func hasDots(decoded string) bool {
	for len(decoded) > 0 {
		end := strings.IndexAny(decoded, `/\`)
		if end < 0 {
			end = len(decoded)
		}
		if segment := decoded[:end]; segment == "." || segment == ".." {
			return true
		}
		decoded = decoded[min(end+1, len(decoded)):]
	}
	return false
}

func errPath(what string) error {
	return fmt.Errorf("%w: the path: %s", tenancy.ErrInvalidTenant, what)
}
