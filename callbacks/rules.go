package callbacks

import (
	"context"

	"gorm.io/gorm"
)

// Kind says for whom a statement runs.
type Kind uint8

const (
	// Nobody means that the context names no tenant.
	Nobody Kind = iota
	// Tenant means one tenant.
	Tenant
	// Everyone means all tenants of a placement, on the caller's word.
	Everyone
	// System means GORM's Migrator; no context says that.
	System
)

// Place is where rows are. It has the fields of the root package's Placement.
type Place struct {
	Shard, Schema, TableSuffix string
	Exclusive                  bool
}

// alone tells whether the tables there hold one tenant's rows and no other's.
func (p Place) alone() bool { return p.Exclusive || p.Schema != "" }

// database names what the columns of the tables there have in common.
func (p Place) database() string {
	if p.Schema == "" {
		return p.Shard
	}
	return p.Shard + "\x00" + p.Schema
}

// table names what the columns of one table there have in common.
func (p Place) table() string {
	if p.TableSuffix == "" {
		return p.database()
	}
	return p.Shard + "\x00" + p.Schema + "\x00" + p.TableSuffix
}

// String names a place in messages.
func (p Place) String() string {
	name := p.Shard
	if p.Schema != "" {
		name += "." + p.Schema
	}
	if name += p.TableSuffix; name == "" {
		return "default"
	}
	return name
}

// named tells whether the tables there go by other names than those of their models.
func (p Place) named() bool { return p.Schema != "" || p.TableSuffix != "" }

// Reach says which databases have what a statement touches.
type Reach uint8

const (
	// Anywhere means all of them: it touches reference tables, or none.
	Anywhere Reach = iota
	// Home means the default database, which alone has the global tables.
	Home
	// There means the database of the statement's place.
	There
)

// Where says what a context knows of the place of a statement.
type Where uint8

const (
	// Nowhere means that it says nothing.
	Nowhere Where = iota
	// AtPlace means a place that it names.
	AtPlace
	// ByKey means where rows with a shard key are.
	ByKey
	// Everywhere means all places.
	Everywhere
)

// Subject is for whom the statements of a context run.
type Subject struct {
	Kind   Kind
	ID     string // of the tenant
	Boxed  any    // ID, as a value to be bound
	Key    any    // ID, as a resolver is asked for it
	Reason string // given for Everyone
	Where  Where  // what the context says of the place
	// ShardKey is the key of ByKey.
	ShardKey any
}

// Placed tells whether the context names a place.
func (s *Subject) Placed() bool { return s.Where == AtPlace }

// Reason says why a statement is refused. The root package has a sentinel error for each.
type Reason uint8

// The reasons, in the order of the sentinels in the root package's errors.go.
const (
	NoTenant Reason = iota + 1
	InvalidTenant
	Mismatch
	Unconfined
	UnknownTable
	InvalidConfig
	CrossShard
	MissingShardKey
	Unmergeable
)

// Refusal is everything that the message of a refused statement needs.
type Refusal struct {
	Who    *Subject
	Op     Op
	Table  string
	At     Place // as far as it is known
	Reason Reason
	Why    string // what was found and what to do instead
	Cause  error  // an error of the root package that is passed on, instead of Reason
}

// Rules is what the hooks ask the root package, which they may not import. All of it may be called concurrently.
type Rules interface {
	// Identify says for whom statements of ctx run; never nil. Its error means that ctx cannot be used at all.
	Identify(ctx context.Context) (*Subject, error)
	// Place asks where the rows are that a statement of who, sent to pool, is about. A transaction knows its own place.
	Place(ctx context.Context, who *Subject, pool gorm.ConnPool) (Place, error)
	// Resolves tells whether tenants can be in different places.
	Resolves() bool
	// Several tells whether there is more than one database.
	Several() bool
	// HidesRows tells whether the database shows a statement the rows of its tenant alone.
	HidesRows() bool
	// Refuse makes the error of a refused statement, and tells the observer.
	Refuse(ctx context.Context, r Refusal) error
	// Ran tells the observer of a statement on tenants' or sharded rows that was not refused: at one place, or at several.
	Ran(ctx context.Context, who *Subject, op Op, table string, at Place, several []Place, rows int64)
	// Named returns the place that ctx names.
	Named(ctx context.Context) (Place, error)
	// HomeOf returns the place of a tenant.
	HomeOf(ctx context.Context, id string) (Place, error)
	// Homes lists the places of all tenants.
	Homes(ctx context.Context) ([]Place, error)
	// Databases lists the database of every place, the default one first.
	Databases(ctx context.Context) ([]Place, error)
	// Toward returns a context like ctx for statements at a place, without a tenant.
	Toward(ctx context.Context, at Place) context.Context
	// Apart makes one error of those of parts of a write that were committed each by itself; done and failed are their names.
	Apart(done, failed []string, errs []error) error
	// Pinned tells whether pool is a transaction of the application's, or one that has begun: what must not be in it cannot
	// be sent beside it.
	Pinned(pool gorm.ConnPool) bool
	// Pool returns the pool through which statements are sent that are in no transaction.
	Pool() gorm.ConnPool
	// Adopt returns the pool through which a statement of pool is sent: one that asks [Hooks.Admit].
	Adopt(pool gorm.ConnPool) gorm.ConnPool
	// UnlistedAreGlobal tells whether tables that nothing is known of belong to no tenant.
	UnlistedAreGlobal() bool
}

// Shards is what the hooks ask about one set of sharded models. All of it may be called concurrently. Keys and IDs are canonical.
type Shards interface {
	// PlaceOf returns the place of rows with a key.
	PlaceOf(ctx context.Context, key any) (Place, error)
	// PlaceOfID returns the place of the row with an ID that carries it.
	PlaceOfID(ctx context.Context, id any) (Place, error)
	// Places lists all places.
	Places(ctx context.Context) ([]Place, error)
	// NewID makes an ID for a row with a key.
	NewID(ctx context.Context, key any) (any, error)
	// Agree tells whether a row with a key may have an ID.
	Agree(ctx context.Context, key, id any) (bool, error)
}
