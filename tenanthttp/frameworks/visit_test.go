package frameworks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// visit makes the requests of the examples over HTTP, and prints the answers.
func visit(handler http.Handler) {
	server := httptest.NewServer(handler)
	defer server.Close()
	for _, line := range []string{
		"POST acme.example.com/orders/anvil",
		"GET  acme.example.com/orders",
		"GET  example.com/t/acme/orders",
		"GET  globex.example.com/orders",
		"GET  initech.example.com/orders",
		"GET  example.com/orders",
	} {
		method, target, _ := strings.Cut(line, " ")
		host, path, _ := strings.Cut(strings.TrimSpace(target), "/")
		r, err := http.NewRequestWithContext(context.Background(), method, server.URL+"/"+path, nil)
		if err != nil {
			panic(err)
		}
		r.Host = host
		response, err := server.Client().Do(r)
		if err != nil {
			panic(err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			panic(err)
		}
		_ = response.Body.Close()
		fmt.Println(strings.TrimSpace(fmt.Sprintf("%s %d %s", line, response.StatusCode, strings.TrimSpace(string(body)))))
	}
}
