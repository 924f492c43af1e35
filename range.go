package tenancy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

// Bound is the part of a [Range] from From, which belongs to it, to To, which does not. A From that is nil is the
// beginning of all keys, a To that is nil their end.
type Bound struct {
	From, To any
	At       Placement
}

// Range resolves keys by their order. Its bounds meet without a gap and do not overlap, in whatever order they are given,
// and are of one type: integers, strings (compared byte by byte, whatever the collation of the column), times, UUIDs or
// bytes. An [ID] is a string. What breaks these rules is [ErrInvalidConfig], from db.Use and for every key.
//
// A key before the first bound or after the last is [ErrShardNotFound]. One of another type is [ErrInvalidConfig], since
// there is no bound that could be added for it. Range is a [PlacementLister].
func Range(bounds ...Bound) ShardResolver {
	r := &keyRange{}
	var faults []error
	r.spans, r.kind, faults = spansOf(bounds)
	if len(faults) == 0 {
		faults = orderSpans(r.spans)
	}
	r.checked = newChecked(faults)
	return r
}

// keyRange is the resolver that [Range] makes.
type keyRange struct {
	checked

	kind  shardkey.Kind // zero, if one bound has all keys
	spans []span        // in the order of their keys
}

var _ PlacementLister = (*keyRange)(nil)

// span is a [Bound] with canonical keys.
type span struct {
	from, to edge
	at       Placement
	given    int // its position among the bounds
}

// edge is an end of a span: a key, or none.
type edge struct {
	key  shardkey.Key
	open bool
}

// Resolve implements [ShardResolver].
func (r *keyRange) Resolve(_ context.Context, key any) (Placement, error) {
	if r.err != nil {
		return Placement{}, r.err
	}
	k, err := keyOf(key)
	if err != nil {
		return Placement{}, err
	}
	if r.kind != 0 && k.Kind() != r.kind {
		return Placement{}, errKind("Range", r.kind, k.Kind())
	}
	after, before := 0, len(r.spans) // spans[:after] begin at the key or before, spans[before:] after it
	for after < before {
		middle := (after + before) / 2
		if s := &r.spans[middle]; s.from.open || s.from.key.Compare(&k) <= 0 {
			after = middle + 1
		} else {
			before = middle
		}
	}
	if after == 0 {
		return Placement{}, fmt.Errorf("%w: the key is before the first bound of the Range: add a Bound that ends where bounds[%d] begins", ErrShardNotFound, r.spans[0].given)
	}
	s := &r.spans[after-1]
	if !s.to.open && s.to.key.Compare(&k) <= 0 {
		return Placement{}, fmt.Errorf("%w: the key is after the last bound of the Range: add a Bound that begins where bounds[%d] ends", ErrShardNotFound, s.given)
	}
	return s.at, nil
}

// Placements implements [PlacementLister], in the order of the keys.
func (r *keyRange) Placements(context.Context) iter.Seq2[Placement, error] {
	return r.placements(func(yield func(Placement) bool) {
		for i := range r.spans {
			if !yield(r.spans[i].at) {
				return
			}
		}
	})
}

// spansOf makes the keys of bounds canonical. They are of one kind, or at fault.
func spansOf(bounds []Bound) (spans []span, kind shardkey.Kind, faults []error) {
	if len(bounds) == 0 {
		return nil, 0, []error{errors.New("Range: it has no bounds")}
	}
	for i, b := range bounds {
		s := span{at: b.At, given: i}
		for _, end := range []struct {
			name  string
			given any
			edge  *edge
		}{{"From", b.From, &s.from}, {"To", b.To, &s.to}} {
			if end.edge.open = end.given == nil; end.edge.open {
				continue
			}
			k, err := ownedKey(end.given)
			if err != nil {
				faults = append(faults, fmt.Errorf("Range: bounds[%d].%s: %w", i, end.name, err))
				continue
			}
			if kind == 0 {
				kind = k.Kind()
			}
			if k.Kind() != kind {
				faults = append(faults, fmt.Errorf("Range: bounds[%d].%s is of kind %s, and an earlier end of kind %s: a Range has one kind of keys", i, end.name, k.Kind(), kind))
			}
			end.edge.key = k
		}
		spans = append(spans, s)
	}
	return spans, kind, faults
}

// ownedKey returns a key that the caller cannot change.
func ownedKey(v any) (shardkey.Key, error) {
	canonical, err := shardkey.Canonical(v)
	if err != nil {
		return shardkey.Key{}, err
	}
	return shardkey.Of(canonical)
}

// orderSpans brings spans into the order of their keys, and finds those that are empty, overlap, or leave a gap.
func orderSpans(spans []span) (faults []error) {
	for i := range spans {
		if s := &spans[i]; !s.from.open && !s.to.open && s.from.key.Compare(&s.to.key) >= 0 {
			faults = append(faults, fmt.Errorf("Range: bounds[%d] has no keys: its From must be before its To", s.given))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	slices.SortStableFunc(spans, func(a, b span) int {
		switch {
		case a.from.open && b.from.open:
			return 0
		case a.from.open:
			return -1
		case b.from.open:
			return 1
		default:
			return a.from.key.Compare(&b.from.key)
		}
	})
	last := &spans[0] // of those so far, the one with the most keys at its end
	for i := range spans[1:] {
		s := &spans[i+1]
		switch {
		case last.to.open || s.from.open || last.to.key.Compare(&s.from.key) > 0:
			faults = append(faults, fmt.Errorf("Range: bounds[%d] and bounds[%d] overlap", last.given, s.given))
		case last.to.key.Compare(&s.from.key) < 0:
			faults = append(faults, fmt.Errorf("Range: there is a gap between bounds[%d] and bounds[%d]: let one begin where the other ends", last.given, s.given))
		}
		if !last.to.open && (s.to.open || last.to.key.Compare(&s.to.key) < 0) {
			last = s
		}
	}
	return faults
}
