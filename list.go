package tenancy

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

// List resolves the keys of m, which it copies, and no others: an unknown [ID] is [ErrTenantNotFound], another unknown key
// [ErrShardNotFound]. A List of strings knows IDs too, and one of integers all kinds of integers. It is a [PlacementLister], and
// a [TenantLister] of its IDs or strings.
//
// Keys that no row could have, and two that are the same key, are [ErrInvalidConfig], from db.Use and for every key.
func List[K comparable](m map[K]Placement) ShardResolver {
	l := &list{known: make(map[any]Placement, len(m))}
	var faults []error
	for key, p := range m {
		k, err := shardkey.Of(key)
		if err != nil {
			faults = append(faults, fmt.Errorf("List: a key of type %T: %w", key, err))
			continue
		}
		canonical := listKey(k.Value())
		if _, twice := l.known[canonical]; twice {
			faults = append(faults, fmt.Errorf("List: two keys of type %T and another one are the same", key))
		}
		l.known[canonical] = p
		if text, ok := canonical.(string); ok {
			l.tenants = append(l.tenants, ID(text))
		}
	}
	slices.Sort(l.tenants)
	l.places = slices.SortedFunc(maps.Values(l.known), func(a, b Placement) int {
		return cmp.Or(strings.Compare(a.Shard, b.Shard), strings.Compare(a.Schema, b.Schema), strings.Compare(a.TableSuffix, b.TableSuffix))
	})
	l.checked = newChecked(faults)
	return l
}

// list is the resolver that [List] makes.
type list struct {
	checked

	known   map[any]Placement // by canonical key
	tenants []ID
	places  []Placement // in the order of their names
}

var (
	_ PlacementLister = (*list)(nil)
	_ TenantLister    = (*list)(nil)
)

// Resolve implements [ShardResolver].
func (l *list) Resolve(_ context.Context, key any) (Placement, error) {
	if l.err != nil {
		return Placement{}, l.err
	}
	if id, ok := key.(ID); ok {
		if p, ok := l.known[string(id)]; ok {
			return p, nil
		}
		return Placement{}, fmt.Errorf("%w: it is not in the List", ErrTenantNotFound)
	}
	k, err := keyOf(key)
	if err != nil {
		return Placement{}, err
	}
	if p, ok := l.known[listKey(k.Value())]; ok {
		return p, nil
	}
	return Placement{}, fmt.Errorf("%w: the key is not in the List", ErrShardNotFound)
}

// Tenants implements [TenantLister], in the order of the IDs.
func (l *list) Tenants(context.Context) iter.Seq2[ID, error] {
	return func(yield func(ID, error) bool) {
		for _, id := range l.tenants {
			if !yield(id, nil) {
				return
			}
		}
	}
}

// Placements implements [PlacementLister]: each once, in the order of their names.
func (l *list) Placements(context.Context) iter.Seq2[Placement, error] {
	return l.placements(slices.Values(l.places))
}

// bytesKey is a key of bytes, which a map cannot have.
type bytesKey string

// listKey makes a canonical key comparable.
func listKey(key any) any {
	if b, ok := key.([]byte); ok {
		return bytesKey(b)
	}
	return key
}
