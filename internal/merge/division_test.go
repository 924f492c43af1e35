package merge_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// TestDivision lets the databases divide random sums by random counts: averages have the same digits.
func TestDivision(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	for _, o := range []*oracle{openPostgres(t), openMariaDB(t)} {
		dice := rand.New(rand.NewPCG(seed, 2))
		for range 300 {
			scale := dice.IntN(16)
			values := make([]string, 1+dice.IntN(40))
			number := "numeric"
			if o.engine == dialect.MySQL {
				number = fmt.Sprintf("decimal(50,%d)", scale)
			}
			for i := range values {
				values[i] = "SELECT CAST(" + randomNumber(dice, scale) + " AS " + number + ") AS v"
			}
			from := " FROM (" + strings.Join(values, " UNION ALL ") + ") AS q"
			want, wantTypes := read(t, o.whole, "SELECT AVG(v) AS a"+from)
			d := merge.Description{Engine: o.engine, Groups: &merge.Groups{
				Results: []merge.Result{{Name: "a", Func: merge.Avg, Column: 0, Count: 1}},
			}}
			got, gotTypes := readMerged(t, d, merge.Options{}, o.sources("SELECT SUM(v), COUNT(v)" + from)[0])
			require.Equal(t, want, got, "seed %d %s", seed, from)
			require.Equal(t, wantTypes, gotTypes)
		}
	}
}

// randomNumber has digits in all lengths.
func randomNumber(dice *rand.Rand, scale int) string {
	s := pick(dice, "", "-") + fmt.Sprint(dice.Uint64()>>dice.IntN(64))
	if scale == 0 {
		return s
	}
	zeros := dice.IntN(scale)
	fraction := strings.Repeat("0", zeros) + fmt.Sprint(dice.Uint64())
	return pick(dice, s, "0") + "." + (fraction + strings.Repeat("0", scale))[:scale]
}
