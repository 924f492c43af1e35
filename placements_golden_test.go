package tenancy_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// sealed are the beginnings of the files in testdata/placements, which are only ever appended to. Rows are where these lines
// say, in databases that nobody sees from here: a line that must change would lose them. What is appended is sealed by a
// further entry for the file. The lines come from another program, in Python.
var sealed = []struct {
	file   string
	lines  int
	sha256 string
}{
	{"by_date.txt", 685, "cb1a03e3932e0048c5fd41376dd18ba8f9288a05941a5ec934cde5442d02d195"},
	{"even_slots.txt", 19, "925beb05df0da5f043b2e0724386ff193110e4e962a97bc8889498dc3b819c4d"},
	{"hash_bytes.txt", 514, "d5560b9c08da35b7e0655aeddb6801669eefa872230ffd222ad8c7f370c40085"},
	{"hash_integers.txt", 1656, "1a0b14b82751394dadf07b4762b5dd3f44d6553d65dd1b8051d4c25ba153aa80"},
	{"hash_strings.txt", 1154, "521515bfc022359492a63f86ef7be9cca9609413a45b5576fd0f82040a2fbe28"},
	{"hash_times.txt", 685, "0312c359d5012650cfa6310ae4b64b6d774b8c0f8c9e050177986122aeb80348"},
	{"hash_uuids.txt", 605, "fdb740a0f4280e01dd2f73149c711486732cbbd76c22f08f5cbc51b91a5cfba3"},
}

func TestGoldenPlacementsAreOnlyEverAppendedTo(t *testing.T) {
	t.Parallel()
	lines, have := map[string]int{}, map[string]int{}
	for _, s := range sealed {
		text, err := os.ReadFile(filepath.Join("testdata", "placements", s.file))
		require.NoError(t, err)
		parts := bytes.SplitAfter(text, []byte("\n"))
		have[s.file] = len(parts) - 1 // behind the last line there is nothing
		require.GreaterOrEqual(t, have[s.file], s.lines, "%s is only ever appended to: lines are gone", s.file)
		sum := fmt.Sprintf("%x", sha256.Sum256(bytes.Join(parts[:s.lines], nil)))
		require.Equal(t, s.sha256, sum, "%s is only ever appended to: one of its first %d lines was changed", s.file, s.lines)
		lines[s.file] = max(lines[s.file], s.lines)
	}
	require.Equal(t, lines, have, "what was appended needs an entry in sealed")
	files, err := filepath.Glob(filepath.Join("testdata", "placements", "*.txt"))
	require.NoError(t, err)
	require.Len(t, files, len(lines), "a file without an entry in sealed, or an entry without a file")
}

// golden calls check with the fields of each line of a file.
func golden(t *testing.T, file string, check func(t *testing.T, fields []string)) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "placements", file))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := lines.Text(); !strings.HasPrefix(line, "#") {
			check(t, strings.Split(line, "\t"))
		}
	}
	require.NoError(t, lines.Err())
}

// TestGoldenHash: keys stay in their slots from version to version, and on every architecture.
func TestGoldenHash(t *testing.T) {
	t.Parallel()
	resolvers := []tenancy.ShardResolver{slotted(1024), slotted(1009)}
	for file, parse := range map[string]func(text string) (any, error){
		"hash_integers.txt": func(text string) (any, error) {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				return n, nil
			}
			return strconv.ParseUint(text, 10, 64)
		},
		"hash_strings.txt": func(text string) (any, error) { return strconv.Unquote(text) },
		"hash_uuids.txt":   func(text string) (any, error) { return uuid.Parse(text) },
		"hash_bytes.txt":   func(text string) (any, error) { return hex.DecodeString(strings.TrimPrefix(text, ":")) },
		"hash_times.txt":   func(text string) (any, error) { return time.Parse(time.RFC3339Nano, text) },
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			golden(t, file, func(t *testing.T, fields []string) {
				t.Helper()
				require.Len(t, fields, 3)
				key, err := parse(fields[0])
				require.NoError(t, err)
				for i, r := range resolvers {
					require.Equal(t, fields[i+1], resolve(t, r, key), "%s: rows of key %s are in this slot: it must not change", file, fields[0])
				}
			})
		})
	}
}

func TestGoldenEvenSlots(t *testing.T) {
	t.Parallel()
	golden(t, "even_slots.txt", func(t *testing.T, fields []string) {
		t.Helper()
		slots, err := strconv.Atoi(fields[0])
		require.NoError(t, err)
		n, err := strconv.Atoi(fields[1])
		require.NoError(t, err)
		at := make([]tenancy.Placement, n)
		for i := range at {
			at[i].Shard = strconv.Itoa(i)
		}
		var ends []string
		begin := 0
		for i, r := range tenancy.EvenSlots(slots, at...) {
			require.Equal(t, begin, r.From)
			require.Equal(t, at[i], r.At)
			ends = append(ends, strconv.Itoa(r.To))
			begin = r.To
		}
		require.Equal(t, fields[2], strings.Join(ends, " "), "%d slots and %d placements: these are where rows are", slots, n)
	})
}

func TestGoldenByDate(t *testing.T) {
	t.Parallel()
	var resolvers []tenancy.ShardResolver
	for unit := tenancy.Day; unit <= tenancy.Year; unit++ {
		resolvers = append(resolvers, tenancy.ByDate(unit, func(begin time.Time) tenancy.Placement {
			return tenancy.Placement{Shard: begin.Format(time.DateOnly)}
		}))
	}
	golden(t, "by_date.txt", func(t *testing.T, fields []string) {
		t.Helper()
		require.Len(t, fields, 6)
		key, err := time.Parse(time.RFC3339Nano, fields[0])
		require.NoError(t, err)
		for i, r := range resolvers {
			require.Equal(t, fields[i+1], resolve(t, r, key), "%s, unit %d", fields[0], i+1)
		}
	})
}
