package idgen

import "errors"

// The sentinels below are what errors.Is finds in the errors of this package.
var (
	// ErrInvalidConfig means that a [Config] or a [Layout] is wrong; [New] reports all faults at once.
	ErrInvalidConfig = errors.New("idgen: invalid configuration")
	// ErrInvalidShard means that a shard's number is negative, or too big for the bits that IDs have for it.
	ErrInvalidShard = errors.New("idgen: shard number out of range")
	// ErrInvalidID means that a value is no ID of this kind, so that it has no shard.
	ErrInvalidID = errors.New("idgen: not an ID of this kind")
	// ErrClock means that the clock went back by more than Config.MaxBackwards, or stands still. No ID is made until it is
	// right again, since it could be one that was made before.
	ErrClock = errors.New("idgen: the clock cannot be trusted")
	// ErrTimeRange means that IDs cannot hold a time.
	ErrTimeRange = errors.New("idgen: time out of range")
	// ErrNodeNotHeld means that the [Node] number is not, or no longer, the generator's alone. Get it again, or get another
	// one and make a new generator.
	ErrNodeNotHeld = errors.New("idgen: node number not held")
)
