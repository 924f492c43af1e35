package frameworks_test

import (
	"context"
	"net/http"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/tenanthttp"
)

// Order is what the application of the examples stores.
type Order struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Item     string
}

// store is the application without its routes.
type store struct{ db *gorm.DB }

func customers() tenancy.ShardResolver {
	return tenancy.List(map[tenancy.ID]tenancy.Placement{"acme": {}, "globex": {}})
}

// openStore returns one in memory.
func openStore() store {
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	if err == nil {
		err = db.Use(tenancy.New(tenancy.Config{Models: []any{&Order{}}, Resolver: customers()}))
	}
	if err == nil {
		err = db.AutoMigrate(&Order{})
	}
	if err != nil {
		panic(err)
	}
	return store{db}
}

func (s store) add(ctx context.Context, item string) error {
	return s.db.WithContext(ctx).Create(&Order{Item: item}).Error
}

func (s store) list(ctx context.Context) (string, error) {
	var items []string
	err := s.db.WithContext(ctx).Model(&Order{}).Order("id").Pluck("item", &items).Error
	return strings.Join(items, " "), err
}

// tokens stands for middleware that verifies them, and tenantOfToken for what reads its result.
func tokens(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tenant, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-of-"); ok {
			r = r.WithContext(context.WithValue(r.Context(), claimKey{}, tenant))
		}
		next.ServeHTTP(w, r)
	})
}

type claimKey struct{}

func tenantOfToken(r *http.Request) (string, bool, error) {
	tenant, ok := r.Context().Value(claimKey{}).(string)
	return tenant, ok, nil
}

type middleware = func(http.Handler) http.Handler

// aroundRouters is the middleware for a whole router.
func aroundRouters() middleware {
	return newMiddleware(tenanthttp.Subdomain("example.com"), tenanthttp.PathPrefix("/t/"), tenanthttp.Claim(tenantOfToken), tenanthttp.Header("X-Tenant"))
}

// inRoutes is the middleware for routes with the wildcard "tenant".
func inRoutes() middleware {
	return newMiddleware(tenanthttp.PathValue("tenant"), tenanthttp.Subdomain("example.com"), tenanthttp.Claim(tenantOfToken), tenanthttp.Header("X-Tenant"))
}

func newMiddleware(sources ...tenanthttp.Source) middleware {
	tenants, err := tenanthttp.New(tenanthttp.Config{Sources: sources, Check: tenanthttp.Served(customers())})
	if err != nil {
		panic(err)
	}
	return tenants
}
