package tenanthttp

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/gormtenancy/tenancy"
)

// Source is where a request may name its tenant. The functions of this package make it; it may be used concurrently if the
// function that it was made of may.
type Source struct {
	name   string // in errors
	find   func(v view) (tenancy.ID, error)
	weight weight
	host   bool     // it looks at the host
	bases  []string // of Subdomain
	prefix string   // of PathPrefix
	vary   []string // the headers it looks at
	fault  error    // what is wrong with its arguments
}

// weight is what the answer of a source is worth.
type weight int

const (
	decides weight = iota
	confirms
	fromProxy // it decides if a trusted proxy has sent the request, else it confirms
)

// view is a request as sources see it.
type view struct {
	*http.Request

	host    string // canonical; empty if there is none, or no source looks at it
	label   string // what the host has before the base domain
	below   bool   // the host is a base domain, or below one
	trusted bool   // a trusted proxy has sent the request
}

// decides tells whether the answer of a source is enough.
func (s *Source) decides(v view) bool {
	return s.weight == decides || s.weight == fromProxy && v.trusted
}

// Header reads a header that the client sends. Its answer only confirms that of another source, and is refused alone.
func Header(name string) Source { return header(name, confirms) }

// ProxyHeader reads a header that each of Config.TrustedProxies sets itself, whatever the client has sent. From elsewhere it
// only confirms, as [Header] does.
func ProxyHeader(name string) Source { return header(name, fromProxy) }

func header(name string, w weight) Source {
	s := Source{name: "the header " + name, weight: w, vary: []string{name}}
	if !isToken(name) {
		s.fault = fmt.Errorf("%q is not the name of a header", name)
		return s
	}
	name = http.CanonicalHeaderKey(name)
	s.find = func(v view) (tenancy.ID, error) {
		values := v.Header[name]
		switch {
		case len(values) == 0:
			return "", nil
		case len(values) > 1 || strings.Contains(values[0], ","):
			return "", fmt.Errorf("%w: the header %s has several values", tenancy.ErrInvalidTenant, name)
		case values[0] == "":
			return "", fmt.Errorf("%w: the header %s is empty", tenancy.ErrInvalidTenant, name)
		}
		return tenancy.ID(values[0]), nil
	}
	return s
}

// Claim asks find for the tenant of a token that the application has verified before: typically in the context, where its
// middleware has put it. The second result is false if there is no token, or it names no tenant. An error refuses the request.
//
// The headers are those in which tokens come, for Vary. Without them: Authorization and Cookie.
func Claim(find func(r *http.Request) (tenant string, ok bool, err error), headers ...string) Source {
	if len(headers) == 0 {
		headers = []string{"Authorization", "Cookie"}
	}
	s := asked("the claim", headers)
	if find == nil {
		s.fault = errNoFunction
		return s
	}
	s.find = func(v view) (tenancy.ID, error) {
		tenant, ok, err := find(v.Request)
		if err != nil || !ok {
			return "", err
		}
		if tenant == "" {
			return "", fmt.Errorf("%w: the claim is empty", tenancy.ErrInvalidTenant)
		}
		return tenancy.ID(tenant), nil
	}
	return s
}

// Func asks find, whose answer decides: it must not come from what a client can write as it likes. No ID and no error is no
// answer.
//
// The headers are those that find looks at, for Vary; "Host" if it looks at none. Without them: "*", and no cache keeps an answer.
func Func(find func(r *http.Request) (tenancy.ID, error), headers ...string) Source {
	if len(headers) == 0 {
		headers = []string{"*"}
	}
	s := asked("the function", headers)
	if find == nil {
		s.fault = errNoFunction
		return s
	}
	s.find = func(v view) (tenancy.ID, error) { return find(v.Request) }
	return s
}

// asked is a source that the application answers for.
func asked(name string, headers []string) Source {
	s := Source{name: name, vary: headers}
	for _, h := range headers {
		if !isToken(h) {
			s.fault = fmt.Errorf("%q is not the name of a header", h)
		}
	}
	return s
}
