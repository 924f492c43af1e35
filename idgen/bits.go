package idgen

import (
	"fmt"
	"time"
)

// bits are the shifts and the greatest values of a [Layout]. Times are in milliseconds since its Epoch.
type bits struct {
	epoch                                   int64 // in milliseconds since 1970
	maxTime, maxSequence, maxShard, maxNode int64
	timeShift, sequenceShift, shardShift    int
}

// minTime is the first time in IDs: see [Layout].
const minTime = int64(24 * time.Hour / time.Millisecond)

func (b *bits) pack(ms, sequence, shard, node int64) int64 {
	return ms<<b.timeShift | sequence<<b.sequenceShift | shard<<b.shardShift | node
}

func (b *bits) unpack(id int64) Parts {
	return Parts{
		Time:     b.time(id >> b.timeShift),
		Shard:    int(id >> b.shardShift & b.maxShard),
		Node:     int(id & b.maxNode),
		Sequence: int(id >> b.sequenceShift & b.maxSequence),
	}
}

// shard returns the shard of an ID.
func (b *bits) shard(id int64) (int, error) {
	if err := b.check(id); err != nil {
		return 0, err
	}
	return b.unpack(id).Shard, nil
}

func (b *bits) time(ms int64) time.Time {
	return time.UnixMilli(b.epoch + ms).UTC()
}

// check reports why a number is no ID, without repeating it.
func (b *bits) check(id int64) error {
	switch ms := id >> b.timeShift; {
	case ms < minTime: // negative numbers among them
		return fmt.Errorf("%w: it is too small, as the numbers of AUTO_INCREMENT and sequences are", ErrInvalidID)
	case ms > b.maxTime:
		return fmt.Errorf("%w: it has more bits than the layout", ErrInvalidID)
	}
	return nil
}

// checkTime reports whether IDs can hold a time.
func (b *bits) checkTime(ms int64) error {
	if ms >= minTime && ms <= b.maxTime {
		return nil
	}
	return fmt.Errorf("%w: the layout holds times from %s to %s, not %s", ErrTimeRange,
		b.time(minTime).Format(time.RFC3339), b.time(b.maxTime).Format(time.RFC3339), b.time(ms).Format(time.RFC3339))
}
