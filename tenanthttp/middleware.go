package tenanthttp

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gormtenancy/tenancy"
)

// New returns middleware that puts the tenant of each request into its context. What is wrong with the configuration is
// reported all at once, as [tenancy.ErrInvalidConfig].
func New(cfg Config) (func(next http.Handler) http.Handler, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m := &middleware{
		Config:  cfg,
		sources: slices.Clone(cfg.Sources),
		trusted: slices.Clone(cfg.TrustedProxies),
		reserve: append([]string{"www"}, cfg.Reserved...),
	}
	var vary []string
	for _, s := range m.sources {
		m.bases = append(m.bases, s.bases...)
		m.host = m.host || s.host
		vary = append(vary, s.vary...)
	}
	slices.SortStableFunc(m.bases, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	m.vary = varyOn(append(vary, cfg.ForwardedHost))
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.serve(w, r, next) })
	}, nil
}

// middleware is a Config with what follows from it.
type middleware struct {
	Config

	sources []Source
	trusted proxies
	reserve []string // subdomains that are no tenants
	bases   []string // of all sources, the longest first
	host    bool     // a source looks at the host
	vary    string
}

func (m *middleware) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if m.vary != "" {
		w.Header().Add("Vary", m.vary)
	}
	id, err := m.tenant(r)
	if err != nil {
		m.refuse(w, r, err)
		return
	}
	ctx := r.Context()
	if id != "" {
		ctx = tenancy.WithTenant(ctx, id)
	}
	served := r.WithContext(tenancy.ReadYourWrites(ctx)) // a copy
	for i := range m.sources {
		if prefix := m.sources[i].prefix; prefix != "" {
			if p, err := splitPath(r.URL, prefix); err == nil && p.tenant != "" {
				served.URL = p.strip(r.URL)
				break
			}
		}
	}
	next.ServeHTTP(w, served)
}

// tenant returns the tenant on which all agree; none if none is needed.
func (m *middleware) tenant(r *http.Request) (tenancy.ID, error) {
	v, err := m.view(r)
	if err != nil {
		return "", err
	}
	id, err := m.agree(v)
	if err != nil || id == "" || m.Check == nil {
		return id, err
	}
	return id, m.Check(r.Context(), id)
}

// view looks at the request once for all sources.
func (m *middleware) view(r *http.Request) (view, error) {
	v := view{Request: r, trusted: m.trusted.include(r.RemoteAddr)}
	if !m.host {
		return v, nil
	}
	host, told := r.Host, false
	if v.trusted && m.ForwardedHost != "" {
		forwarded, ok, err := m.trusted.forwardedHost(r.Header, m.ForwardedHost)
		if err != nil {
			return v, err
		}
		if ok {
			host, told = forwarded, true
		}
	}
	if host == "" && !told { // HTTP/1.0
		return v, nil
	}
	canonical, ok := canonicalHost(host)
	if !ok || r.URL.User != nil { // http://user@host/ in the request line
		return v, fmt.Errorf("%w: the host is malformed", tenancy.ErrInvalidTenant)
	}
	v.host = canonical
	v.label, v.below = cutBase(canonical, m.bases)
	if slices.Contains(m.reserve, v.label) {
		v.label = ""
	}
	return v, nil
}

// agree asks all sources, and the context.
func (m *middleware) agree(v view) (tenancy.ID, error) {
	var unknown error // a source has been asked and knows no tenant: it agrees with nobody
	id, decided := tenancy.FromContext(v.Context())
	named := "the context"
	for i := range m.sources {
		s := &m.sources[i]
		found, err := s.find(v)
		switch {
		case errors.Is(err, tenancy.ErrTenantNotFound):
			unknown = err
			continue
		case err != nil:
			return "", err
		case found == "":
			continue
		case id != "" && found != id:
			return "", fmt.Errorf("%w: %s and %s", ErrConflict, named, s.name)
		}
		if id == "" {
			id, named = found, s.name
		}
		decided = decided || s.decides(v)
	}
	switch {
	case unknown != nil && id != "":
		return "", fmt.Errorf("%w: one source knows none", ErrConflict)
	case unknown != nil:
		return "", unknown
	case id != "" && !decided:
		return "", fmt.Errorf("%w: only %s names one, and that decides nothing alone", tenancy.ErrNoTenant, named)
	case id != "":
		return id, checkID(id)
	case m.Optional:
		return "", nil
	}
	return "", fmt.Errorf("%w: no source names one", tenancy.ErrNoTenant)
}

// longestID is that of package tenancy.
const longestID = 63

// checkID holds an ID to the rules of [tenancy.ID].
func checkID(id tenancy.ID) error {
	text := string(id)
	if len(text) > longestID || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("%w: it is too long, not valid UTF-8, or has control characters", tenancy.ErrInvalidTenant)
	}
	return nil
}
