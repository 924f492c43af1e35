package fanout_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/fanout"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlproof/mysql"
)

// weighedTypes are types of columns that are sorted by their weights.
var weighedTypes = map[string]string{
	"general":       "VARCHAR(40) COLLATE utf8mb4_general_ci",
	"general_nopad": "VARCHAR(40) COLLATE utf8mb4_general_nopad_ci",
	"unicode":       "LONGTEXT COLLATE utf8mb4_unicode_ci",
	"unicode_nopad": "VARCHAR(40) COLLATE utf8mb4_unicode_nopad_ci",
	"unicode_520":   "VARCHAR(40) COLLATE utf8mb4_unicode_520_ci",
	"nopad_520":     "VARCHAR(40) COLLATE utf8mb4_unicode_520_nopad_ci",
	"mb3":           "VARCHAR(40) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci",
	"fixed":         "CHAR(40) COLLATE utf8mb4_unicode_ci",
	"uca1400":       "VARCHAR(40) COLLATE utf8mb4_uca1400_ai_ci",
	"uca1400_nopad": "TEXT COLLATE utf8mb4_uca1400_nopad_ai_ci",
	"bytes":         "VARCHAR(40) COLLATE utf8mb4_bin",
}

// folded returns databases of MariaDB with text in many collations; the same text in all columns of a row.
func folded(t *testing.T, dice *rand.Rand, rows int) *oracle {
	t.Helper()
	o := (&oracle{dialect: sqltext.MySQL, planner: fanout.New(mysql.New())}).open(t, "mysql", 3, func(int) string { return testdb.MySQL(t) })
	create := "CREATE TABLE texts (id INTEGER PRIMARY KEY"
	for name, kind := range weighedTypes {
		create += ", " + name + " " + kind
	}
	create += ", listed ENUM('z', 'a', 'M') COLLATE utf8mb4_general_ci, swedish VARCHAR(40) CHARACTER SET latin1, levels VARCHAR(40) COLLATE utf8mb4_uca1400_as_cs)"
	for _, db := range append(slices.Clone(o.shards), o.whole) {
		_, err := db.ExecContext(t.Context(), create)
		require.NoError(t, err)
	}
	pieces := []string{"a", "A", "b", "Ä", "é", "e", "ß", "ss", " ", " ", "\t", "\x01", "z", "ø", "o", "中", "㌖", "!", "0"}
	for id := range rows {
		text := sql.NullString{Valid: id%9 > 0}
		for range dice.IntN(5) {
			text.String += pieces[dice.IntN(len(pieces))]
		}
		for _, db := range []*sql.DB{o.whole, o.shards[dice.IntN(len(o.shards))]} {
			for name := range weighedTypes {
				s := text
				if name != "mb3" && id%5 == 0 {
					s.String += "😀"
				}
				_, err := db.ExecContext(t.Context(), "INSERT INTO texts (id, "+name+") VALUES (?, ?) ON DUPLICATE KEY UPDATE "+name+" = VALUES("+name+")", id, s)
				require.NoError(t, err)
			}
		}
	}
	return o
}

// TestOrderOfFoldedText sorts text as MariaDB does in collations in which different texts are equal.
func TestOrderOfFoldedText(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	o := folded(t, rand.New(rand.NewPCG(seed, 1)), 150)
	for name := range weighedTypes {
		for _, shape := range []string{
			"SELECT id, C FROM texts ORDER BY C, id",
			"SELECT C, id FROM texts ORDER BY texts.C DESC, id DESC",
			"SELECT id FROM texts ORDER BY C, id DESC LIMIT 20 OFFSET 30",
			"SELECT * FROM texts ORDER BY C, id",
			"SELECT texts.* FROM texts WHERE C LIKE ? ORDER BY `texts`.`C`, id",
			"SELECT C AS shown, id FROM texts ORDER BY shown, id",
			"SELECT id FROM texts ORDER BY general, C DESC, bytes, id LIMIT 50",
		} {
			var args []any
			if strings.Contains(shape, "?") {
				args = []any{"%a%"}
			}
			query := strings.ReplaceAll(shape, "C", name)
			query = strings.NewReplacer("SELE"+name+"T", "SELECT", "DES"+name, "DESC").Replace(query)
			_, rows, err := o.alone(t.Context(), query, args)
			require.NoError(t, err, query)
			_, merged, err := o.merged(t.Context(), query, args)
			if assert.NoError(t, err, query) {
				assert.Equal(t, rows, merged, query)
			}
		}
	}
}

// TestFoldedTextThatIsRefused shows of what the weights are not taken.
func TestFoldedTextThatIsRefused(t *testing.T) {
	t.Parallel()
	o := folded(t, rand.New(rand.NewPCG(1, 1)), 5)
	for i, db := range o.shards {
		_, err := db.ExecContext(t.Context(), fmt.Sprintf("ALTER TABLE texts ADD here VARCHAR(9) COLLATE %s", []string{"utf8mb4_general_ci", "utf8mb4_unicode_ci"}[i%2]))
		require.NoError(t, err)
	}
	for _, db := range o.shards { // a value is compared, and so its type
		_, err := db.ExecContext(t.Context(), "UPDATE texts SET listed = 'a', swedish = 'a', levels = 'a', here = 'a'")
		require.NoError(t, err)
	}
	for _, key := range []string{"listed", "swedish", "levels", "here", "lower(general)", "CONCAT(general, 'x')", "general COLLATE utf8mb4_unicode_ci"} {
		_, _, err := o.merged(t.Context(), "SELECT id FROM texts ORDER BY "+key, nil)
		var unmergeable *fanout.Unmergeable
		assert.ErrorAs(t, err, &unmergeable, key)
	}
}
