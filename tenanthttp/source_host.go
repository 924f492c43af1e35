package tenanthttp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gormtenancy/tenancy"
)

var errNoFunction = errors.New("the function is missing")

// Subdomain takes the tenant from the one label that the host has before a base domain: acme.example.com is the tenant "acme",
// in lower case. The base domain itself, www and Config.Reserved are no answer, and neither are hosts elsewhere. More labels
// than one are refused. Of base domains that lie within each other, the longest counts.
func Subdomain(bases ...string) Source {
	s := Source{name: "the subdomain", host: true}
	if len(bases) == 0 {
		s.fault = errors.New("Subdomain needs a base domain")
	}
	for _, base := range bases {
		host, ok := canonicalHost(base)
		if !ok || strings.Contains(base, ":") || isAddress(host) {
			s.fault = fmt.Errorf("%q is no base domain: write it as in example.com, without port and wildcard, and Unicode as xn--", base)
			return s
		}
		s.bases = append(s.bases, host)
	}
	s.find = func(v view) (tenancy.ID, error) {
		if strings.Contains(v.label, ".") {
			return "", fmt.Errorf("%w: the host has more than one label before the base domain", tenancy.ErrInvalidTenant)
		}
		return tenancy.ID(v.label), nil
	}
	return s
}

// Domain looks up the tenant of the whole host: lower case, without port and trailing dot, an IPv6 address without brackets.
// Hosts at and below the base domains of [Subdomain] are not looked up. Unknown hosts are [tenancy.ErrTenantNotFound], and
// refused; no ID and no error is no answer, for hosts of the application's own. With package catalog:
//
//	tenanthttp.Domain(func(ctx context.Context, host string) (tenancy.ID, error) {
//		t, err := tenants.ByDomain(ctx, host)
//		return t.ID, err
//	})
//
// That finds tenants in every state: Config.Check tells those that are served.
func Domain(lookup func(ctx context.Context, host string) (tenancy.ID, error)) Source {
	s := Source{name: "the domain", host: true}
	if lookup == nil {
		s.fault = errNoFunction
		return s
	}
	s.find = func(v view) (tenancy.ID, error) {
		if v.host == "" || v.below {
			return "", nil
		}
		return lookup(v.Context(), v.host)
	}
	return s
}
