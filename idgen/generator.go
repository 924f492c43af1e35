package idgen

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Config is what a [Generator] is made from.
type Config struct {
	// Layout of the IDs. Zero: [DefaultLayout].
	Layout Layout
	// MaxBackwards is how far the clock may be behind the newest ID: the generator then goes on from that ID's time.
	// Farther behind is [ErrClock]. Zero: a second, which bears a leap second.
	MaxBackwards time.Duration
	// Node is the number of this process. It must be given: there is no number to begin with.
	Node Node
}

// Generator makes 64-bit IDs. Each is greater than the one before, whatever their shards. It is safe for concurrent use; one
// is enough for a process, and two with the same [Node] make the same IDs.
type Generator struct {
	bits         bits
	node         Node
	number       int64
	maxBackwards int64 // in milliseconds
	now          func() time.Time

	mu       sync.Mutex
	ms       int64 // of the newest ID, since the Epoch
	sequence int64 // of the newest ID
}

// New returns a generator, or every fault of the configuration ([ErrInvalidConfig]). A clock outside the layout's range is
// [ErrTimeRange]. The generator's first ID is of a later millisecond than New, so it does not repeat those of a generator with
// the same [Node] that is used no more.
func New(cfg Config) (*Generator, error) {
	return newGenerator(cfg, time.Now)
}

// defaultMaxBackwards is what a clock goes back by in a leap second, where the system does not smear it.
const defaultMaxBackwards = time.Second

func newGenerator(cfg Config, now func() time.Time) (*Generator, error) {
	b, err := cfg.Layout.bits()
	errs := []error{err}
	g := &Generator{bits: b, node: cfg.Node, now: now}
	if cfg.MaxBackwards == 0 {
		cfg.MaxBackwards = defaultMaxBackwards
	}
	if cfg.MaxBackwards < 0 {
		errs = append(errs, fmt.Errorf("%w: Config.MaxBackwards is negative; a nanosecond bears no step back", ErrInvalidConfig))
	}
	g.maxBackwards = cfg.MaxBackwards.Milliseconds()
	if cfg.Node == nil {
		errs = append(errs, fmt.Errorf("%w: Config.Node is missing: give each process a number of its own, such as FixedNode(0)", ErrInvalidConfig))
	} else if g.number = int64(cfg.Node.Number()); err == nil && (g.number < 0 || g.number > b.maxNode) {
		errs = append(errs, fmt.Errorf("%w: Config.Node has number %d, the layout has room for 0 to %d", ErrInvalidConfig, g.number, b.maxNode))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	// The present millisecond counts as used up.
	g.ms, g.sequence = g.clock(now()), b.maxSequence
	if err := b.checkTime(g.ms); err != nil {
		return nil, fmt.Errorf("Layout.Epoch must be at least a day ago, and the clock right: %w", err)
	}
	return g, nil
}

// Next makes an ID for a row of a shard. It waits for the next millisecond if the sequence of this one is used up.
//
// A shard that the layout has no room for is [ErrInvalidShard]. A clock that went back too far, or is behind the span of the
// Node, is [ErrClock], a Node that is not held any more [ErrNodeNotHeld], and a clock beyond the layout [ErrTimeRange]. Each of
// these is reported again until its cause is gone.
func (g *Generator) Next(shard int) (int64, error) {
	if shard < 0 || int64(shard) > g.bits.maxShard {
		return 0, fmt.Errorf("%w: it is %d, the layout has room for 0 to %d", ErrInvalidShard, shard, g.bits.maxShard)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// While this call waits, others wait for the lock: they need the next millisecond too, and get it in the order they came.
	if err := g.advance(); err != nil {
		return 0, err
	}
	return g.bits.pack(g.ms, g.sequence, int64(shard), g.number), nil
}

// mostWaits bounds how long a clock may stand still, at most a millisecond each.
const mostWaits = 1000

// advance moves time and sequence to those of a new ID.
func (g *Generator) advance() error {
	for range mostWaits {
		now := g.now()
		clock := g.clock(now)
		from, until := g.node.Held()
		newest, sequence := g.ms, g.sequence
		if first := g.clock(from.Add(time.Millisecond - 1)); newest < first {
			newest, sequence = first-1, g.bits.maxSequence // what came before is another's
		}
		behind := newest - clock
		if behind > g.maxBackwards {
			return fmt.Errorf("%w: it is %s behind the newest ID or the span of Config.Node, and Config.MaxBackwards is %s; set it right, or make a generator with another Node",
				ErrClock, time.Duration(behind)*time.Millisecond, time.Duration(g.maxBackwards)*time.Millisecond)
		}
		ms := newest
		if behind < 0 {
			ms, sequence = clock, 0
		} else if sequence++; sequence > g.bits.maxSequence {
			ms, sequence = newest+1, 0
		}
		if ms > clock && (behind == 0 || ms-clock > g.maxBackwards) {
			time.Sleep(time.Millisecond - time.Duration(now.Nanosecond())%time.Millisecond)
			continue
		}
		if err := g.bits.checkTime(ms); err != nil {
			return err
		}
		if g.clock(until) <= ms {
			return fmt.Errorf("%w: it was until %s; the process must get it again in time, or get another and make a new generator", ErrNodeNotHeld, until.UTC().Format(time.RFC3339))
		}
		g.ms, g.sequence = ms, sequence
		return nil
	}
	return fmt.Errorf("%w: it stands still", ErrClock)
}

// clock returns a time in milliseconds since the Epoch.
func (g *Generator) clock(t time.Time) int64 {
	return t.UnixMilli() - g.bits.epoch
}
