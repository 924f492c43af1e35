package tenancytest

import (
	"context"
	"fmt"
	"testing"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// kind is what a tenant's place is.
type kind int

const (
	atHome     kind = iota // the tables that tenants share
	inSchema               // of its own
	inDatabase             // another one
)

// layout says where tenants live, one after another.
type layout struct {
	engine engine
	lives  func(nth int) kind
	shards int                              // that tenants in other databases are spread over; 0: each has one of its own
	open   bool                             // shards are opened by Config.Open, not listed
	made   map[string]func() gorm.Dialector // the other databases, which serve one world after another
	keep   testing.TB                       // as long as they are to be there
	guard  *guard                           // nil: row-level security is off
}

// places makes what [Harness] wants.
func (l layout) places(t testing.TB, home func() gorm.Dialector, tenants []tenancy.ID) Places {
	t.Helper()
	at := map[tenancy.ID]tenancy.Placement{}
	shards := map[string]func() gorm.Dialector{}
	placed := false
	for i, id := range tenants {
		switch l.lives(i) {
		case inSchema:
			at[id] = tenancy.Placement{Schema: l.engine.schema(t, silent(t, home()), id), Exclusive: i%2 == 0}
		case inDatabase:
			name, shared := string(id), l.shards > 0
			if shared {
				name = fmt.Sprintf("shard%d", i%l.shards)
			}
			if l.made[name] == nil {
				l.made[name] = l.engine.database(l.keep)
			}
			shards[name] = l.made[name]
			at[id] = tenancy.Placement{Shard: name, Exclusive: !shared}
		default:
			at[id] = tenancy.Placement{}
			continue
		}
		placed = true
	}
	p := Places{
		Configure: func(cfg *tenancy.Config) {
			if placed {
				cfg.Resolver = tenancy.List(at)
			}
			if l.guard != nil {
				cfg.RowSecurity = setting
				cfg.Shards = append(cfg.Shards, tenancy.Shard{Admin: home()})
			}
			if l.open && len(shards) > 0 {
				cfg.Open = func(_ context.Context, name string) (tenancy.Shard, error) {
					if shards[name] == nil {
						return tenancy.Shard{}, tenancy.ErrShardNotFound
					}
					return l.shard(name, shards[name]), nil
				}
				return
			}
			for name, open := range shards {
				cfg.Shards = append(cfg.Shards, l.shard(name, open))
			}
		},
		Open: func(at tenancy.Placement) gorm.Dialector {
			if at.Schema != "" {
				return l.engine.within(home(), at.Schema)
			}
			return shards[at.Shard]()
		},
	}
	if l.guard != nil {
		p.Home = func() gorm.Dialector { return l.engine.as(home(), l.guard.role) }
		p.Prepare = l.guard.prepare
	}
	return p
}

// shard is a database as the plugin opens it.
func (l layout) shard(name string, open func() gorm.Dialector) tenancy.Shard {
	if l.guard == nil {
		return tenancy.Shard{Name: name, Primary: open()}
	}
	return tenancy.Shard{Name: name, Primary: l.engine.as(open(), l.guard.role), Admin: open()}
}
