package tenanthttp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/tenanthttp"
)

type note struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Text     string
}

func openNotes(tb testing.TB) *gorm.DB {
	tb.Helper()
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	require.NoError(tb, err)
	require.NoError(tb, db.Use(tenancy.New(tenancy.Config{Models: []any{&note{}}})))
	require.NoError(tb, db.AutoMigrate(&note{}))
	tb.Cleanup(func() {
		pool, err := db.DB()
		require.NoError(tb, err)
		require.NoError(tb, pool.Close())
	})
	return db
}

// TestIDs: what the plugin refuses is refused here, and nothing else.
func TestIDs(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	h := wrap(t, tenanthttp.Config{Sources: []tenanthttp.Source{tenanthttp.Claim(token)}}, seen)
	for _, id := range []string{
		"a", "A", "a b", " a", "a ", "7", "007", "ü", "münchen", "a/b", "a%2Fb", "..", "'", "\u00ad", "\u200b", "\ufeff", "\ufffd", "\U0001F600",
		strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("ü", 31), strings.Repeat("ü", 32),
		"\x00", "a\x1fb", "\x7f", "\u0085", "\u009f", "\u00a0", "\u2028", "\xff", "a\xc3", "\xed\xa0\x80",
	} {
		plugin := db.WithContext(tenancy.WithTenant(t.Context(), tenancy.ID(id))).Find(&[]note{}).Error
		status, body := answer(h, request("/", bearing(id)))
		if plugin == nil {
			require.Equal(t, http.StatusOK, status, "%q", id)
			continue
		}
		require.ErrorIs(t, plugin, tenancy.ErrInvalidTenant)
		require.Equal(t, http.StatusBadRequest, status, "%q %s", id, body)
	}
}
