package tenancy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/idgen"
	"github.com/gormtenancy/tenancy/internal/shardkey"
	"github.com/gormtenancy/tenancy/internal/tables"
)

// Sharding is a set of models that are spread by a shard key, each by the field that is tagged tenancy:"shard_key". Rows of all
// its models with equal keys are in one placement, so that joins over the key run there.
type Sharding struct {
	// Models are the models, or [Table] values with a ShardKey. They may be named in Config.Models too.
	Models []any
	// Resolver finds the placement of a key. The key is an int64, or a uint64 above its maximum; a string, a [16]byte for a UUID,
	// a []byte, or a time.Time in UTC. See [List], [Range], [Hash] and [ByDate].
	Resolver ShardResolver
	// IDs makes primary keys that carry the number of their shard, for new rows without one, so that a row is found by its ID
	// alone. The Resolver must be a [ShardNumberer]. Zero: the application or the database makes them, and they say nothing.
	IDs idgen.Source
}

// ShardNumberer is a [ShardResolver] whose keys belong to numbered logical shards. The number of a key never changes, wherever
// its rows go: it stands in the IDs that [Sharding].IDs makes. [Hash] numbers its slots, [Numbered] the placements it is given.
type ShardNumberer interface {
	ShardResolver
	// ShardNumber returns the number of a key's logical shard.
	ShardNumber(ctx context.Context, key any) (int, error)
	// PlacementOf returns where the rows of a logical shard are. A number that there is not is [ErrShardNotFound].
	PlacementOf(ctx context.Context, number int) (Placement, error)
}

// FanOutLimits bounds a statement over several placements.
type FanOutLimits struct {
	// Parallel is how many placements are asked at a time. Zero: 8.
	Parallel int
	// Groups is how many groups, and distinct rows and values, are remembered while answers are merged; more is [ErrUnmergeable].
	// Zero: 100 000.
	Groups int
}

// Numbered gives the placements of r numbers, in the order of at, for IDs that carry them. Only ever append to the list, and put
// a placement's successor in its place when its rows have moved.
func Numbered(r ShardResolver, at ...Placement) ShardResolver {
	var faults []error
	for i, p := range at {
		if slices.ContainsFunc(at[:i], p.is) {
			faults = append(faults, fmt.Errorf("placement %d of Numbered is there twice", i))
		}
	}
	if r == nil {
		faults = append(faults, errors.New("Numbered has no resolver"))
	}
	faults = append(faults, resolverFaults("Numbered", r)...)
	return &numbered{checked: newChecked(faults), resolver: r, at: slices.Clone(at)}
}

// numbered is the resolver that [Numbered] makes.
type numbered struct {
	checked

	resolver ShardResolver
	at       []Placement
}

var (
	_ ShardNumberer   = (*numbered)(nil)
	_ PlacementLister = (*numbered)(nil)
)

func (n *numbered) faults() []error { return n.checked.found }

func (n *numbered) numbers() int { return len(n.at) }

// Resolve implements [ShardResolver].
func (n *numbered) Resolve(ctx context.Context, key any) (Placement, error) {
	at, _, err := n.find(ctx, key)
	return at, err
}

// ShardNumber implements [ShardNumberer].
func (n *numbered) ShardNumber(ctx context.Context, key any) (int, error) {
	_, number, err := n.find(ctx, key)
	return number, err
}

// find returns the placement of a key, and its number.
func (n *numbered) find(ctx context.Context, key any) (Placement, int, error) {
	if n.err != nil {
		return Placement{}, 0, n.err
	}
	at, err := n.resolver.Resolve(ctx, key)
	if err != nil {
		return Placement{}, 0, err
	}
	for i, p := range n.at {
		if p.is(at) {
			return at, i, nil
		}
	}
	return Placement{}, 0, fmt.Errorf("%w: the key's placement is none of those of Numbered: append it", ErrInvalidConfig)
}

// Placements implements [PlacementLister], in the order of the numbers.
func (n *numbered) Placements(context.Context) iter.Seq2[Placement, error] {
	return n.placements(slices.Values(n.at))
}

// PlacementOf implements [ShardNumberer].
func (n *numbered) PlacementOf(_ context.Context, number int) (Placement, error) {
	switch {
	case n.err != nil:
		return Placement{}, n.err
	case number < 0 || number >= len(n.at):
		return Placement{}, fmt.Errorf("%w: there is no placement with the number of the ID", ErrShardNotFound)
	}
	return n.at[number], nil
}

// shardSets translates Config.Sharding for the registry.
func shardSets(sets []Sharding) []tables.ShardSet {
	out := make([]tables.ShardSet, len(sets))
	for i, s := range sets {
		out[i] = tables.ShardSet{Number: i, Models: declared(s.Models), IDs: s.IDs != nil}
	}
	return out
}

// shardingFaults checks Config.Sharding, but for its models.
func (p *Plugin) shardingFaults() (faults []error) {
	for i, s := range p.cfg.Sharding {
		field := fmt.Sprintf("Sharding[%d]", i)
		if len(s.Models) == 0 {
			faults = append(faults, fmt.Errorf("%s.Models: it has none", field))
		}
		if s.Resolver == nil {
			faults = append(faults, fmt.Errorf("%s.Resolver: without one no row has a place: set it", field))
			continue
		}
		faults = append(faults, resolverFaults(field+".Resolver", s.Resolver)...)
		if s.IDs == nil {
			continue
		}
		if _, ok := s.Resolver.(ShardNumberer); !ok {
			faults = append(faults, fmt.Errorf("%s.IDs: its Resolver gives shards no numbers that IDs could carry: use Hash, or Numbered around it", field))
		} else if n, ok := s.Resolver.(interface{ numbers() int }); ok && n.numbers() > 0 {
			if _, err := s.IDs.NextID(n.numbers() - 1); err != nil {
				faults = append(faults, fmt.Errorf("%s.IDs: no ID can carry the number %d of its last shard: %w", field, n.numbers()-1, err))
			}
		}
	}
	if len(p.cfg.Sharding) > 0 && p.cfg.SQL == nil {
		faults = append(faults, errors.New("Sharding: the shard keys are found by the reader of SQL: set SQL"))
	}
	if l := p.cfg.FanOut; l.Parallel < 0 || l.Groups < 0 {
		faults = append(faults, errors.New("FanOut: a limit is negative"))
	}
	return faults
}

