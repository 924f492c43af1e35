package tenancy_test

import (
	"database/sql"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// slotted is a Hash that gives each slot a placement of its own, named after it.
func slotted(slots int) tenancy.ShardResolver {
	at := make([]tenancy.Placement, slots)
	for i := range at {
		at[i].Shard = strconv.Itoa(i)
	}
	return tenancy.Hash(slots, tenancy.EvenSlots(slots, at...)...)
}

func TestHash(t *testing.T) {
	t.Parallel()
	// printf %s 7 | sha256sum begins with 7902699be42c8a8e, which is 8719647946811673230 and, modulo 1000, 230.
	r, thousand := slotted(10), slotted(1000)
	seven := 7
	for _, key := range []any{7, int8(7), uint64(7), &seven, "7", tenancy.ID("7"), []byte("7"), sql.NullInt64{Int64: 7, Valid: true}} {
		require.Equal(t, "230", resolve(t, thousand, key), "%T", key)
	}
	id := uuid.MustParse("6BA7B810-9DAD-11D1-80B4-00C04FD430C8")
	require.Equal(t, resolve(t, r, id.String()), resolve(t, r, id), "a UUID is hashed as text")

	// A number of slots that is no power of two, and owners of several ranges in any order.
	at := places("a", "b")
	mixed := tenancy.Hash(10, tenancy.SlotRange{From: 7, To: 10, At: at[0]}, tenancy.SlotRange{From: 0, To: 2, At: at[0]}, tenancy.SlotRange{From: 2, To: 7, At: at[1]})
	for i := range 500 {
		slot, err := strconv.Atoi(resolve(t, r, i))
		require.NoError(t, err)
		require.Equal(t, slot >= 2 && slot < 7, resolve(t, mixed, i) == "b", i)
	}
	for range 5 {
		got, err := listed(t, mixed)
		require.NoError(t, err)
		require.Equal(t, at, got, "each once, in the order of the slots")
	}
}

// TestHashKeepsItsOwners: nothing that the caller changes later changes the resolver, and it changes nothing of the caller's.
func TestHashKeepsItsOwners(t *testing.T) {
	t.Parallel()
	owners := []tenancy.SlotRange{{From: 1, To: 2}, {From: 0, To: 1}}
	r := tenancy.Hash(2, owners...)
	require.Equal(t, 1, owners[0].From)
	owners[0].At.Shard, owners[1].At.Shard = "x", "x"
	require.Empty(t, resolve(t, r, 1))
}

// TestHashFillsSlotsEvenly: whatever pattern the keys have.
func TestHashFillsSlotsEvenly(t *testing.T) {
	t.Parallel()
	const slots, keys = 32, 32000
	for name, key := range map[string]func(i int) any{
		"one after another":      func(i int) any { return i },
		"multiples of the slots": func(i int) any { return i * slots },
		"negative":               func(i int) any { return -i },
		"strings":                func(i int) any { return fmt.Sprintf("tenant-%06d", i) },
		"UUIDs of one moment":    func(i int) any { return uuid.UUID{1, 2, 3, 4, 5, 6, 0x70, 14: byte(i >> 8), 15: byte(i)} },
		"months":                 func(i int) any { return time.Date(0, time.Month(i), 1, 0, 0, 0, 0, time.UTC) },
	} {
		r := slotted(slots)
		counts := map[string]int{}
		for i := range keys {
			counts[resolve(t, r, key(i))]++
		}
		require.Len(t, counts, slots, name)
		for slot, n := range counts {
			require.InDelta(t, keys/slots, n, 200, "%s, slot %s", name, slot) // more than six standard deviations
		}
	}
}

// TestGrowingMovesTheSlotsAlone: keys of the slots that are given to another owner move, and no others.
func TestGrowingMovesTheSlotsAlone(t *testing.T) {
	t.Parallel()
	const slots = 1024
	at := places("a", "b", "new")
	before := tenancy.EvenSlots(slots, at[:2]...)
	require.Equal(t, []tenancy.SlotRange{{From: 0, To: 512, At: at[0]}, {From: 512, To: 1024, At: at[1]}}, before)
	after := []tenancy.SlotRange{
		{From: 0, To: 300, At: at[0]},
		{From: 300, To: 400, At: at[2]},
		{From: 400, To: 512, At: at[0]},
		{From: 512, To: 900, At: at[1]},
		{From: 900, To: 1000, At: at[2]},
		{From: 1000, To: 1024, At: at[1]},
	}
	old, grown, slotOf := tenancy.Hash(slots, before...), tenancy.Hash(slots, after...), slotted(slots)
	var moved int
	for i := range 20000 {
		for _, key := range []any{i - 10000, fmt.Sprint("tenant-", i), uuid.UUID{1: byte(i >> 8), 15: byte(i)}} {
			slot, err := strconv.Atoi(resolve(t, slotOf, key))
			require.NoError(t, err)
			was, is := resolve(t, old, key), resolve(t, grown, key)
			if slot >= 300 && slot < 400 || slot >= 900 && slot < 1000 {
				require.Equal(t, "new", is, key)
				moved++
			} else {
				require.Equal(t, was, is, key)
			}
		}
	}
	require.InDelta(t, 60000*200/slots, moved, 500)
}

// TestHashInPostgres runs the SQL of Hash's documentation, as it stands there.
func TestHashInPostgres(t *testing.T) {
	t.Parallel()
	source, err := parser.ParseFile(token.NewFileSet(), "hash.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var function, text, moment string
	for _, declared := range source.Decls {
		if f, ok := declared.(*ast.FuncDecl); ok && f.Name.Name == "Hash" {
			for line := range strings.SplitSeq(f.Doc.Text(), "\n") {
				switch code, indented := strings.CutPrefix(line, "\t"); {
				case !indented:
				case strings.HasPrefix(code, "convert_to(to_char"):
					moment = code
				case strings.HasPrefix(code, "convert_to"):
					text = code
				default:
					function += code + "\n"
				}
			}
		}
	}
	require.NotEmpty(t, function)
	require.NotEmpty(t, text)
	require.NotEmpty(t, moment)
	db, err := sql.Open("pgx", testdb.Postgres(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Exec(function)
	require.NoError(t, err)

	at := time.Date(2024, 2, 29, 23, 59, 59, 999999000, time.FixedZone("", -5*3600))
	id := uuid.MustParse("6BA7B810-9DAD-11D1-80B4-00C04FD430C8")
	keys := map[string][]any{
		"bigint":      {int64(0), int64(-1), int64(7), int64(math.MinInt64), int64(math.MaxInt64)},
		"text":        {"", "7", "007", "acme ", `a\b"'`, "é日本🙂", id.String(), tenancy.ID("acme"), strings.Repeat("x", 1000)},
		"uuid":        {id, uuid.Nil, uuid.Max},
		"bytea":       {[]byte{}, []byte{0, 255}, []byte("7")},
		"timestamptz": {at, at.UTC(), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 1, 1, 0, 0, 0, 120000000, time.UTC)},
	}
	for i := range 200 {
		keys["bigint"] = append(keys["bigint"], int64(i)*math.MaxInt32)
		keys["uuid"] = append(keys["uuid"], uuid.New())
	}
	for _, zone := range []string{"UTC", "America/Los_Angeles"} {
		conn, err := db.Conn(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, conn.Close()) })
		_, err = conn.ExecContext(t.Context(), "SET TIME ZONE '"+zone+"'")
		require.NoError(t, err)
		for _, slots := range []int{1, 10, 1024, math.MaxInt32} {
			high := slots / 2
			owners := tenancy.EvenSlots(slots, places("low", "high")...)
			if slots == 1 {
				owners = owners[:1]
			} else {
				high = owners[1].From
			}
			r := tenancy.Hash(slots, owners...)
			fine := slots == 10 || slots == 1024
			var exact tenancy.ShardResolver
			if fine {
				exact = slotted(slots)
			}
			for kind, values := range keys {
				expression := map[string]string{"bytea": "k", "timestamptz": moment}[kind]
				if expression == "" {
					expression = text
				}
				for _, key := range values {
					var slot int
					arg := key
					if u, ok := key.(uuid.UUID); ok {
						arg = u.String()
					}
					query := fmt.Sprintf("SELECT slot_of(%s, %d) FROM (SELECT $1::%s AS k) AS keys", expression, slots, kind)
					require.NoError(t, conn.QueryRowContext(t.Context(), query, arg).Scan(&slot), query)
					want := "low"
					if slots > 1 && slot >= high {
						want = "high"
					}
					require.Equal(t, want, resolve(t, r, key), "%s %v, %d slots", kind, key, slots)
					if fine {
						require.Equal(t, strconv.Itoa(slot), resolve(t, exact, key), "%s %v, %d slots", kind, key, slots)
					}
				}
			}
		}
	}
}

// TestStrategiesAllocateNothing is about what each statement pays for.
func TestStrategiesAllocateNothing(t *testing.T) {
	hash := tenancy.Hash(1024, tenancy.EvenSlots(1024, places("a", "b", "c")...)...)
	for _, key := range []any{1 << 30, int64(1 << 40), "acme", tenancy.ID("acme"), uuid.Max, []byte("acme"), strings.Repeat("x", 63), time.Now()} {
		all := tenancy.Range(tenancy.Bound{To: key}, tenancy.Bound{From: key})
		for _, r := range []tenancy.ShardResolver{hash, all} {
			require.Zero(t, testing.AllocsPerRun(100, func() {
				if _, err := r.Resolve(t.Context(), key); err != nil {
					panic(err)
				}
			}), "%T of %T", r, key)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	shards := make([]string, 64)
	for i := range shards {
		shards[i] = strconv.Itoa(i)
	}
	r := tenancy.Hash(16384, tenancy.EvenSlots(16384, places(shards...)...)...)
	for name, key := range map[string]any{
		"integer": int64(1 << 40), "tenant": tenancy.ID("acme"), "UUID": [16]byte(uuid.Max), "google UUID": uuid.Max, "time": time.Now(),
	} {
		benchmarkResolver(b, name, r, key)
	}
}
