package mysql

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func FuzzProve(f *testing.F) {
	prooftest.Fuzz(f, prooftest.Fuzzed{Analyzer: New(), Seeds: prooftest.Texts(proven), Each: readsAllTables})
}
