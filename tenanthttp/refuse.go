package tenanthttp

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gormtenancy/tenancy"
)

// ErrConflict means that the sources of a request do not agree on its tenant.
var ErrConflict = errors.New("tenanthttp: the request names more than one tenant")

// refuse answers a request that has no tenant to run for.
func (m *middleware) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := m.status(err)
	w.Header().Set("Cache-Control", "no-store") // a 404 may be cached without a word, and the tenant be made meanwhile
	if status == http.StatusServiceUnavailable && m.RetryAfter > 0 {
		seconds := int64((m.RetryAfter + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	if m.ErrorHandler != nil {
		m.ErrorHandler(w, r, status, err)
		return
	}
	http.Error(w, http.StatusText(status), status)
}

func (m *middleware) status(err error) int {
	switch {
	case errors.Is(err, ErrConflict):
		return cmp.Or(m.Conflict, http.StatusNotFound)
	case errors.Is(err, tenancy.ErrTenantNotFound):
		return http.StatusNotFound
	case errors.Is(err, tenancy.ErrOverloaded), errors.Is(err, tenancy.ErrTenantUnavailable) && hasCause(err):
		return http.StatusServiceUnavailable
	case errors.Is(err, tenancy.ErrTenantUnavailable):
		return cmp.Or(m.Unavailable, http.StatusNotFound)
	case errors.Is(err, tenancy.ErrNoTenant), errors.Is(err, tenancy.ErrInvalidTenant):
		return http.StatusBadRequest
	default:
		return http.StatusInternalServerError
	}
}

// hasCause tells whether an [tenancy.ErrTenantUnavailable] wraps another error too. Package catalog says so of a master database
// that does not answer, and of a tenant that is suspended nothing but the sentinel.
func hasCause(err error) bool {
	switch wraps := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(wraps.Unwrap(), hasCause)
	case interface{ Unwrap() error }:
		return hasCause(wraps.Unwrap())
	default:
		return err != nil && err != tenancy.ErrTenantUnavailable //nolint:errorlint // it is at the end of the tree
	}
}

// varyOn returns the value of a Vary header, each name once.
func varyOn(headers []string) string {
	var names []string
	for _, name := range headers {
		name = http.CanonicalHeaderKey(name)
		if name == "*" {
			return "*"
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
