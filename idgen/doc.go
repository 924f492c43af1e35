// Package idgen makes IDs that carry the shard of their row, so that a row is found by its ID alone. There are two kinds:
//
//   - [Generator] makes positive 64-bit integers. They are small, grow with time and are unique as long as no two processes have
//     the same [Node] number at the same time.
//   - [UUIDv7Generator] makes UUIDs of version 7. They are twice as big, grow with time too, and need no numbers of nodes:
//     48 of their bits are random.
//
// Take UUIDs unless the size of keys matters, or integers are what the tables have.
//
// The shard in an ID is a number, and says nothing about where that shard is. So make more shards than there are databases,
// and say elsewhere which database has which: IDs stay when shards move. An ID is for ever: a row that goes to another
// shard needs another ID, and a [Layout] is never changed once it has made IDs.
//
// # Limits
//
//   - IDs are no secrets: they tell when and where their rows were made.
//   - Numbers and UUIDs from elsewhere cannot be told apart from IDs for certain. Decoding refuses the integers that counters make,
//     such as AUTO_INCREMENT (see [Layout]), and UUIDs that are not of version 7; of others it returns some shard.
//   - IDs of one generator grow; those of several are as well ordered as the clocks of their machines agree.
//   - JavaScript, and JSON read by it, has exact integers up to 2^53 - 1: send integers as strings, or use a [Layout] of at most
//     53 bits.
package idgen
