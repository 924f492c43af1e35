package tenancy

import (
	"context"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/gormtenancy/tenancy/callbacks"
)

// ID names a tenant. It has 1 to 63 bytes of valid UTF-8 without control characters, and is compared byte by byte. A
// tenant column can demand more: an integer column takes "7" and not "007", a UUID column the lower-case spelling alone,
// and a column whose collation folds some strings into one takes only a-z, 0-9 and the characters _ . : - in IDs. What
// does not fit is [ErrInvalidTenant].
type ID string

// longestID is the longest identifier of PostgreSQL (NAMEDATALEN - 1), so that an ID can be part of a schema's name.
const longestID = 63

// check reports what is wrong with an ID, without repeating it.
func (id ID) check() error {
	switch {
	case id == "":
		return errors.New("it is empty")
	case len(id) > longestID:
		return fmt.Errorf("it has %d bytes, the most is %d", len(id), longestID)
	case !utf8.ValidString(string(id)):
		return errors.New("it is not valid UTF-8")
	}
	for _, r := range string(id) {
		if unicode.IsControl(r) {
			return fmt.Errorf("it has the control character %U", r)
		}
	}
	return nil
}

// scope is what a context says about whose rows its statements touch.
type scope struct {
	who callbacks.Subject
	err error     // why no statement can run in the context
	at  Placement // if who is placed
}

type scopeKey struct{}

// scopeOf returns what ctx says; nil if nothing.
func scopeOf(ctx context.Context) *scope {
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// with returns a context that says s, and of the placement what ctx says.
func (s scope) with(ctx context.Context) context.Context {
	if outer := scopeOf(ctx); outer != nil && s.who.Where == callbacks.Nowhere {
		s.who.Where, s.who.ShardKey, s.at = outer.who.Where, outer.who.ShardKey, outer.at
	}
	return context.WithValue(ctx, scopeKey{}, &s)
}

// leading returns a context that says of the placement what where does.
func leading(ctx context.Context, where callbacks.Where, key any, at Placement) context.Context {
	s := scope{}
	if outer := scopeOf(ctx); outer != nil {
		s = *outer
	}
	s.who.Where, s.who.ShardKey, s.at = where, key, at
	return s.with(ctx)
}

// WithTenant returns a context whose statements touch the rows of tenant id alone. It never fails: an ID that breaks the
// rules of [ID] is reported by the first statement, as [ErrInvalidTenant]. The innermost of WithTenant and [WithoutTenant]
// counts.
func WithTenant(ctx context.Context, id ID) context.Context {
	s := scope{who: callbacks.Subject{Kind: callbacks.Tenant, ID: string(id), Boxed: string(id), Key: id}}
	if err := id.check(); err != nil {
		s.err = fmt.Errorf("%w: %w", ErrInvalidTenant, err)
	}
	return s.with(ctx)
}

// WithoutTenant returns a context whose statements touch the rows of all tenants of one placement: for jobs of the
// operator, never for a request. The reason is for the observer, and must not be empty, else no statement runs. Rows
// that are created in it must carry their tenant. It ends with the context.
func WithoutTenant(ctx context.Context, reason string) context.Context {
	s := scope{who: callbacks.Subject{Kind: callbacks.Everyone, Reason: reason}}
	if reason == "" {
		s.err = fmt.Errorf("%w: WithoutTenant needs a reason", ErrNoTenant)
	}
	return s.with(ctx)
}

// FromContext returns the tenant of ctx; ok is false if there is none, or the innermost word is [WithoutTenant].
func FromContext(ctx context.Context) (id ID, ok bool) {
	s := scopeOf(ctx)
	if s == nil || s.who.Kind != callbacks.Tenant {
		return "", false
	}
	return ID(s.who.ID), true
}

// WithPlacement returns a context whose statements on sharded models, and those without a tenant, run on p. Beside a tenant, p must
// be the tenant's own placement for other models, else statements are refused with [ErrTenantMismatch]. A row that belongs
// elsewhere by its shard key is not written there: that is [ErrCrossShard]. The innermost of WithPlacement, [WithShardKey] and
// [OnAllShards] counts.
func WithPlacement(ctx context.Context, p Placement) context.Context {
	return leading(ctx, callbacks.AtPlace, nil, p)
}

// WithShardKey returns a context whose statements on sharded models run where rows with this key are, whatever keys they have in
// their conditions. It adds no condition. The models that a statement touches must have that key in one place, and a row that
// belongs elsewhere is not written: both is [ErrCrossShard]. For other models it counts under [WithoutTenant] alone: there the key is
// the ID of a tenant, and says to run where that tenant is.
func WithShardKey(ctx context.Context, key any) context.Context {
	return leading(ctx, callbacks.ByKey, key, Placement{})
}

// OnAllShards returns a context whose statements on sharded models run on all placements that their conditions allow, and give what
// one database with all the rows would give, or [ErrUnmergeable]. A tenant in the context stays a condition; [WithoutTenant]
// in it means all tenants of all placements. The resolver must be a [PlacementLister].
//
// Reads of several placements are each as of their own moment. Writes are committed on each placement by itself: if one fails, the
// error is a [*PartialError] that says where the others were done. In a transaction of the application's they are refused
// with [ErrCrossShard], unless all placements are in one database.
//
// Reference tables are written in all databases: the default one, those of Config.Shards, and those that the resolvers list, which
// must be PlacementListers if there is Config.Open. Rows are created in the default database, which makes their IDs and defaults, and
// are copied from there; RowsAffected is its. An UPDATE, a DELETE and text that writes must do the same in each database, or
// they are [ErrUnmergeable]. The default database is written first: if that fails, nothing is done. If another fails, the
// [*PartialError] says which ("default" is the default one), and what is done stays. Then write again: rows by Create with
// clause.OnConflict{UpdateAll: true}, which makes those of all databases like those of the default one; an UPDATE or a DELETE as it
// was, or if it counts on what was there (n = n + 1), with [WithPlacement] where it failed.
func OnAllShards(ctx context.Context) context.Context {
	return leading(ctx, callbacks.Everywhere, nil, Placement{})
}
