package mysql

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func TestCorpusAtPlaces(t *testing.T) {
	t.Parallel()
	prooftest.GoldenPlaces(t, New(), tables(), *update, func(sql string) { readsAllTables(t, sql) })
}
