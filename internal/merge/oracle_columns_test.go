package merge_test

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/gormtenancy/tenancy/internal/merge"
)

func pick[T any](dice *rand.Rand, of ...T) T { return of[dice.IntN(len(of))] }

func small(dice *rand.Rand) any { return dice.IntN(7) - 3 }

func integers(dice *rand.Rand) any { return dice.Int32N(2000) - 1000 }

func bigintegers(dice *rand.Rand) any {
	return pick[any](dice, dice.Int64N(1<<53)-1<<52, dice.Int64N(9), int64(1)<<53, int64(1)<<53+1)
}

func decimals(dice *rand.Rand) any {
	return fmt.Sprintf("%d.%04d", dice.IntN(20)-10, dice.IntN(3)*1250)
}

// quarters are floats whose sums are exact.
func quarters(dice *rand.Rand) any { return float64(dice.IntN(4000)-2000) / 4 }

// words have no spaces at their end.
func words(dice *rand.Rand) any {
	return strings.TrimRight(letters(dice), " ")
}

func letters(dice *rand.Rand) string {
	var b strings.Builder
	for range dice.IntN(5) {
		b.WriteString(pick(dice, "a", "B", "b", " ", "\t", "é", "ß", "𝄞", "\uffee", "_"))
	}
	return b.String()
}

func padded(dice *rand.Rand) any { return letters(dice) + pick(dice, "", " ", "  ") }

func moments(dice *rand.Rand) any {
	return time.Date(2020+dice.IntN(5), 6, 1+dice.IntN(3), dice.IntN(24), 0, 0, dice.IntN(3)*1000, time.UTC)
}

func uuids(dice *rand.Rand) any {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(dice.IntN(256))
	}
	b[0] = byte(dice.IntN(4))
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func bits(dice *rand.Rand) any {
	b := make([]byte, dice.IntN(3))
	for i := range b {
		b[i] = byte(dice.IntN(3) * 100)
	}
	return b
}

func postgresColumns() []oracleColumn {
	return []oracleColumn{
		{name: "g", typ: "smallint", value: small, key: true, sum: true},
		{name: "i", typ: "integer", value: integers, key: true, sum: true},
		{name: "l", typ: "bigint", value: bigintegers, key: true, sum: true},
		{name: "d", typ: "numeric(20,4)", value: decimals, key: true, sum: true},
		{name: "n", typ: "numeric", sum: true, value: func(dice *rand.Rand) any {
			if dice.IntN(100) == 0 {
				return pick(dice, "NaN", "Infinity", "-Infinity")
			}
			return pick(dice, fmt.Sprintf("%d", dice.Int64()), fmt.Sprintf("0.%0*d", 1+dice.IntN(30), dice.IntN(10)), "-7.10", fmt.Sprintf("%d%030d.5", dice.IntN(99), dice.Int64()))
		}},
		{name: "f", typ: "double precision", value: func(dice *rand.Rand) any {
			if dice.IntN(60) == 0 {
				return pick(dice, math.NaN(), math.Inf(1), math.Inf(-1))
			}
			return quarters(dice)
		}, key: true, sum: true},
		{name: "e", typ: "real", value: quarters, key: true},
		{name: "t", typ: `text COLLATE "C"`, collation: merge.CollationBinary, value: words, key: true},
		{name: "p", typ: `char(8) COLLATE "C"`, collation: merge.CollationBinary, value: padded, key: true},
		{name: "o", typ: "boolean", value: func(dice *rand.Rand) any { return dice.IntN(2) == 0 }, key: true, mixed: true},
		{name: "z", typ: "timestamptz", value: moments, key: true},
		{name: "w", typ: "timestamp", value: func(dice *rand.Rand) any {
			if dice.IntN(20) == 0 {
				return pick(dice, "infinity", "-infinity")
			}
			return moments(dice)
		}, key: true},
		{name: "c", typ: "time", value: func(dice *rand.Rand) any { return fmt.Sprintf("%02d:00:0%d.5", dice.IntN(24), dice.IntN(9)) }, key: true},
		{name: "u", typ: "uuid", value: uuids, key: true, mixed: true},
		{name: "y", typ: "bytea", value: bits, key: true, mixed: true},
	}
}

func mysqlColumns() []oracleColumn {
	return []oracleColumn{
		{name: "g", typ: "smallint", value: small, key: true, sum: true},
		{name: "i", typ: "integer", value: integers, key: true, sum: true},
		{name: "l", typ: "bigint unsigned", value: func(dice *rand.Rand) any {
			return pick[any](dice, uint64(math.MaxUint64), uint64(math.MaxInt64)+dice.Uint64N(3), dice.Uint64N(9))
		}, key: true, sum: true},
		{name: "d", typ: "decimal(20,4)", value: decimals, key: true, sum: true},
		{name: "n", typ: "decimal(30,5)", key: true, sum: true, value: func(dice *rand.Rand) any {
			return fmt.Sprintf("%d.%05d", dice.Int64(), dice.IntN(100000))
		}},
		{name: "f", typ: "double", value: quarters, key: true, sum: true},
		{name: "t", typ: "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", collation: merge.CollationBinary, value: words, key: true},
		{name: "p", typ: "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", collation: merge.CollationPadded, value: padded},
		{name: "o", typ: "tinyint(1)", value: func(dice *rand.Rand) any { return dice.IntN(2) }, key: true},
		{name: "z", typ: "datetime(6)", value: moments, key: true},
		{name: "w", typ: "date", value: moments, key: true},
		{name: "c", typ: "time(1)", value: func(dice *rand.Rand) any {
			return fmt.Sprintf("%s%d:00:0%d.5", pick(dice, "", "-"), dice.IntN(800), dice.IntN(9))
		}, key: true, mixed: true},
		{name: "y", typ: "varbinary(8)", value: bits, key: true, mixed: true},
	}
}

func sqliteColumns() []oracleColumn {
	return []oracleColumn{
		{name: "g", typ: "INTEGER", value: small, key: true, sum: true},
		{name: "i", typ: "INTEGER", value: integers, key: true, sum: true},
		{name: "l", typ: "INTEGER", value: bigintegers, key: true, sum: true},
		{name: "f", typ: "REAL", value: quarters, key: true, sum: true},
		{name: "t", typ: "TEXT", collation: merge.CollationBinary, value: words, key: true},
		{name: "p", typ: "TEXT", collation: merge.CollationBinary, value: padded, key: true},
		{name: "o", typ: "BOOLEAN", value: func(dice *rand.Rand) any { return dice.IntN(2) }, key: true},
		{name: "z", typ: "DATETIME", value: func(dice *rand.Rand) any {
			return time.Date(2020+dice.IntN(5), 6, 1+dice.IntN(3), dice.IntN(24), 0, 0, dice.IntN(3)*1000, time.UTC).Format("2006-01-02 15:04:05.999999999-07:00")
		}, collation: merge.CollationBinary, key: true, mixed: true},
		{name: "x", typ: "", collation: merge.CollationBinary, value: func(dice *rand.Rand) any {
			return pick[any](dice, bigintegers(dice), small(dice), float64(dice.IntN(9))+0.5, float64(1<<53)+2, words(dice), bits(dice), any(math.Inf(1)))
		}, key: true, mixed: true},
		{name: "y", typ: "BLOB", value: bits, key: true, mixed: true},
	}
}
