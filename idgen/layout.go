package idgen

import (
	"errors"
	"fmt"
	"time"
)

// Layout says which bits of a 64-bit ID mean what. From the highest to the lowest they are
//
//	0 | time | sequence | shard | node
//
// The sign bit is 0. Bits that the four fields leave over are 0 too and come before the time. The sequence comes before the
// shard so that the IDs of a generator grow whatever shards they are for.
//
// IDs of the first day after the Epoch are neither made nor decoded: those are the numbers, up to 3.6e14 in the default layout,
// that AUTO_INCREMENT and sequences make.
//
// The zero Layout is [DefaultLayout]. A layout is never changed once it has made IDs, or they are decoded wrongly.
type Layout struct {
	// Epoch is the time 0, in whole milliseconds, at least a day ago.
	Epoch time.Time
	// TimeBits count the milliseconds since the Epoch: 41 last for 69 years. They are 32 to 62.
	TimeBits int
	// ShardBits number the shards: 10 are for 1,024.
	ShardBits int
	// NodeBits number the processes that make IDs at the same time: 6 are for 64. Zero: there is one.
	NodeBits int
	// SequenceBits number the IDs that a process makes in a millisecond: 6 are for 64, which is 64,000 in a second. Zero:
	// there is one.
	SequenceBits int
}

// DefaultLayout has 41 bits of time since 2025 (until September 2094), 10 of shard, 6 of node and 6 of sequence. In SQL, the
// shard is (id >> 6) & 1023.
//
// Others divide their bits so:
//
//	           time  sequence  shard  node
//	this         41         6     10     6
//	Snowflake    41        12      -    10
//	Instagram    41        10     13     -  the sequence is the database's of the shard
//	Pinterest     -        36     16     -  and 10 for the type of object
//
// Snowflake has no shard. Instagram and Pinterest have no node, since the database of a shard makes its IDs; here the process
// does, before a statement is sent, and many at once. When shards or nodes run out, a new layout is needed, and when a sequence
// runs out, a millisecond; so the sequence has what the others leave.
func DefaultLayout() Layout {
	return Layout{
		Epoch:        time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC),
		TimeBits:     41,
		ShardBits:    10,
		NodeBits:     6,
		SequenceBits: 6,
	}
}

// Parts are what an ID is made of.
type Parts struct {
	Time     time.Time // when the ID was made, in UTC and whole milliseconds
	Shard    int
	Node     int
	Sequence int // of the IDs that the node made in this millisecond, from 0
}

// Decode takes an ID apart. A number that the layout cannot have made is [ErrInvalidID].
func (l Layout) Decode(id int64) (Parts, error) {
	b, err := l.bits()
	if err != nil {
		return Parts{}, err
	}
	if err := b.check(id); err != nil {
		return Parts{}, err
	}
	return b.unpack(id), nil
}

// Shard returns the shard of an ID. A number that the layout cannot have made is [ErrInvalidID].
func (l Layout) Shard(id int64) (int, error) {
	b, err := l.bits()
	if err != nil {
		return 0, err
	}
	return b.shard(id)
}

// First returns the lowest ID that can be made in the millisecond of t, to select rows by the time of their IDs:
//
//	WHERE id BETWEEN First(from) AND Last(to)
//
// A time that IDs cannot hold is [ErrTimeRange]. The clocks of machines differ, and a generator can be ahead of its clock by
// Config.MaxBackwards: widen the range by what that may be.
func (l Layout) First(t time.Time) (int64, error) {
	b, err := l.bits()
	if err != nil {
		return 0, err
	}
	ms := t.UnixMilli() - b.epoch
	if err := b.checkTime(ms); err != nil {
		return 0, err
	}
	return b.pack(ms, 0, 0, 0), nil
}

// Last returns the highest ID that can be made in the millisecond of t; see [Layout.First].
func (l Layout) Last(t time.Time) (int64, error) {
	b, err := l.bits()
	if err != nil {
		return 0, err
	}
	ms := t.UnixMilli() - b.epoch
	if err := b.checkTime(ms); err != nil {
		return 0, err
	}
	return b.pack(ms, b.maxSequence, b.maxShard, b.maxNode), nil
}

// bits returns the layout's shifts and masks, or every fault that it has.
func (l Layout) bits() (bits, error) {
	if l.isZero() {
		l = DefaultLayout()
	}
	if err := l.validate(); err != nil {
		return bits{}, err
	}
	return bits{
		epoch:         l.Epoch.UnixMilli(),
		maxTime:       1<<l.TimeBits - 1,
		maxSequence:   1<<l.SequenceBits - 1,
		maxShard:      1<<l.ShardBits - 1,
		maxNode:       1<<l.NodeBits - 1,
		shardShift:    l.NodeBits,
		sequenceShift: l.NodeBits + l.ShardBits,
		timeShift:     l.NodeBits + l.ShardBits + l.SequenceBits,
	}, nil
}

func (l Layout) isZero() bool {
	return l.Epoch.IsZero() && l.TimeBits == 0 && l.ShardBits == 0 && l.NodeBits == 0 && l.SequenceBits == 0
}

// lastEpoch keeps milliseconds since the Epoch and since 1970 within an int64, whatever TimeBits are.
const lastEpoch = 9999

func (l Layout) validate() error {
	var errs []error
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: Layout."+format, append([]any{ErrInvalidConfig}, args...)...))
	}
	switch {
	case l.Epoch.IsZero():
		fault("Epoch is missing: say from when on time is counted")
	case l.Epoch.UnixMilli() < 0 || l.Epoch.Year() > lastEpoch:
		fault("Epoch must be between 1970 and %d", lastEpoch)
	case l.Epoch.Nanosecond()%int(time.Millisecond) != 0:
		fault("Epoch must have whole milliseconds")
	}
	if l.TimeBits < 32 || l.TimeBits > 62 {
		fault("TimeBits must be 32 to 62, not %d", l.TimeBits)
	}
	if l.ShardBits < 1 || l.ShardBits > 31 {
		fault("ShardBits must be 1 to 31, not %d", l.ShardBits)
	}
	if l.NodeBits < 0 || l.NodeBits > 31 {
		fault("NodeBits must be 0 to 31, not %d", l.NodeBits)
	}
	if l.SequenceBits < 0 || l.SequenceBits > 31 {
		fault("SequenceBits must be 0 to 31, not %d", l.SequenceBits)
	}
	if sum := l.TimeBits + l.ShardBits + l.NodeBits + l.SequenceBits; len(errs) == 0 && sum > 63 {
		fault("TimeBits, ShardBits, NodeBits and SequenceBits are %d together, and an ID has 63", sum)
	}
	return errors.Join(errs...)
}
