package prooftest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// Placed checks [sqlproof.Analyzer.Placed]. The second text of each of same is the first at a place, and those of others are
// not.
func Placed(t *testing.T, analyzer sqlproof.Analyzer, schema, suffix string, same, others []Case) {
	t.Helper()
	for i, c := range slices.Concat(same, others) {
		before, err := analyzer.Analyze(c[0])
		require.NoError(t, err, c[0])
		now, err := analyzer.Analyze(c[1])
		require.NoError(t, err, c[1])
		assert.Equal(t, i < len(same), analyzer.Placed(before, now, schema, suffix), "%s\n%s", c[0], c[1])
	}
}
