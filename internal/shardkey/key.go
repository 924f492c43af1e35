package shardkey

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"strconv"
	"time"
)

// Kind is what a key is. Keys of two kinds have no order.
type Kind uint8

// The kinds of keys. Zero is none of them.
const (
	Integer Kind = iota + 1
	String
	UUID
	Bytes
	Time
)

// String implements [fmt.Stringer].
func (k Kind) String() string {
	switch k {
	case Integer:
		return "integer"
	case String:
		return "string"
	case UUID:
		return "UUID"
	case Bytes:
		return "bytes"
	case Time:
		return "time"
	default:
		return "none"
	}
}

// Key is a canonical key, in a form that is made and compared without an allocation. The key of a byte slice shares its
// bytes.
type Key struct {
	kind   Kind
	large  bool   // an integer above the maximum of int64
	number uint64 // the bits of an integer
	text   string
	bytes  []byte
	uuid   [16]byte
	time   time.Time
}

// Kind returns what the key is.
func (k *Key) Kind() Kind { return k.kind }

// Value returns the key as int64, uint64, string, [16]byte, []byte (a copy) or time.Time.
func (k *Key) Value() any {
	switch k.kind {
	case Integer:
		if k.large {
			return k.number
		}
		return k.signed()
	case String:
		return k.text
	case UUID:
		return k.uuid
	case Bytes:
		return append([]byte{}, k.bytes...) // not nil, which would be no key
	case Time:
		return k.time
	default:
		return nil
	}
}

// Compare orders two keys of one kind: integers by their value, times by their instant, all others byte by byte.
func (k *Key) Compare(other *Key) int {
	switch k.kind {
	case Integer:
		if k.large || other.large {
			return compareLarge(k, other)
		}
		return cmp.Compare(k.signed(), other.signed())
	case UUID:
		return bytes.Compare(k.uuid[:], other.uuid[:])
	case Bytes:
		return bytes.Compare(k.bytes, other.bytes)
	case Time:
		return k.time.Compare(other.time)
	default:
		return cmp.Compare(k.text, other.text)
	}
}

// Append appends the key as text: an integer in decimal, a UUID in lower case with dashes, a time in UTC as RFC 3339 with
// nine digits of its second; strings and bytes as they are. Keys of different kinds can have one text.
func (k *Key) Append(b []byte) []byte {
	switch k.kind {
	case Integer:
		if k.large {
			return strconv.AppendUint(b, k.number, 10)
		}
		return strconv.AppendInt(b, k.signed(), 10)
	case UUID:
		text := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
		hex.Encode(text[0:], k.uuid[0:4])
		hex.Encode(text[9:], k.uuid[4:6])
		hex.Encode(text[14:], k.uuid[6:8])
		hex.Encode(text[19:], k.uuid[8:10])
		hex.Encode(text[24:], k.uuid[10:])
		return append(b, text[:]...)
	case Bytes:
		return append(b, k.bytes...)
	case Time:
		b = k.time.AppendFormat(b, time.RFC3339) // it is quicker than a layout with nanoseconds
		b = append(b[:len(b)-1], '.')            // instead of the Z
		for unit := 100_000_000; unit > 0; unit /= 10 {
			b = append(b, '0'+byte(k.time.Nanosecond()/unit%10)) //nolint:gosec // it is a digit
		}
		return append(b, 'Z')
	default:
		return append(b, k.text...)
	}
}

func (k *Key) signed() int64 {
	return int64(k.number) //nolint:gosec // the bits are those of an int64
}

// compareLarge orders two integers, of which at least one is above the maximum of int64.
func compareLarge(a, b *Key) int {
	switch {
	case !b.large:
		return 1
	case !a.large:
		return -1
	default:
		return cmp.Compare(a.number, b.number)
	}
}
