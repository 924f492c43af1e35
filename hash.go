package tenancy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strconv"
)

// SlotRange are the slots of a [Hash] from From, which belongs to it, to To, which does not, and where their keys are.
type SlotRange struct {
	From, To int
	At       Placement
}

// EvenSlots divides slots among placements, in the order in which they are given: each gets a range, and none has more than
// one slot more than another. It is for the first layout. To grow, change the ranges: another number of placements would move
// most of the slots.
func EvenSlots(slots int, at ...Placement) []SlotRange {
	ranges := make([]SlotRange, len(at))
	next := 0
	for i, p := range at {
		size := slots / len(at)
		if i < slots%len(at) {
			size++
		}
		ranges[i] = SlotRange{From: next, To: next + size, At: p}
		next += size
	}
	return ranges
}

// Hash resolves keys by the hash of their text: each belongs to one of the slots, and each slot to one of the owners. The number
// of slots is chosen once, much larger than there will ever be placements, such as 1024 or 16384: another number puts most keys elsewhere.
// Growing gives some slots to another owner, and moves their keys and no others.
//
// Slots without an owner or with two, and ranges that are empty or outside of 0 to slots, are [ErrInvalidConfig], from db.Use and
// for every key. Hash is a [PlacementLister], and a [ShardNumberer] by its slots.
//
// The slot is the first eight bytes of the SHA-256 of the key's text as an unsigned integer, the first byte being the
// highest, modulo slots. The text of an integer is decimal, of a UUID lower-case with dashes, of a time RFC 3339 in UTC with nine
// digits of its second ("2024-02-29T23:00:00.000000000Z"); strings, an [ID] among them, and bytes are as they are. So 7 and "7" are in
// one slot, and any language can compute it. In PostgreSQL, from version 11 on:
//
//	CREATE FUNCTION slot_of(key bytea, slots bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$
//		SELECT mod(('x' || substr(h, 1, 8))::bit(32)::bigint::numeric * 4294967296
//			+ ('x' || substr(h, 9, 8))::bit(32)::bigint, slots)::bigint
//		FROM encode(sha256(key), 'hex') AS h
//	$$
//
// A bytea is its key as it is. For integers (not numeric), text (not character) and uuid, and for timestamptz, the key is
//
//	convert_to(k::text, 'UTF8')
//	convert_to(to_char(k AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"000Z"'), 'UTF8')
//
// SHA-256 fills the slots evenly whatever pattern the keys have, where a sum or a remainder would not. It has no secret: who may
// choose keys freely finds one for a given slot in about as many tries as there are slots. Let the application make the IDs
// of tenants if it matters who shares a slot. A time is hashed with all its digits: round it to what its column keeps (PostgreSQL
// microseconds), or the row is looked for in another slot than it was written to.
func Hash(slots int, owners ...SlotRange) ShardResolver {
	owners = slices.Clone(owners)
	faults := slotFaults(slots, owners)
	return &keyHash{checked: newChecked(faults), slots: uint64(max(slots, 0)), owners: owners}
}

// keyHash is the resolver that [Hash] makes.
type keyHash struct {
	checked

	slots  uint64
	owners []SlotRange // in the order of their slots
}

var (
	_ PlacementLister = (*keyHash)(nil)
	_ ShardNumberer   = (*keyHash)(nil)
)

// Resolve implements [ShardResolver].
func (h *keyHash) Resolve(_ context.Context, key any) (Placement, error) {
	if h.err != nil {
		return Placement{}, h.err
	}
	slot, err := h.slot(key)
	if err != nil {
		return Placement{}, err
	}
	return h.owner(slot), nil
}

// slot returns the slot of a key.
func (h *keyHash) slot(key any) (int, error) {
	var buf [128]byte // an ID and most other keys fit
	text := buf[:0]
	if n, ok := key.(int64); ok { // what most keys are, is not put into a Key first
		text = strconv.AppendInt(text, n, 10)
	} else {
		k, err := keyOf(key)
		if err != nil {
			return 0, err
		}
		text = k.Append(text)
	}
	sum := sha256.Sum256(text)
	return int(binary.BigEndian.Uint64(sum[:8]) % h.slots), nil //nolint:gosec // slots is an int
}

// owner returns the placement of a slot.
func (h *keyHash) owner(slot int) Placement {
	i, _ := slices.BinarySearchFunc(h.owners, slot, func(r SlotRange, slot int) int {
		if r.To <= slot {
			return -1
		}
		return 1
	})
	return h.owners[i].At
}

// ShardNumber implements [ShardNumberer]: it is the key's slot.
func (h *keyHash) ShardNumber(_ context.Context, key any) (int, error) {
	if h.err != nil {
		return 0, h.err
	}
	return h.slot(key)
}

// PlacementOf implements [ShardNumberer].
func (h *keyHash) PlacementOf(_ context.Context, number int) (Placement, error) {
	switch {
	case h.err != nil:
		return Placement{}, h.err
	case number < 0 || uint64(number) >= h.slots:
		return Placement{}, fmt.Errorf("%w: there is no slot with the number of the ID", ErrShardNotFound)
	}
	return h.owner(number), nil
}

func (h *keyHash) numbers() int { return int(h.slots) } //nolint:gosec // it was an int

// Placements implements [PlacementLister], in the order of the slots.
func (h *keyHash) Placements(context.Context) iter.Seq2[Placement, error] {
	return h.placements(func(yield func(Placement) bool) {
		for i := range h.owners {
			if !yield(h.owners[i].At) {
				return
			}
		}
	})
}

// slotFaults brings owners into the order of their slots, and finds slots without one or with several.
func slotFaults(slots int, owners []SlotRange) (faults []error) {
	if slots < 1 {
		return []error{fmt.Errorf("Hash: it has %d slots: it needs at least 1", slots)}
	}
	for _, r := range owners {
		switch {
		case r.From < 0 || r.To > slots:
			faults = append(faults, fmt.Errorf("Hash: slots %d to %d (exclusive) do not all exist: they are 0 to %d (exclusive)", r.From, r.To, slots))
		case r.From >= r.To:
			faults = append(faults, fmt.Errorf("Hash: %d to %d (exclusive) are no slots: From must be less than To", r.From, r.To))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	slices.SortStableFunc(owners, func(a, b SlotRange) int { return cmp.Compare(a.From, b.From) })
	next := 0 // the slots before it have an owner
	for _, r := range owners {
		if r.From > next {
			faults = append(faults, fmt.Errorf("Hash: slots %d to %d (exclusive) have no owner: add a SlotRange for them", next, r.From))
		}
		if r.From < next {
			faults = append(faults, fmt.Errorf("Hash: slots %d to %d (exclusive) have two owners: leave them to one", r.From, min(next, r.To)))
		}
		next = max(next, r.To)
	}
	if next < slots {
		faults = append(faults, fmt.Errorf("Hash: slots %d to %d (exclusive) have no owner: add a SlotRange for them", next, slots))
	}
	return faults
}
