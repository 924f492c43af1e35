package page_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
)

func TestPage(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := page.New(&out)
	trace := func(sql string, err error) {
		p.Trace(t.Context(), time.Time{}, func() (string, int64) { return sql, 1 }, err)
	}
	refused := &tenancy.StatementError{Op: "query", Table: "t", Err: tenancy.ErrNoTenant}

	p.Title("What", "Why")
	trace("SELECT 'hidden'", nil)
	p.ShowSQL = true
	p.Step("acme:")
	trace("SELECT 1", nil)
	trace("SELECT 'failed there'", errors.New("no such table"))
	trace("SELECT 'not sent'", fmt.Errorf("%w; %w", refused, refused))
	p.Row("%d row", 1)
	require.NoError(t, p.Refused("nobody reads", fmt.Errorf("%w; %w", refused, refused), tenancy.ErrNoTenant))
	require.ErrorContains(t, p.Refused("nobody writes", nil, tenancy.ErrNoTenant), "nobody writes")
	require.ErrorIs(t, p.Refused("nobody writes", tenancy.ErrCrossShard, tenancy.ErrNoTenant), tenancy.ErrCrossShard)
	require.Equal(t, `
What
Why

  acme:
    → SELECT 1
    → SELECT 'failed there'
  ✓ 1 row
  ✗ nobody reads
    tenancy: no tenant in the context [query on t]
`, out.String())
}
