package pools

import (
	"database/sql"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseLSN(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint64{
		"0/0": 0, "0/1": 1, "16/B374D848": 0x16B374D848, "1/0": 1 << 32, "FFFFFFFF/FFFFFFFF": math.MaxUint64, "16/b374d848": 0x16B374D848,
	} {
		got, err := parseLSN(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "/", "1", "1/", "/1", "G/0", "0/G", "100000000/0", "0/100000000", "-1/0", "0/0/0"} {
		_, err := parseLSN(text)
		require.ErrorIs(t, err, errLSN, text)
	}
}

func TestReached(t *testing.T) {
	t.Parallel()
	var w wal
	_, ok := w.reached(math.MaxUint64)
	require.False(t, ok, "nothing is known")
	for _, s := range []sample{{100, 10}, {200, 10}, {300, 20}, {400, 30}} {
		w.add(s, 1000)
	}
	for lsn, want := range map[uint64]int64{10: 200, 19: 200, 20: 300, 29: 300, 30: 400, 31: 400, noStandby: 400} {
		at, ok := w.reached(lsn)
		require.True(t, ok)
		require.Equal(t, want, at, lsn)
	}
	_, ok = w.reached(9)
	require.False(t, ok, "further behind than is remembered")

	// Measurements that overtake each other.
	w.add(sample{350, 25}, 1000)
	at, _ := w.reached(25)
	require.Equal(t, int64(300), at)
	w.add(sample{390, 31}, 1000)
	at, _ = w.reached(31)
	require.Equal(t, int64(400), at, "no time without its position")

	// Another primary, whose log is shorter: what is known of the old one says nothing.
	w.add(sample{500, 5}, 1000)
	at, ok = w.reached(6)
	require.True(t, ok)
	require.Equal(t, int64(500), at)
	_, ok = w.reached(4)
	require.False(t, ok)
}

// What is remembered is bounded, reaches as far back as the bound, and never says more than is true.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, bound := range []int64{10, 1000, int64(time.Second), int64(time.Hour)} {
		var w wal
		history := []sample{{}}
		for i := range 5000 {
			last := history[len(history)-1]
			s := sample{at: last.at + 1 + rand.Int64N(bound/5), lsn: last.lsn + rand.Uint64N(3)}
			history = append(history, s)
			w.add(s, bound)
			require.LessOrEqual(t, len(w.samples), 2*samplesKept+2)
			if i < 1000 {
				continue
			}
			// A replica that lags by less than the bound, short of the distance between samples, is known to.
			lag := rand.Int64N(bound)
			k := len(history) - 1
			for s.at-history[k].at < lag {
				k--
			}
			at, ok := w.reached(history[k].lsn)
			if s.at-history[k].at < bound-bound/4 {
				require.True(t, ok)
				require.LessOrEqual(t, history[k].at-at, bound/4)
			}
			if ok { // never later than the last time at which the primary was there
				for j := k; j < len(history) && history[j].lsn <= history[k].lsn; j++ {
					k = j
				}
				require.LessOrEqual(t, at, history[k].at)
			}
		}
	}
}

func TestDelayOf(t *testing.T) {
	t.Parallel()
	valid := func(s string) sql.NullString { return sql.NullString{String: s, Valid: true} }
	for _, column := range []string{"Seconds_Behind_Source", "Seconds_Behind_Master"} {
		columns := []string{"x", column}
		behind, err := delayOf(columns, []sql.NullString{valid("9"), valid("7")})
		require.NoError(t, err)
		require.Equal(t, 7*time.Second, behind)
		_, err = delayOf(columns, []sql.NullString{valid("9"), {}})
		require.ErrorIs(t, err, errCutOff)
		_, err = delayOf(columns, []sql.NullString{valid("9"), valid("much")})
		require.Error(t, err)
	}
	_, err := delayOf([]string{"x"}, []sql.NullString{valid("0")})
	require.ErrorIs(t, err, errCutOff)
}
