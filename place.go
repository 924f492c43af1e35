package tenancy

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/internal/shardkey"
	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// place finds out where the rows are that statements of who are about.
func (p *Plugin) place(ctx context.Context, who *callbacks.Subject) (Placement, error) {
	if p.cfg.Resolver == nil && !who.Placed() && who.Kind != callbacks.System {
		return Placement{}, nil
	}
	if s := scopeOf(ctx); who.Kind == callbacks.System { // the Migrator: where the context says, or else at home
		if s == nil || s.who.Kind != callbacks.Tenant && !s.who.Placed() {
			return Placement{}, nil
		}
		if s.err != nil {
			return Placement{}, s.err
		}
		who = &s.who
	}
	if p.pure && !who.Placed() {
		if at := p.claims.of(who.Boxed); at != nil {
			return *at, nil
		}
	}
	id, named, at := ID(who.ID), who.Placed(), Placement{}
	if named {
		at = scopeOf(ctx).at
	}
	switch {
	case id == "" && who.Where == callbacks.ByKey && p.cfg.Resolver != nil:
		k, err := shardkey.Of(who.ShardKey)
		if err != nil {
			return Placement{}, fmt.Errorf("%w: the key of WithShardKey: %w", ErrMissingShardKey, err)
		}
		at, err := rules{p}.HomeOf(ctx, string(k.Append(nil)))
		return Placement(at), err
	case id == "" && !named:
		return Placement{}, fmt.Errorf("%w: without a tenant, say where: tenancy.WithPlacement(ctx, p)", ErrMissingShardKey)
	case p.cfg.Resolver == nil && id != "":
		if at != (Placement{}) {
			return Placement{}, errPlacedElsewhere()
		}
	case id != "":
		own, err := p.cfg.Resolver.Resolve(ctx, who.Key)
		if err != nil {
			return Placement{}, err
		}
		if named && !at.is(own) {
			return Placement{}, errPlacedElsewhere()
		}
		at = own
	}
	p.learnSuffix(at.TableSuffix)
	if id != "" && p.claims.holds(who.Boxed, at) {
		return at, nil
	}
	if err := p.checkNames(at); err != nil || id == "" {
		return at, err
	}
	return at, p.claims.claim(ctx, p, at, id)
}

// is tells whether two placements are the same place.
func (p Placement) is(other Placement) bool {
	other.Exclusive = p.Exclusive
	return p == other
}

func errPlacedElsewhere() error {
	return fmt.Errorf("%w: WithPlacement names another placement than the tenant's", ErrTenantMismatch)
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

// ownSchemas are those in which the connections of a shard look for names without one, and so for shared tables.
type ownSchemas struct {
	current string
	path    []string // in which PostgreSQL looks, those included that are not there yet
}

// checkSchema refuses a schema that the connections of a database look into by themselves, be it with the role of [Shard].Admin.
// conn is one of them; database may be nil, if it has been looked at.
func (p *Plugin) checkSchema(ctx context.Context, at callbacks.Place, database *pools.Database, conn gorm.ConnPool) error {
	if at.Schema == "" {
		return nil
	}
	known, ok := p.schemas.Load(at.Shard)
	if !ok {
		own, err := p.ownSchemas(ctx, conn)
		if err != nil {
			return err
		}
		complete := p.binder == nil // or else the role of WithoutTenant counts too
		if !complete && database != nil {
			complete = !database.HasAdmin() || p.addSchemasOfAdmin(ctx, database, &own) == nil // a role that is not there looks nowhere
		}
		if known = own; complete {
			known, _ = p.schemas.LoadOrStore(at.Shard, own)
		}
	}
	own, _ := known.(ownSchemas)
	if own.current == at.Schema || p.dialect == "mysql" && strings.EqualFold(own.current, at.Schema) || slices.Contains(own.path, at.Schema) {
		return fmt.Errorf("%w: the connections look for shared tables in schema %q: a tenant's schema is another", ErrInvalidConfig, at.Schema)
	}
	return nil
}

// addSchemasOfAdmin adds those of another role, whose "$user" is another.
func (p *Plugin) addSchemasOfAdmin(ctx context.Context, database *pools.Database, own *ownSchemas) error {
	admin, err := database.Admin(ctx)
	if err != nil {
		return err
	}
	theirs, err := p.ownSchemas(ctx, admin.Plain())
	own.path = append(own.path, theirs.path...)
	return err
}

func (p *Plugin) ownSchemas(ctx context.Context, conn gorm.ConnPool) (own ownSchemas, err error) {
	if p.dialect == "mysql" {
		var name sql.NullString
		err = conn.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&name)
		return ownSchemas{current: name.String}, err
	}
	var name sql.NullString
	var user, session, path string
	err = conn.QueryRowContext(ctx, "SELECT current_schema(), current_user, session_user, current_setting('search_path')").Scan(&name, &user, &session, &path)
	own.current = name.String
	for entry := range strings.SplitSeq(path, ",") {
		entry = strings.TrimSpace(entry)
		if quoted := strings.Trim(entry, `"`); quoted != entry {
			entry = strings.ReplaceAll(quoted, `""`, `"`)
		}
		own.path = append(own.path, entry)
	}
	if slices.Contains(own.path, "$user") {
		own.path = append(own.path, user, session)
	}
	return own, err
}

