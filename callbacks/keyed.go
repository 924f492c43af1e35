package callbacks

import (
	"context"
	"errors"
	"slices"

	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/fanout"
	"github.com/gormtenancy/tenancy/internal/shardkey"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// The rows of sharded tables are where their keys say. The proof of a statement says which keys those can have that it touches;
// the resolver of their set, where rows with them are. That is one place, or the statement is asked of several.

// Fan is a statement for several places.
type Fan struct {
	Places []Place
	// Ask says how a SELECT is asked of each place and what becomes of the answers; nil for a write.
	Ask *fanout.Plan
	// Unique tells that a SELECT is sorted by the primary key, which no two rows have in common.
	Unique bool
	// Same tells that each place has the same rows: what one of them answers counts for all.
	Same bool
}

// keyed finds the places of a statement on sharded tables. args are those that are sent.
func (h *Hooks) keyed(pass *Pass, plan *sqlproof.Plan, args []any) error {
	if len(args) != plan.Arguments+len(plan.Inserted) {
		return h.refusal(pass, Unconfined, "it has more or fewer placeholders than arguments")
	}
	var set [1]sqlproof.KeySet // as most statements have one set and one place, nothing is allocated for those
	sets := set[:0]
	for _, k := range plan.Keys {
		set, err := k.Of(args)
		if err != nil {
			return h.refusal(pass, MissingShardKey, err.Error())
		}
		sets = append(sets, set)
	}
	var place [1]Place
	places, err := h.placesOf(pass, plan, sets, place[:0])
	if err != nil {
		return err
	}
	if pass.placed && (len(places) != 1 || places[0] != pass.at) {
		return h.refusal(pass, CrossShard, "its conditions lead to another shard than its model, its rows or its context")
	}
	if err := h.rowsFit(pass, plan, sets, places); err != nil {
		return err
	}
	if err := h.keysFit(pass, plan, sets, places); err != nil {
		return err
	}
	if err := h.besideKeyed(pass, plan, places); err != nil {
		return err
	}
	pass.at, pass.placed, pass.reach = places[0], true, There
	if len(places) == 1 {
		return nil
	}
	return h.fanOut(pass, plan, places)
}

// placesOf appends where the rows can be that the statement touches: never nowhere.
func (h *Hooks) placesOf(pass *Pass, plan *sqlproof.Plan, sets []sqlproof.KeySet, places []Place) (_ []Place, err error) {
	switch pass.Who.Where {
	case AtPlace:
		at, err := h.Rules.Named(pass.Context)
		if err != nil {
			return nil, h.passOn(pass, err)
		}
		return append(places, at), nil
	case ByKey:
		for _, k := range plan.Keys {
			at, err := h.placeByKey(pass, setOf(k.Sharding))
			if err != nil {
				return nil, err
			}
			places = added(places, at)
		}
		if len(places) > 1 {
			return nil, h.refusal(pass, CrossShard, "it touches models that are sharded in different ways, and rows with the key of WithShardKey are in different places")
		}
		return places, nil
	}
	for i, k := range plan.Keys {
		if places, err = h.placesOfSet(pass, places, k, sets[i]); err != nil {
			return nil, err
		}
	}
	if len(places) > 0 {
		return places, nil
	}
	// No row meets the conditions, so that any place gives the same.
	if pass.placed {
		return append(places, pass.at), nil
	}
	all, err := h.shards(setOf(plan.Keys[0].Sharding)).Places(pass.Context)
	if err == nil && len(all) == 0 {
		return nil, h.refusal(pass, MissingShardKey, "its resolver has no placements")
	}
	if err != nil {
		return nil, h.passOn(pass, err)
	}
	return all[:1], nil
}

// placesOfSet adds where the rows of one set of models can be.
func (h *Hooks) placesOfSet(pass *Pass, places []Place, k *sqlproof.Keys, set sqlproof.KeySet) ([]Place, error) {
	shards := h.shards(setOf(k.Sharding))
	if set.Any {
		if pass.Who.Where != Everywhere {
			return nil, h.refusal(pass, MissingShardKey, missingKey(set.Table))
		}
		all, err := shards.Places(pass.Context)
		if err != nil {
			return nil, h.passOn(pass, err)
		}
		if len(all) == 0 {
			return nil, h.refusal(pass, MissingShardKey, "its resolver has no placements")
		}
		return added(places, all...), nil
	}
	for _, key := range set.Values {
		at, err := h.placeOf(pass, setOf(k.Sharding), key)
		if err != nil {
			return nil, h.passOn(pass, err)
		}
		places = added(places, at)
	}
	for _, id := range set.IDs {
		at, err := shards.PlaceOfID(pass.Context, id)
		if err != nil {
			return nil, h.passOn(pass, err)
		}
		places = added(places, at)
	}
	return places, nil
}

// missingKey says what a condition should be on.
func missingKey(t sqlproof.Table) string {
	column := "its shard key"
	if t.ShardKey != nil {
		if column = t.ShardKey.Column; t.ShardKey.ID != "" {
			column += " or " + t.ShardKey.ID
		}
	}
	return "no condition says on which shard the rows of " + t.Name + " are: give " + t.Name + "." + column +
		" a value, or use tenancy.WithShardKey, or tenancy.OnAllShards for the rows of all"
}

func added(places []Place, more ...Place) []Place {
	for _, p := range more {
		if !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	return places
}

func setOf(sharding any) int {
	set, _ := sharding.(int)
	return set
}

// shards returns what is asked about a set of models.
func (h *Hooks) shards(set int) Shards {
	if set != tenantSet {
		return h.Shards[set]
	}
	return homes{h.Rules}
}

// placeByKey returns where rows of a set of models are that have the key of the context.
func (h *Hooks) placeByKey(pass *Pass, set int) (Place, error) {
	key, err := shardkey.Canonical(pass.Who.ShardKey)
	if err != nil {
		return Place{}, h.refusal(pass, MissingShardKey, "the key of WithShardKey: "+err.Error())
	}
	at, err := h.placeOf(pass, set, key)
	if err != nil {
		return Place{}, h.passOn(pass, err)
	}
	return at, nil
}

// rowsFit refuses rows that belong elsewhere than where they would be written.
func (h *Hooks) rowsFit(pass *Pass, plan *sqlproof.Plan, sets []sqlproof.KeySet, places []Place) error {
	for i, k := range plan.Keys {
		shards := h.shards(setOf(k.Sharding))
		for n, key := range sets[i].Rows {
			at, err := h.placeOf(pass, setOf(k.Sharding), key)
			if err != nil {
				return h.passOn(pass, err)
			}
			if !slices.Contains(places, at) {
				return h.refusal(pass, CrossShard, "a row belongs on another shard by its key than the one that the context names")
			}
			if len(sets[i].RowIDs) == 0 {
				continue
			}
			agree, err := shards.Agree(pass.Context, key, sets[i].RowIDs[n])
			if err != nil {
				return h.passOn(pass, err)
			}
			if !agree {
				return h.refusal(pass, CrossShard, "the ID of a row says another shard than its key: leave the ID out, so that one is made")
			}
		}
	}
	return nil
}

// keysFit refuses text keys that the database takes for others, whose rows would be elsewhere.
func (h *Hooks) keysFit(pass *Pass, plan *sqlproof.Plan, sets []sqlproof.KeySet, places []Place) error {
	if pass.stmt == nil || pass.stmt.DryRun {
		return nil // it is not sent
	}
	for i, k := range plan.Keys {
		for _, v := range sets[i].Values {
			key, ok := v.(string)
			if !ok {
				continue
			}
			for _, of := range k.Tables {
				t, ok := of.Key.(*tables.Table)
				if !ok || t.Shard == nil || t.Shard.Type != "text" {
					continue
				}
				if err := h.keyFits(pass, t.Shard.Column, key, places); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// keyFits asks the database of each place, once for each column, how it compares keys.
func (h *Hooks) keyFits(pass *Pass, c *tables.Column, key string, places []Place) error {
	at, placed, reach := pass.at, pass.placed, pass.reach
	defer func() { pass.at, pass.placed, pass.reach = at, placed, reach }()
	for _, place := range places {
		pass.at, pass.placed, pass.reach = place, true, There
		where := place.table()
		if c.MustAsk(where, key) {
			h.askComparison(pass, c, where)
		}
		if err := c.Fits(where, key); err != nil {
			return h.refusal(pass, InvalidConfig, "a shard key that the database may take for another one would be looked for on the wrong shard: "+err.Error())
		}
	}
	return nil
}

// besideKeyed looks at what else a statement touches: the tenant's other tables, and global ones.
func (h *Hooks) besideKeyed(pass *Pass, plan *sqlproof.Plan, places []Place) error {
	for i := range plan.Tables {
		t, ok := plan.Tables[i].Key.(*tables.Table)
		if !ok || plan.Tables[i].ShardKey != nil || !t.Class.Confined() {
			continue
		}
		at, err := h.Rules.Place(pass.Context, pass.Who, pass.stmt.ConnPool)
		if err != nil {
			return h.passOn(pass, err)
		}
		if t.Class == tables.Placed && !at.Exclusive {
			return h.refusal(pass, Unconfined, "it has a table without a tenant column, and the tenant's placement holds other tenants too")
		}
		if at.Exclusive = false; len(places) > 1 || places[0] != at {
			return h.refusal(pass, CrossShard, "table "+t.Name+" has no shard key, so it is where the tenant is, and sharded rows are elsewhere: read them in a statement of their own")
		}
	}
	if plan.Home == "" {
		return nil
	}
	for _, p := range places {
		if p.Shard != "" {
			return h.refusal(pass, CrossShard, "table "+plan.Home+" is global, so it is in the default database, and sharded rows are in another here: read it in a statement of its own, or list it in Config.Reference if all databases have it")
		}
	}
	return nil
}

// fanOut prepares a statement for several places.
func (h *Hooks) fanOut(pass *Pass, plan *sqlproof.Plan, places []Place) error {
	for _, k := range plan.Keys {
		if k.Apart != nil {
			return h.refusal(pass, CrossShard, k.Apart.Error())
		}
	}
	fan := &Fan{Places: slices.Clone(places)} // or else those of a statement for one would not be on the stack
	switch {
	case !plan.Writes || plan.Kind <= sqlproof.SetOperation:
		ask, err := h.planner.Plan(plan.SQL)
		if err != nil {
			return h.unmergeable(pass, err)
		}
		fan.Ask, fan.Unique = ask, pass.byPrimaryKey()
	case plan.Kind == sqlproof.Insert && pass.Op == OpCreate:
		return h.refusal(pass, CrossShard, "its rows belong on several shards, and it cannot be split: create them one by one, or with tenancy.OnAllShards")
	case pass.Who.Where != Everywhere:
		return h.refusal(pass, CrossShard, "it writes to several shards, which are committed each by itself: allow that with tenancy.OnAllShards, or write to one at a time")
	case plan.Kind == sqlproof.Insert && slices.ContainsFunc(plan.Keys, (*sqlproof.Keys).HasRows):
		return h.refusal(pass, CrossShard, "its rows belong on several shards: use one statement for each, or db.Create")
	}
	pass.fan = fan
	return nil
}

func (h *Hooks) unmergeable(pass *Pass, err error) error {
	if u, ok := errors.AsType[*fanout.Unmergeable](err); ok {
		return h.refusal(pass, Unmergeable, u.Error())
	}
	return h.passOn(pass, err)
}

// admitSharded admits a statement whose main table is sharded. Its place is known now if the context says it.
func (h *Hooks) admitSharded(pass *Pass) (err error) {
	pass.keyed = true
	switch pass.Who.Where {
	case AtPlace:
		pass.at, err = h.Rules.Named(pass.Context)
	case ByKey:
		pass.at, err = h.placeByKey(pass, pass.Table.Shard.Set)
	default:
		return nil
	}
	if err != nil {
		return h.passOn(pass, err)
	}
	pass.placed, pass.reach = true, There
	return nil
}

// tenantSet is the number of the set that all tenants' tables are in for statements over all tenants: there the tenant column is
// what says where a row is.
const tenantSet = -1

// homes are the places of tenants.
type homes struct{ rules Rules }

// PlaceOf implements [Shards].
func (s homes) PlaceOf(ctx context.Context, key any) (Place, error) {
	id, err := tables.Spell(key)
	if err != nil {
		return Place{}, err
	}
	return s.rules.HomeOf(ctx, id)
}

// PlaceOfID implements [Shards].
func (homes) PlaceOfID(context.Context, any) (Place, error) { return Place{}, errors.ErrUnsupported }

// Places implements [Shards].
func (s homes) Places(ctx context.Context) ([]Place, error) { return s.rules.Homes(ctx) }

// NewID implements [Shards].
func (homes) NewID(context.Context, any) (any, error) { return nil, errors.ErrUnsupported }

// Agree implements [Shards].
func (homes) Agree(context.Context, any, any) (bool, error) { return false, errors.ErrUnsupported }

// byPrimaryKey tells whether the statement gives rows of its model in the order of the primary key, as First, Last and FindInBatches
// ask for them (gorm v1.31.2 finisher_api.go).
func (p *Pass) byPrimaryKey() bool {
	stmt := p.stmt
	if p.raw || stmt.Schema == nil || len(stmt.Schema.PrimaryFields) != 1 || len(stmt.Joins) > 0 || stmt.Distinct || p.Table == nil || stmt.TableExpr != nil {
		return false
	}
	if _, grouped := stmt.Clauses["GROUP BY"]; grouped {
		return false
	}
	order, _ := stmt.Clauses["ORDER BY"].Expression.(clause.OrderBy)
	return len(order.Columns) == 1 && order.Expression == nil &&
		order.Columns[0].Column == clause.Column{Table: clause.CurrentTable, Name: clause.PrimaryKey}
}