// shards are the sets of sharded models as the callbacks ask them.
func (p *Plugin) shards() []callbacks.Shards {
	out := make([]callbacks.Shards, len(p.cfg.Sharding))
	for i, s := range p.cfg.Sharding {
		numbers, _ := s.Resolver.(ShardNumberer)
		out[i] = &shardSet{plugin: p, resolver: s.Resolver, numbers: numbers, ids: s.IDs}
	}
	return out
}

// shardSet answers what the callbacks ask of one [Sharding].
type shardSet struct {
	plugin   *Plugin
	resolver ShardResolver
	numbers  ShardNumberer
	ids      idgen.Source
}

var _ callbacks.Shards = (*shardSet)(nil)

// PlaceOf implements [callbacks.Shards].
func (s *shardSet) PlaceOf(ctx context.Context, key any) (callbacks.Place, error) {
	at, err := s.resolver.Resolve(ctx, key)
	return s.plugin.shardPlace(at, err)
}

// shardPlace checks a placement that a resolver returned.
func (p *Plugin) shardPlace(at Placement, err error) (callbacks.Place, error) {
	if err == nil {
		err = p.checkNames(at)
	}
	p.learnSuffix(at.TableSuffix)
	at.Exclusive = false // what is sharded belongs to no tenant alone
	return callbacks.Place(at), err
}

// PlaceOfID implements [callbacks.Shards].
func (s *shardSet) PlaceOfID(ctx context.Context, id any) (callbacks.Place, error) {
	number, err := s.ids.ShardOf(id)
	if err != nil {
		return callbacks.Place{}, fmt.Errorf("%w: an ID says no shard: %w", ErrMissingShardKey, err)
	}
	at, err := s.numbers.PlacementOf(ctx, number)
	return s.plugin.shardPlace(at, err)
}

// NewID implements [callbacks.Shards].
func (s *shardSet) NewID(ctx context.Context, key any) (any, error) {
	number, err := s.numbers.ShardNumber(ctx, key)
	if err != nil {
		return nil, err
	}
	return s.ids.NextID(number)
}

// Agree implements [callbacks.Shards].
func (s *shardSet) Agree(ctx context.Context, key, id any) (bool, error) {
	number, err := s.numbers.ShardNumber(ctx, key)
	if err != nil {
		return false, err
	}
	carried, err := s.ids.ShardOf(id)
	return err == nil && carried == number, nil
}

// Places implements [callbacks.Shards].
func (s *shardSet) Places(ctx context.Context) ([]callbacks.Place, error) {
	return s.plugin.placesOf(ctx, s.resolver, "Sharding.Resolver")
}

// placesOf lists the placements of a resolver, each once.
func (p *Plugin) placesOf(ctx context.Context, r ShardResolver, field string) ([]callbacks.Place, error) {
	lister, ok := r.(PlacementLister)
	if !ok {
		return nil, fmt.Errorf("%w: %s is no PlacementLister, so which shards there are is not known: give it a Placements method, or list them with tenancy.Numbered", ErrMissingShardKey, field)
	}
	var all []callbacks.Place
	seen := map[callbacks.Place]bool{}
	for at, err := range lister.Placements(ctx) {
		place, err := p.shardPlace(at, err)
		if err != nil {
			return nil, err
		}
		if !seen[place] {
			seen[place] = true
			all = append(all, place)
		}
	}
	return all, nil
}

// placeByKey returns where rows with the key of a context are, if there is one set of sharded models.
func (p *Plugin) placeByKey(ctx context.Context, who *callbacks.Subject) (Placement, error) {
	if len(p.cfg.Sharding) != 1 {
		return Placement{}, fmt.Errorf("%w: there are %d sets of sharded models, and WithShardKey does not say which is meant: use tenancy.WithPlacement", ErrMissingShardKey, len(p.cfg.Sharding))
	}
	key, err := shardkey.Canonical(who.ShardKey)
	if err != nil {
		return Placement{}, fmt.Errorf("%w: the key of WithShardKey: %w", ErrMissingShardKey, err)
	}
	at, err := p.shards()[0].PlaceOf(ctx, key)
	return Placement(at), err
}

// learnSuffix makes the names of tables with a suffix known where unlisted tables pass for global: in text they are not that.
func (p *Plugin) learnSuffix(suffix string) {
	if suffix == "" || p.cfg.Unlisted != UnlistedGlobal {
		return
	}
	if _, known := p.suffixes.LoadOrStore(suffix, true); !known {
		p.hooks.Tables.LearnSuffix(suffix)
	}
}

// learnSuffixes does it for the placements of resolvers that ask nobody for them.
func (p *Plugin) learnSuffixes(ctx context.Context) {
	resolvers := []ShardResolver{p.cfg.Resolver}
	for _, s := range p.cfg.Sharding {
		resolvers = append(resolvers, s.Resolver)
	}
	for _, r := range resolvers {
		lister, lists := r.(PlacementLister)
		if _, own := r.(faulty); !lists || !own {
			continue
		}
		for at, err := range lister.Placements(ctx) {
			if err == nil {
				p.learnSuffix(at.TableSuffix)
			}
		}
	}
}
