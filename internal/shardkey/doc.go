// Package shardkey makes shard keys canonical: what a column can hold in several Go types is one key in all of them.
//
//   - Integers of every kind, and named types of them, are int64; only uint64 above the maximum of int64 stays uint64.
//   - Strings and named types of them are string. They are compared byte by byte, whatever the collation of the column: if
//     it takes several spellings for one value, the application must have one. A string that looks like a number or a UUID
//     stays a string.
//   - UUIDs, which are arrays of 16 bytes under any name, are [16]byte. So are structs with such an array and a field Valid
//     (uuid.NullUUID, pgtype.UUID). Their Value method, which makes text of them, is not asked.
//   - Byte slices and named types of them are []byte, a copy.
//   - time.Time is in UTC and without a monotonic clock reading. It keeps its nanoseconds: where the column keeps fewer
//     digits, the key is another one before the row is written than after it was read.
//   - Pointers are followed, and other implementations of driver.Valuer are asked: what they return is what the database sees.
//
// Missing are nil, pointers and byte slices that are nil, and what Value returns nil for: see [ErrMissing]. The zero of a
// type (0, "", no bytes, the year 1) is a key. Everything else (floats, booleans, structs, maps) is refused with [*TypeError]:
// none has one text that every database and language agrees on.
package shardkey
