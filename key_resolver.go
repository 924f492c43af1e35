package tenancy

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

// keyOf makes the key of a resolver canonical. A type that no key has is the configuration's fault, and not the row's.
func keyOf(key any) (shardkey.Key, error) {
	k, err := shardkey.Of(key)
	if err == nil {
		return k, nil
	}
	if _, wrong := errors.AsType[*shardkey.TypeError](err); wrong {
		return k, fmt.Errorf("%w: %w", ErrInvalidConfig, err)
	}
	return k, fmt.Errorf("%w: %w", ErrMissingShardKey, err)
}

// faulty is a resolver whose constructor cannot fail: it can say what is wrong with its arguments.
type faulty interface{ faults() []error }

// resolverFaults are those of the resolver in a field of the configuration.
func resolverFaults(field string, r ShardResolver) []error {
	f, ok := r.(faulty)
	if !ok {
		return nil
	}
	faults := slices.Clone(f.faults())
	for i, fault := range faults {
		faults[i] = fmt.Errorf("%s: %w", field, fault)
	}
	return faults
}

// checked holds what is wrong with a resolver's arguments. Every key is refused then, for the resolver may be used without
// db.Use, which reports it.
type checked struct {
	found []error
	err   error // all that was found
}

// newChecked ends the construction of a resolver.
func newChecked(faults []error) checked {
	c := checked{found: faults}
	for _, fault := range faults {
		c.err = errors.Join(c.err, fmt.Errorf("%w: %w", ErrInvalidConfig, fault))
	}
	return c
}

func (c checked) faults() []error { return c.found }

// placements lists places, each once, in the order in which they come.
func (c checked) placements(places iter.Seq[Placement]) iter.Seq2[Placement, error] {
	return func(yield func(Placement, error) bool) {
		if c.err != nil {
			yield(Placement{}, c.err)
			return
		}
		seen := map[Placement]bool{}
		for p := range places {
			if !seen[p] && !yield(p, nil) {
				return
			}
			seen[p] = true
		}
	}
}

// errKind refuses a key that a resolver has no place for, whatever is added to it. It is no ErrShardNotFound, for which one
// would look for the shard.
func errKind(strategy string, want, got shardkey.Kind) error {
	return fmt.Errorf("%w: the keys of the %s are of kind %s, and this one of kind %s: give the models another resolver, or the key the column's type", ErrInvalidConfig, strategy, want, got)
}
