package sqlite

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func FuzzProve(f *testing.F) {
	prooftest.Fuzz(f, prooftest.Fuzzed{Analyzer: New(), Each: readsAllTables})
}