// inSchema returns a statement of the Migrator's as it is to be run with a tenant's schema as the connection's own. On PostgreSQL
// what it is about is named with the schema, for the search_path goes on to others; what it may find there are types,
// functions, and the global tables that foreign keys refer to. On MySQL those are named with the database that they are in.
func (p *Plugin) inSchema(pass *callbacks.Pass, query string) (string, error) {
	confined := func(name string) bool {
		t := p.hooks.Tables.Named(name)
		return t == nil || t.Class.HasPlace()
	}
	at := pass.At()
	if p.dialect == "postgres" {
		text, ok := sqltext.Postgres.Within(query, at.Schema, confined)
		if !ok {
			return query, p.router.refuse(pass, fmt.Errorf("%w: the Migrator sends a statement whose names are not found, and cannot be held to the tenant's schema", ErrUnconfinedSQL))
		}
		return text, nil
	}
	own, _ := p.schemas.Load(at.Shard)
	if known, ok := own.(ownSchemas); ok && known.current != "" {
		query = sqltext.MySQL.QualifyReferences(query, known.current, func(name string) bool { return !confined(name) })
	}
	return query, nil
}

// claims says which tenant has a place that holds one alone: an exclusive one, or a schema.
type claims struct {
	holders sync.Map // claimed → holder
	settled sync.Map // the holder's ID → *Placement: what each statement asks for
	// exclusive are the shards in which an exclusive placement has the plain tables: shard → claimed.
	exclusive sync.Map
}

// holds tells whether a place is known to be the tenant's, or one that many may share.
func (c *claims) holds(id any, at Placement) bool {
	if at.Schema == "" && at.TableSuffix == "" && !at.Exclusive {
		_, taken := c.exclusive.Load(at.Shard)
		return !taken
	}
	known := c.of(id)
	return known != nil && *known == at
}

// of returns the place that a tenant has alone, if it is known to have one.
func (c *claims) of(id any) *Placement {
	known, _ := c.settled.Load(id)
	at, _ := known.(*Placement)
	return at
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
	place := claimed{at.Shard, at.Schema, at.TableSuffix}
	if p.dialect != "postgres" { // names of files, and of MySQL's databases, can differ in case alone and be the same
		place = claimed{strings.ToLower(at.Shard), strings.ToLower(at.Schema), strings.ToLower(at.TableSuffix)}
	}
	mine := holder{id, at}
	if !at.Exclusive && at.Schema == "" { // others may be there, unless one has it alone
		known, taken := c.holders.Load(place)
		if first, _ := known.(holder); taken && first.id != id && c.stands(ctx, p, first) {
			return errTaken()
		}
		return nil
	}
	for {
		known, taken := c.holders.LoadOrStore(place, mine)
		if !taken || known == mine {
			c.settle(place, mine)
			return nil
		}
		first, _ := known.(holder)
		if first.id != id && c.stands(ctx, p, first) {
			return errTaken()
		}
		if c.holders.CompareAndSwap(place, known, mine) {
			c.settled.Delete(string(first.id))
			c.settle(place, mine)
			return nil
		}
	}
}

func errTaken() error {
	return fmt.Errorf("%w: the placement is for one tenant alone, and another has it", ErrTenantMismatch)
}

// settle remembers a claim for the statements to come.
func (c *claims) settle(place claimed, mine holder) {
	if mine.at.Exclusive && mine.at.Schema == "" && mine.at.TableSuffix == "" {
		c.exclusive.Store(mine.at.Shard, place)
	}
	c.settled.Store(string(mine.id), &mine.at)
}

// stands tells whether a tenant still is where it was when it claimed the place.
func (c *claims) stands(ctx context.Context, p *Plugin, h holder) bool {
	at, err := p.cfg.Resolver.Resolve(ctx, h.id)
	return err == nil && at == h.at
}

// forget drops the claims to a shard.
func (c *claims) forget(shard string) {
	c.exclusive.Delete(shard)
	c.holders.Range(func(place, h any) bool {
		if mine, ok := h.(holder); ok && mine.at.Shard == shard {
			c.holders.CompareAndDelete(place, h)
			if at := c.of(string(mine.id)); at != nil && *at == mine.at {
				c.settled.CompareAndDelete(string(mine.id), at)
			}
		}
		return true
	})
}
