package tenancy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCitations fails when a comment cites another version of a project than go.mod requires: then what it says of that
// project has to be read again.
func TestCitations(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	cited := map[string]string{"gorm": "gorm.io/gorm", "dbresolver": "gorm.io/plugin/dbresolver", "pgx": "github.com/jackc/pgx/v5", "modernc.org/sqlite": "modernc.org/sqlite"}
	citation := regexp.MustCompile(`\b(gorm|dbresolver|pgx|modernc\.org/sqlite) (v\d+\.\d+\.\d+)`)
	found := 0
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, c := range citation.FindAllStringSubmatch(string(text), -1) {
			found++
			require.Contains(t, string(mod), cited[c[1]]+" "+c[2], "%s cites %s", path, c[0])
		}
		return err
	})
	require.NoError(t, err)
	require.Greater(t, found, 20)
}
