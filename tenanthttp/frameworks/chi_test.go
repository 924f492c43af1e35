package frameworks_test

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// chiRoutes are the routes of the application; those below /t/{tenant}/ have middleware of their own.
func chiRoutes(s store, used, routed middleware) *chi.Mux {
	list := func(w http.ResponseWriter, r *http.Request) {
		items, err := s.list(r.Context())
		if err != nil {
			http.Error(w, "cannot be read", http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(items))
	}
	add := func(w http.ResponseWriter, r *http.Request) {
		if err := s.add(r.Context(), chi.URLParam(r, "item")); err != nil {
			http.Error(w, "cannot be stored", http.StatusInternalServerError)
		}
	}
	router := chi.NewRouter()
	if routed != nil {
		router.Route("/t/{tenant}", func(router chi.Router) {
			router.Use(tokens, routed)
			router.Get("/orders", list)
			router.Post("/orders/{item}", add)
		})
	}
	router.Group(func(router chi.Router) {
		if used != nil {
			router.Use(tokens, used)
		}
		router.Get("/orders", list)
		router.Post("/orders/{item}", add)
	})
	return router
}

func Example_chi() {
	router := chiRoutes(openStore(), nil, nil)
	visit(tokens(aroundRouters()(router)))

	// Output:
	// POST acme.example.com/orders/anvil 200
	// GET  acme.example.com/orders 200 anvil
	// GET  example.com/t/acme/orders 200 anvil
	// GET  globex.example.com/orders 200
	// GET  initech.example.com/orders 404 Not Found
	// GET  example.com/orders 400 Bad Request
}

func Example_chiRoute() {
	router := chiRoutes(openStore(), aroundRouters(), inRoutes())
	visit(router)

	// Output:
	// POST acme.example.com/orders/anvil 200
	// GET  acme.example.com/orders 200 anvil
	// GET  example.com/t/acme/orders 200 anvil
	// GET  globex.example.com/orders 200
	// GET  initech.example.com/orders 404 Not Found
	// GET  example.com/orders 400 Bad Request
}
