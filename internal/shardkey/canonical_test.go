package shardkey_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

type (
	level  int8
	serial uint64
	name   string
	digest []byte
	octet  byte
	octets [16]octet
)

// code is an integer that the database sees as a string.
type code int

func (c code) Value() (driver.Value, error) { return "c" + strings.Repeat("+", int(c)), nil }

// boxed has its Value method on the pointer.
type boxed struct{ inner any }

func (b *boxed) Value() (driver.Value, error) { return b.inner, nil }

// failing shows its secret in the error of its Value method.
type failing struct{ err error }

func (f failing) Value() (driver.Value, error) { return nil, f.err }

// endless returns itself.
type endless struct{}

func (e endless) Value() (driver.Value, error) { return e, nil }

// flagged looks like a UUID that can be NULL, but no driver takes it.
type flagged struct {
	ID    [16]byte
	Valid bool
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	id := uuid.MustParse("6BA7B810-9dad-11d1-80b4-00c04fd430c8")
	array := [16]byte(id)
	var named octets
	for i, b := range id {
		named[i] = octet(b)
	}
	at := time.Date(2024, 2, 29, 1, 30, 0, 123456789, time.FixedZone("", -5*3600))
	utc := time.Date(2024, 2, 29, 6, 30, 0, 123456789, time.UTC)
	now := time.Now() // with a monotonic clock reading
	seven := 7
	pointer := &seven
	inInterface := any(7)
	for _, c := range []struct {
		name    string
		in, out any
	}{
		{"int", 7, int64(7)},
		{"int8", int8(-7), int64(-7)},
		{"int16", int16(7), int64(7)},
		{"int32", int32(7), int64(7)},
		{"int64", int64(math.MinInt64), int64(math.MinInt64)},
		{"uint", uint(7), int64(7)},
		{"uint8", uint8(7), int64(7)},
		{"uint16", uint16(7), int64(7)},
		{"uint32", uint32(math.MaxUint32), int64(math.MaxUint32)},
		{"uint64", uint64(math.MaxInt64), int64(math.MaxInt64)},
		{"large uint64", uint64(math.MaxInt64 + 1), uint64(math.MaxInt64 + 1)},
		{"named integer", level(-1), int64(-1)},
		{"large named integer", serial(math.MaxUint64), uint64(math.MaxUint64)},
		{"duration", time.Second, int64(time.Second)},
		{"string", "a\x00é\xff", "a\x00é\xff"},
		{"empty string", "", ""},
		{"named string", name("7"), "7"},
		{"a string that looks like a UUID", id.String(), id.String()},
		{"[16]byte", array, array},
		{"UUID", id, array},
		{"named bytes", named, array},
		{"nullable UUID", uuid.NullUUID{UUID: id, Valid: true}, array},
		{"UUID of pgx", pgtype.UUID{Bytes: id, Valid: true}, array},
		{"sql.Null of a UUID", sql.Null[uuid.UUID]{V: id, Valid: true}, array},
		{"pointer to a UUID", &id, array},
		{"bytes", []byte{1, 0}, []byte{1, 0}},
		{"no bytes", []byte{}, []byte{}},
		{"16 bytes", array[:], array[:]},
		{"named slice", digest{1}, []byte{1}},
		{"raw bytes", sql.RawBytes{1}, []byte{1}},
		{"time", at, utc},
		{"time with monotonic clock", now, now.Round(0).UTC()},
		{"zero time", time.Time{}, time.Time{}},
		{"sql.NullTime", sql.NullTime{Time: at, Valid: true}, utc},
		{"pointer", pointer, int64(7)},
		{"pointer to pointer", &pointer, int64(7)},
		{"pointer to interface", &inInterface, int64(7)},
		{"sql.NullInt64", sql.NullInt64{Int64: 7, Valid: true}, int64(7)},
		{"pgtype.Text", pgtype.Text{String: "x", Valid: true}, "x"},
		{"integer with a Value method", code(2), "c++"},
		{"pointer to it", new(code(2)), "c++"},
		{"Value method on the pointer", &boxed{name("x")}, "x"},
		{"Value that returns a pointer", &boxed{&boxed{pointer}}, int64(7)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := shardkey.Canonical(c.in)
			require.NoError(t, err)
			require.Equal(t, c.out, got)
			require.IsType(t, c.out, got)
			again, err := shardkey.Canonical(got)
			require.NoError(t, err)
			require.Equal(t, got, again)
			if _, slice := c.out.([]byte); !slice {
				require.True(t, c.out == got, "it is the same key of a map")
			}
		})
	}
}

