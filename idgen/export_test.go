package idgen

import "time"

// NewWithClock is [New] with another clock than the system's.
func NewWithClock(cfg Config, now func() time.Time) (*Generator, error) {
	return newGenerator(cfg, now)
}

// UUIDv7WithClock is a generator with another clock than the system's.
func UUIDv7WithClock(now func() time.Time) *UUIDv7Generator {
	return &UUIDv7Generator{now: now}
}

// Encode is the inverse of [Layout.Decode].
func (l Layout) Encode(p Parts) (int64, error) {
	b, err := l.bits()
	if err != nil {
		return 0, err
	}
	return b.pack(p.Time.UnixMilli()-b.epoch, int64(p.Sequence), int64(p.Shard), int64(p.Node)), nil
}
