package tenancy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadmeCodeIsCompiled holds README's Go blocks to code that is compiled and run: each block stands in example_test.go, in
// readme_catalog_test.go, readme_sharding_test.go, or where it needs a server in readme_servers_test.go, but for its indentation.
func TestReadmeCodeIsCompiled(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	code := ""
	for _, path := range []string{"example_test.go", "readme_catalog_test.go", "readme_servers_test.go", "readme_sharding_test.go"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		code += unindent(string(text))
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.GreaterOrEqual(t, len(blocks), 5)
	for _, block := range blocks {
		require.Contains(t, code, unindent(block[1]), "this block of README.md is in none of the files")
	}
}

func unindent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}