func TestNoKey(t *testing.T) {
	t.Parallel()
	var none **int
	var noInterface any
	for _, v := range []any{
		nil, (*int)(nil), none, new(*int), &noInterface, []byte(nil), digest(nil), (*time.Time)(nil), (*uuid.UUID)(nil), (*boxed)(nil),
		&boxed{nil}, &boxed{(*int)(nil)},
		sql.NullString{},
		sql.NullInt64{},
		uuid.NullUUID{},
		pgtype.UUID{},
		sql.Null[uuid.UUID]{},
	} {
		got, err := shardkey.Canonical(v)
		require.ErrorIs(t, err, shardkey.ErrMissing, "%T", v)
		require.Nil(t, got)
	}
	for _, v := range []any{
		1.5, float32(1), true, 1i,
		struct{}{},
		struct{ time.Time }{},
		map[string]int{},
		[]int{1},
		[]string{"secret"},
		[15]byte{},
		[17]byte{},
		[16]int8{},
		func() {}, make(chan int),
		flagged{Valid: true},
		boxed{1},
		&boxed{1.5},
		sql.NullBool{Bool: true, Valid: true},
		endless{},
		errors.New("secret"),
	} {
		got, err := shardkey.Canonical(v)
		var wrong *shardkey.TypeError
		require.ErrorAs(t, err, &wrong, "%T", v)
		require.NotContains(t, err.Error(), "secret")
		require.Nil(t, got)
	}

	secret := errors.New("secret")
	_, err := shardkey.Canonical(&failing{secret})
	var failed *shardkey.ValueError
	require.ErrorAs(t, err, &failed)
	require.ErrorIs(t, err, secret)
	require.NotContains(t, err.Error(), "secret")
	require.ErrorContains(t, err, "shardkey_test.failing")
}

func TestBytesAreCopied(t *testing.T) {
	t.Parallel()
	for _, given := range []any{[]byte("abc"), digest("abc"), new([]byte("abc")), &boxed{[]byte("abc")}} {
		before, err := shardkey.Canonical(given)
		require.NoError(t, err)
		k, err := shardkey.Of(given)
		require.NoError(t, err)
		copied, ok := before.([]byte)
		require.True(t, ok)
		copied[0] = 'x'
		require.Equal(t, "abc", string(k.Append(nil)), "%T", given)
	}
}

// FuzzCanonical: a value is one key in each of its Go types, the key is its own canonical form, and its text and order are
// those of the value.
func FuzzCanonical(f *testing.F) {
	f.Add(int64(0), uint64(0), "", []byte{}, int64(0), int64(0))
	f.Add(int64(math.MinInt64), uint64(math.MaxUint64), "6ba7b810-9dad-11d1-80b4-00c04fd430c8", []byte("0123456789abcdef"), int64(-62135596800), int64(999999999))
	f.Add(int64(-1), uint64(math.MaxInt64), "\xff\x00é", []byte("0123456789abcdef0"), int64(253402300799), int64(1))
	f.Fuzz(func(t *testing.T, i int64, u uint64, s string, b []byte, sec, nsec int64) {
		if b == nil {
			b = []byte{}
		}
		at := time.Unix(sec%1e12, nsec).In(time.FixedZone("", int(sec%86400)))
		same := [][]any{
			{i, &i, &boxed{i}, sql.NullInt64{Int64: i, Valid: true}},
			{u, &u, serial(u), &boxed{u}},
			{s, &s, name(s), new(name(s)), sql.NullString{String: s, Valid: true}},
			{b, &b, digest(b), &boxed{digest(b)}},
			{at, &at, at.UTC(), sql.NullTime{Time: at, Valid: true}},
		}
		if u <= math.MaxInt64 {
			same[1] = append(same[1], int64(u))
		}
		if i == int64(int16(i)) {
			same[0] = append(same[0], int16(i), int(i))
		}
		if len(b) == 16 {
			id := [16]byte(b)
			same = append(same, []any{id, &id, uuid.UUID(id), &boxed{uuid.UUID(id)}, pgtype.UUID{Bytes: id, Valid: true}})
		}
		for _, values := range same {
			want, err := shardkey.Canonical(values[0])
			require.NoError(t, err)
			first, err := shardkey.Of(want)
			require.NoError(t, err)
			for _, v := range values {
				got, err := shardkey.Canonical(v)
				require.NoError(t, err)
				require.Equal(t, want, got)
				k, err := shardkey.Of(v)
				require.NoError(t, err)
				require.Zero(t, k.Compare(&first))
				require.Equal(t, first.Append(nil), k.Append(nil))
			}
		}
		more, err := shardkey.Of(append(bytes.Clone(b), 0))
		require.NoError(t, err)
		less, err := shardkey.Of(b)
		require.NoError(t, err)
		require.Equal(t, 1, more.Compare(&less))
		require.Equal(t, -1, less.Compare(&more))
	})
}
