package tenanthttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/tenanthttp"
)

// Order is tenant-owned by its tag.
type Order struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Item     string
}

// authenticated stands for middleware that verifies tokens, and puts their claims into the context.
func authenticated(next http.Handler) http.Handler {
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

// An existing application becomes one for many tenants: handlers say db.WithContext(r.Context()), as before.
func Example() {
	customers := tenancy.List(map[tenancy.ID]tenancy.Placement{"acme": {}, "globex": {}})
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	if err == nil {
		err = db.Use(tenancy.New(tenancy.Config{Models: []any{&Order{}}, Resolver: customers}))
	}
	if err == nil {
		err = db.AutoMigrate(&Order{})
	}
	if err != nil {
		panic(err)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders/{item}", func(w http.ResponseWriter, r *http.Request) {
		if err := db.WithContext(r.Context()).Create(&Order{Item: r.PathValue("item")}).Error; err != nil {
			http.Error(w, "cannot be stored", http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		var items []string
		if err := db.WithContext(r.Context()).Model(&Order{}).Order("id").Pluck("item", &items).Error; err != nil {
			http.Error(w, "cannot be read", http.StatusInternalServerError)
			return
		}
		_, _ = fmt.Fprintln(w, items)
	})

	tenants, err := tenanthttp.New(tenanthttp.Config{
		Sources: []tenanthttp.Source{
			tenanthttp.Subdomain("example.com"),
			tenanthttp.PathPrefix("/t/"),
			tenanthttp.Claim(tenantOfToken),
		},
		Check: tenanthttp.Served(customers),
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(authenticated(tenants(mux)))
	defer server.Close()

	ask := func(method, host, path, tokenOf string) {
		r, err := http.NewRequestWithContext(context.Background(), method, server.URL+path, nil)
		if err != nil {
			panic(err)
		}
		r.Host = host
		if tokenOf != "" {
			r.Header.Set("Authorization", "Bearer token-of-"+tokenOf)
		}
		response, err := server.Client().Do(r)
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		fmt.Println(strings.TrimSpace(fmt.Sprintln(response.StatusCode, string(body))))
	}
	ask("POST", "acme.example.com", "/orders/anvil", "acme")
	ask("GET", "acme.example.com", "/orders", "acme")
	ask("GET", "example.com", "/t/acme/orders", "acme")
	ask("GET", "globex.example.com", "/orders", "globex")
	ask("GET", "globex.example.com", "/orders", "acme") // a token of acme on the host of globex
	ask("GET", "initech.example.com", "/orders", "")
	ask("GET", "example.com", "/orders", "")

	// Output:
	// 200
	// 200 [anvil]
	// 200 [anvil]
	// 200 []
	// 404 Not Found
	// 404 Not Found
	// 400 Bad Request
}
