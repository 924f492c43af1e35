package idgen

import "fmt"

// Source makes the IDs of a table and reads the shard from them, whichever kind they are. [Generator] and [UUIDv7Generator]
// are Sources; their own methods have types in the place of any. Rules:
//
//  1. It is safe for concurrent use.
//  2. NextID returns an int64 or a [16]byte, never the same one twice, in this process or another.
//  3. ShardOf returns the shard that NextID was given, for IDs of any process and of any time. It looks at nothing but the ID.
//  4. ShardOf returns [ErrInvalidID] for what cannot be an ID, and repeats nothing of it.
type Source interface {
	NextID(shard int) (any, error)
	ShardOf(id any) (int, error)
}

var (
	_ Source = (*Generator)(nil)
	_ Source = (*UUIDv7Generator)(nil)
)

// NextID implements [Source]: it is [Generator.Next], and an int64.
func (g *Generator) NextID(shard int) (any, error) {
	id, err := g.Next(shard)
	if err != nil {
		return nil, err
	}
	return id, nil
}

// ShardOf implements [Source]: id is an int64, and the rest as with [Layout.Shard].
func (g *Generator) ShardOf(id any) (int, error) {
	n, ok := id.(int64)
	if !ok {
		return 0, fmt.Errorf("%w: it is of type %T, not int64", ErrInvalidID, id)
	}
	return g.bits.shard(n)
}

// NextID implements [Source]: it is [UUIDv7Generator.Next], and a [16]byte.
func (g *UUIDv7Generator) NextID(shard int) (any, error) {
	id, err := g.Next(shard)
	if err != nil {
		return nil, err
	}
	return id, nil
}

// ShardOf implements [Source]: id is a [16]byte or, for columns of text, its 36 characters, and the rest as with [ShardOfUUID].
func (g *UUIDv7Generator) ShardOf(id any) (int, error) {
	switch id := id.(type) {
	case [16]byte:
		return ShardOfUUID(id)
	case string:
		parsed, ok := parseUUID(id)
		if !ok {
			return 0, fmt.Errorf("%w: it is not the text of a UUID", ErrInvalidID)
		}
		return ShardOfUUID(parsed)
	}
	return 0, fmt.Errorf("%w: it is of type %T, neither [16]byte nor string", ErrInvalidID, id)
}
