package provision

import (
	"context"
	"fmt"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/internal/dsn"
)

// storage is what a tenant has: a database, a schema, or rows.
type storage interface {
	// there says what is there already; "" if nothing is.
	there(ctx context.Context) (what string, err error)
	// make makes it. What was there before is a [*takenError], and left alone.
	make(ctx context.Context) error
	// remove removes what is there of it, and makes sure that nothing is left. It may be called again.
	remove(ctx context.Context) (removed, error)
}

// removed is what was removed.
type removed struct {
	database, schema string
	rows             map[string]int64
}

func (p *Provisioner) storage(t catalog.Tenant) storage {
	switch t.Shape {
	case catalog.OwnDatabase:
		return ownDatabase{p, t.Placement.Shard}
	case catalog.OwnSchema:
		return ownSchema{p, t.Placement}
	default:
		return tenantRows{p, t}
	}
}

// at returns the context of statements on a placement that no tenant needs.
func at(ctx context.Context, where tenancy.Placement) context.Context {
	return tenancy.WithPlacement(tenancy.WithoutTenant(ctx, "provision"), where)
}

// ownDatabase is a database that one tenant has.
type ownDatabase struct {
	*Provisioner
	name string
}

// dsn returns the DSN of the database: if it has none of its own, that of its host with its name. It is the catalog's, so without
// a password: the Opener knows that.
func (d ownDatabase) dsn(ctx context.Context) (string, error) {
	if d.cfg.Opener == nil {
		return "", fmt.Errorf("%w: provision: a database of its own needs Config.Opener", tenancy.ErrInvalidConfig)
	}
	own, err := d.cfg.Catalog.Shard(ctx, d.name)
	if err != nil || own.DSN != "" {
		return own.DSN, err
	}
	host, err := d.cfg.Catalog.Shard(ctx, own.Host)
	if err != nil {
		return "", fmt.Errorf("the DSN of the database beside which it is to be: add that shard to the catalog: %w", err)
	}
	return dsn.WithDatabase(d.cfg.DB.Name(), host.DSN, d.name)
}

func (d ownDatabase) there(ctx context.Context) (string, error) {
	text, err := d.dsn(ctx)
	if err != nil {
		return "", err
	}
	found, err := DatabaseExists(ctx, d.cfg.Opener, text, d.cfg.Database)
	if err != nil || !found {
		return "", err
	}
	return "a database of its name", nil
}

func (d ownDatabase) make(ctx context.Context) error {
	text, err := d.dsn(ctx)
	if err != nil {
		return err
	}
	t, err := newTarget(d.cfg.Opener, text, []Database{d.cfg.Database})
	if err != nil {
		return err
	}
	if err := t.make(ctx); err != nil {
		return err
	}
	if err := t.grant(ctx); err != nil { // not before: to somebody else's none is given
		return err
	}
	return d.plugin.Forget(d.name) // that it was not there
}

func (d ownDatabase) remove(ctx context.Context) (gone removed, err error) {
	text, err := d.dsn(ctx)
	if err != nil {
		return gone, err
	}
	if err := d.plugin.Forget(d.name); err != nil {
		return gone, err
	}
	dropped, err := DropDatabase(ctx, d.cfg.Opener, text, d.cfg.Database)
	if dropped {
		gone.database = d.name
	}
	return gone, err
}

// ownSchema is a schema, on MySQL a database, that one tenant has.
type ownSchema struct {
	*Provisioner
	where tenancy.Placement
}

// host is the context of the shard that the schema is in.
func (s ownSchema) host(ctx context.Context) context.Context {
	return at(ctx, tenancy.Placement{Shard: s.where.Shard})
}

func (s ownSchema) there(ctx context.Context) (string, error) {
	found, err := SchemaExists(s.host(ctx), s.cfg.DB, s.where.Schema)
	if err != nil || !found {
		return "", err
	}
	return "a schema of its name", nil
}

func (s ownSchema) make(ctx context.Context) error {
	ctx = s.host(ctx)
	place, err := newPlace(ctx, s.cfg.DB, s.where.Schema, []Schema{s.cfg.Schema})
	if err != nil {
		return err
	}
	if err := place.make(ctx); err != nil {
		return err
	}
	return place.grant(ctx)
}

func (s ownSchema) remove(ctx context.Context) (gone removed, err error) {
	dropped, err := DropSchema(s.host(ctx), s.cfg.DB, s.where.Schema, s.cfg.Schema)
	if dropped {
		gone.schema = s.where.Schema
	}
	return gone, err
}
