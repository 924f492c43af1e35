package idgen

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// MaxUUIDShard is the highest shard that UUIDs have room for.
const MaxUUIDShard = 1<<14 - 1

// ShardOfUUID returns the shard of a UUID of [UUIDv7Generator]. What is not a UUID of version 7 is [ErrInvalidID]. UUIDs of
// version 7 from elsewhere have chance bits where the shard is.
func ShardOfUUID(id [16]byte) (int, error) {
	if err := checkUUID(id); err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint16(id[8:]) & MaxUUIDShard), nil
}

// TimeOfUUID returns when a UUID was made, in UTC and whole milliseconds. What is not a UUID of version 7 is [ErrInvalidID].
func TimeOfUUID(id [16]byte) (time.Time, error) {
	if err := checkUUID(id); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:]) >> 16)).UTC(), nil
}

// FirstUUID returns the lowest UUID of version 7 in the millisecond of t, to select rows by the time of their IDs:
//
//	WHERE id BETWEEN FirstUUID(from) AND LastUUID(to)
//
// It needs a column that is ordered byte by byte: uuid of PostgreSQL, or binary. A time before 1970 or after 10889 is
// [ErrTimeRange].
func FirstUUID(t time.Time) ([16]byte, error) {
	ms, err := uuidTime(t)
	if err != nil {
		return [16]byte{}, err
	}
	return packUUID(ms, 0, 0), nil
}

// LastUUID returns the highest UUID of version 7 in the millisecond of t; see [FirstUUID].
func LastUUID(t time.Time) ([16]byte, error) {
	ms, err := uuidTime(t)
	if err != nil {
		return [16]byte{}, err
	}
	id := packUUID(ms, 1<<12-1, MaxUUIDShard)
	copy(id[10:], "\xff\xff\xff\xff\xff\xff")
	return id, nil
}

// packUUID returns a UUID whose last 6 bytes are left 0: time, version, fraction of the millisecond, variant, shard.
func packUUID(ms, fraction int64, shard int) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], uint64(ms)<<16|0x7000|uint64(fraction)) //nolint:gosec // G115: they have 48 and 12 bits
	binary.BigEndian.PutUint16(id[8:], uint16(0x8000|shard))                  //nolint:gosec // G115: it has 14 bits
	return id
}

func checkUUID(id [16]byte) error {
	if id[6]>>4 != 7 || id[8]>>6 != 0b10 {
		return fmt.Errorf("%w: it is not a UUID of version 7", ErrInvalidID)
	}
	return nil
}

// uuidTime returns t in the 48 bits of milliseconds that UUIDs have.
func uuidTime(t time.Time) (int64, error) {
	ms := t.UnixMilli()
	if ms < 0 || ms >= 1<<48 {
		return 0, fmt.Errorf("%w: UUIDs hold times from 1970 to 10889, not %d", ErrTimeRange, t.Year())
	}
	return ms, nil
}

// parseUUID reads the usual text of a UUID: 36 characters, of any case.
func parseUUID(text string) (id [16]byte, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return id, false
	}
	digits := text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:]
	_, err := hex.Decode(id[:], []byte(digits))
	return id, err == nil
}
