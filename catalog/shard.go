package catalog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gormtenancy/tenancy"
)

// Shard is a database that tenants are in.
//
// Shards are there for placements when they have been added with [Catalog.AddShard]. As long as none has been, the database
// that gorm.Open opened takes all tenants; afterwards it takes tenants if it has been added too, with the name "".
type Shard struct {
	Name       string   // as placements call it; "" is the database that gorm.Open opened
	DSN        string   // how to reach it, without passwords: Config.Connect adds them. "": Connect knows it by its name; an own database has that of its Host
	Replicas   []string // DSNs of its replicas
	Host       string   // of a database that one tenant has alone: the shard beside which it is
	Attributes map[string]string
	Shapes     []Shape // which tenants it takes. Zero: all
	Closed     bool    // it takes no new tenants
	Own        bool    // it is for one tenant alone; such shards are added and removed with their tenants
	Bytes      int64   // as SetBytes noted it
	Tenants    int64   // in it and, with databases of their own, beside it; the catalog counts
	Epoch      int64   // of its last change
}

// takes tells whether a shard takes new tenants of a shape.
func (s Shard) takes(shape Shape) bool {
	return !s.Closed && !s.Own && (len(s.Shapes) == 0 || slices.Contains(s.Shapes, shape))
}

// checked returns a shard as it is to be stored, with nothing of the caller's in it, or what is wrong with it.
func (s Shard) checked() (Shard, error) {
	wrong := func(err error) (Shard, error) {
		return Shard{}, fmt.Errorf("%w: shard %q: %w", tenancy.ErrInvalidConfig, s.Name, err)
	}
	if s.Name != "" {
		if err := checkName(s.Name, longestName); err != nil {
			return Shard{}, fmt.Errorf("%w: a shard's name: %w", tenancy.ErrInvalidConfig, err)
		}
	}
	switch {
	case s.Own && s.Name == "":
		return wrong(errors.New("the default database is nobody's own"))
	case s.Own && s.Host == s.Name:
		return wrong(errors.New("it cannot be beside itself"))
	case !s.Own && s.Host != "":
		return wrong(errors.New("only an own database has a Host"))
	}
	for _, shape := range s.Shapes {
		if !shape.known() {
			return wrong(fmt.Errorf("there is no shape %q", shape))
		}
	}
	if err := checkAttributes(s.Attributes); err != nil {
		return wrong(err)
	}
	return s.clone(), nil
}

// mayBeShard tells whether a shard may have this name.
func mayBeShard(name string) bool { return name == "" || checkName(name, longestName) == nil }
