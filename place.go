package tenancy

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// place finds out where the rows are that statements of who are about.
func (p *Plugin) place(ctx context.Context, who *callbacks.Subject) (Placement, error) {
	if p.cfg.Resolver == nil && !who.Placed && who.Kind != callbacks.System {
		return Placement{}, nil
	}
	if s := scopeOf(ctx); who.Kind == callbacks.System { // the Migrator: where the context says, or else at home
		if s == nil || s.who.Kind != callbacks.Tenant && !s.who.Placed {
			return Placement{}, nil
		}
		if s.err != nil {
			return Placement{}, s.err
		}
		who = &s.who
	}
	id, named, at := ID(who.ID), who.Placed, Placement{}
	if named {
		at = scopeOf(ctx).at
	}
	switch {
	case id == "" && !named:
		return Placement{}, fmt.Errorf("%w: without a tenant, say where: tenancy.WithPlacement(ctx, p)", ErrMissingShardKey)
	case p.cfg.Resolver == nil && id != "":
		if at != (Placement{}) {
			return Placement{}, fmt.Errorf("%w: WithPlacement names another placement than the tenant's", ErrTenantMismatch)
		}
	case id != "":
		own, err := p.cfg.Resolver.Resolve(ctx, id)
		if err != nil {
			return Placement{}, err
		}
		if named && at != own {
			return Placement{}, fmt.Errorf("%w: WithPlacement names another placement than the tenant's", ErrTenantMismatch)
		}
		at = own
	}
	if id != "" && p.claims.holds(who.Boxed, at) {
		return at, nil
	}
	if err := p.checkNames(at); err != nil || id == "" {
		return at, err
	}
	return at, p.claims.claim(ctx, p, at, id)
}

// checkNames refuses schemas and suffixes that the database would refuse, cut off, or take for others.
func (p *Plugin) checkNames(at Placement) error {
	if at.TableSuffix != "" {
		for _, r := range at.TableSuffix {
			if r != '_' && (r > 'z' || !unicode.IsLetter(r) && !unicode.IsDigit(r)) {
				return fmt.Errorf("%w: a TableSuffix has letters, digits and underscores alone", ErrInvalidConfig)
			}
		}
	}
	if at.Schema == "" {
		return nil
	}
	switch p.dialect {
	case "postgres":
		// PostgreSQL cuts longer names off (NAMEDATALEN), and keeps names that begin with pg_ for itself.
		if len(at.Schema) > longestID {
			return fmt.Errorf("%w: the name of its schema would have %d bytes, the most is %d", ErrInvalidTenant, len(at.Schema), longestID)
		}
		if strings.HasPrefix(at.Schema, "pg_") || at.Schema == "information_schema" {
			return fmt.Errorf("%w: the name of its schema is one of the database's own", ErrInvalidTenant)
		}
	case "mysql":
		if utf8.RuneCountInString(at.Schema) > 64 || strings.HasSuffix(at.Schema, " ") {
			return fmt.Errorf("%w: the name of its database would have more than 64 characters, or end with a space", ErrInvalidTenant)
		}
		switch strings.ToLower(at.Schema) {
		case "mysql", "sys", "information_schema", "performance_schema":
			return fmt.Errorf("%w: the name of its database is one of the server's own", ErrInvalidTenant)
		}
		if strings.ContainsFunc(at.Schema, func(r rune) bool { return r > 0xFFFF }) {
			return fmt.Errorf("%w: the name of its database has a character that MySQL has none for", ErrInvalidTenant)
		}
	default:
		return fmt.Errorf("%w: %s has no schemas: give the tenant a database of its own", ErrInvalidConfig, p.dialect)
	}
	if !utf8.ValidString(at.Schema) || strings.ContainsFunc(at.Schema, unicode.IsControl) {
		return fmt.Errorf("%w: the name of its schema is not valid UTF-8, or has a control character", ErrInvalidTenant)
	}
	return nil
}

// checkSchema refuses a schema that is the connection's own, which has the shared tables. conn is one to the shard.
func (p *Plugin) checkSchema(ctx context.Context, at callbacks.Place, shard string, conn gorm.ConnPool) error {
	if at.Schema == "" {
		return nil
	}
	own, known := p.schemas.Load(shard)
	if !known {
		query := "SELECT current_schema()"
		if p.dialect == "mysql" {
			query = "SELECT DATABASE()"
		}
		var name sql.NullString
		if err := conn.QueryRowContext(ctx, query).Scan(&name); err != nil {
			return err
		}
		own, _ = p.schemas.LoadOrStore(shard, name.String)
	}
	if name, _ := own.(string); name == at.Schema || p.dialect == "mysql" && strings.EqualFold(name, at.Schema) {
		return fmt.Errorf("%w: schema %q has the shared tables: a tenant's schema is another", ErrInvalidConfig, at.Schema)
	}
	return nil
}

// fromSchema returns a statement of the Migrator's as it is to be run with a tenant's database as the connection's own on
// MySQL: foreign keys to global tables name the database that those are in. PostgreSQL finds them by its search_path.
func (p *Plugin) fromSchema(shard, query string) string {
	own, _ := p.schemas.Load(shard)
	home, _ := own.(string)
	if p.dialect != "mysql" || home == "" {
		return query
	}
	return sqltext.MySQL.QualifyReferences(query, home, func(name string) bool {
		t := p.hooks.Tables.Named(name)
		return t != nil && !t.Class.Confined()
	})
}

// claims says which tenant has a place that holds one alone: an exclusive one, or a schema.
type claims struct {
	holders sync.Map // claimed → holder
	settled sync.Map // the holder's ID → Placement: what each statement asks for
}

// holds tells whether a place is known to be the tenant's, or one that many may share.
func (c *claims) holds(id any, at Placement) bool {
	if at.Schema == "" && at.TableSuffix == "" && !at.Exclusive {
		return true
	}
	known, ok := c.settled.Load(id)
	return ok && known == any(at)
}

// holder is the tenant that has a place, and the placement that says so.
type holder struct {
	id ID
	at Placement
}

// claimed is a place as the database tells it from others.
type claimed struct{ shard, schema, suffix string }

// claim refuses a second tenant. One that has moved away has lost its claim.
func (c *claims) claim(ctx context.Context, p *Plugin, at Placement, id ID) error {
	if !at.Exclusive && at.Schema == "" {
		return nil
	}
	place := claimed{at.Shard, at.Schema, at.TableSuffix}
	if p.dialect != "postgres" { // names of files, and of MySQL's databases, can differ in case alone and be the same
		place = claimed{strings.ToLower(at.Shard), strings.ToLower(at.Schema), strings.ToLower(at.TableSuffix)}
	}
	mine := holder{id, at}
	for {
		known, taken := c.holders.LoadOrStore(place, mine)
		if !taken || known == mine {
			c.settled.Store(string(id), at)
			return nil
		}
		first, _ := known.(holder)
		if first.id != id && c.stands(ctx, p, first) {
			return fmt.Errorf("%w: the placement is for one tenant alone, and another has it", ErrTenantMismatch)
		}
		if c.holders.CompareAndSwap(place, known, mine) {
			c.settled.Delete(string(first.id))
			c.settled.Store(string(id), at)
			return nil
		}
	}
}

// stands tells whether a tenant still is where it was when it claimed the place.
func (c *claims) stands(ctx context.Context, p *Plugin, h holder) bool {
	at, err := p.cfg.Resolver.Resolve(ctx, h.id)
	return err == nil && at == h.at
}
