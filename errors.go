package tenancy

import (
	"errors"
	"fmt"
	"strings"
)

// The sentinels below are what errors.Is finds in the errors of statements and of db.Use. Statements carry them in a
// [*StatementError].
var (
	// ErrNoTenant means that the context names no tenant, and the statement touches tenants' rows. Use [WithTenant].
	ErrNoTenant = errors.New("tenancy: no tenant in the context")
	// ErrInvalidTenant means that an [ID] breaks the rules, or does not fit the tenant column.
	ErrInvalidTenant = errors.New("tenancy: invalid tenant ID")
	// ErrTenantNotFound means that the resolver does not know the tenant.
	ErrTenantNotFound = errors.New("tenancy: tenant not found")
	// ErrTenantExists means that a tenant cannot be made: its ID, a name or a domain is taken, or it is being made at the moment.
	ErrTenantExists = errors.New("tenancy: tenant exists")
	// ErrTenantMismatch means that a row, a foreign key or a transaction belongs to another tenant than the context's.
	ErrTenantMismatch = errors.New("tenancy: row or transaction of another tenant")
	// ErrUnconfinedSQL means that the plugin cannot show that the statement stays within the tenant's rows. Its text says what
	// was found, where, and how to write it instead; Config.SQL makes more of it understood.
	ErrUnconfinedSQL = errors.New("tenancy: SQL that is not confined to the tenant")
	// ErrUnknownTable means that a table is in none of the configuration's lists and has no tagged model.
	ErrUnknownTable = errors.New("tenancy: unknown table")
	// ErrMissingShardKey means that a statement does not say on which placement it runs: one on a sharded table has no condition
	// on its shard key, or one without a tenant says nothing. Use [WithShardKey], [WithPlacement] or [OnAllShards].
	ErrMissingShardKey = errors.New("tenancy: no placement to run on")
	// ErrTenantUnavailable means that the tenant is not served at the moment: its database cannot be reached, and is tried again by
	// and by; or its resolver knows it and says so, as package catalog does of tenants that are suspended or on the move.
	ErrTenantUnavailable = errors.New("tenancy: tenant unavailable")
	// ErrOverloaded means that all databases that may be open at once are in use, and none became free in time. See [PoolLimits].
	ErrOverloaded = errors.New("tenancy: too many databases in use")
	// ErrCrossShard means that a statement would need two placements, or a transaction a second database; or that a row would have
	// to go from one shard to another.
	ErrCrossShard = errors.New("tenancy: more than one database is needed")
	// ErrUnmergeable means that the answers of several placements cannot be made into the one that a single database would give.
	// Its text says why, and how to ask instead.
	ErrUnmergeable = errors.New("tenancy: the answers of several shards cannot be merged")
	// ErrAmbiguousRow means that a row that there is once was found on more than one shard.
	ErrAmbiguousRow = errors.New("tenancy: a row on more than one shard")
	// ErrShardNotFound means that a placement names a database that the plugin does not have, or that is not there.
	ErrShardNotFound = errors.New("tenancy: shard not found")
	// ErrInvalidConfig means that the configuration or a model's tags are wrong; db.Use reports all faults at once.
	ErrInvalidConfig = errors.New("tenancy: invalid configuration")
)

// StatementError is what the plugin returns for a statement that it refused: no SQL of it was sent, or what was sent has
// been rolled back. It never holds bind values or another tenant's ID.
type StatementError struct {
	Tenant ID     // of the context; empty if there is none
	Op     string // create, query, update, delete, row or raw
	Table  string // empty for raw SQL
	Err    error  // one of the sentinels, with what was found and what to do
}

// Error implements error.
func (e *StatementError) Error() string {
	var b strings.Builder
	b.WriteString(e.Err.Error())
	b.WriteString(" [")
	b.WriteString(e.Op)
	if e.Table != "" {
		b.WriteString(" on ")
		b.WriteString(e.Table)
	}
	if e.Tenant != "" && e.Tenant.check() == nil {
		b.WriteString(" for tenant ")
		b.WriteString(string(e.Tenant))
	}
	b.WriteByte(']')
	return b.String()
}

// Unwrap returns Err.
func (e *StatementError) Unwrap() error { return e.Err }

// PartialError is what work on many tenants or shards returns when some of it failed: the rest has been done.
type PartialError struct {
	Done   []string  // the names of tenants or shards whose part was done, in the order in which it ended
	Failed []Failure // the others that were tried
}

// Failure is a part of the work of a [PartialError] that failed.
type Failure struct {
	Name string // of the tenant or shard
	Err  error
}

// Error implements error: it counts, and shows the first failure.
func (e *PartialError) Error() string {
	if len(e.Failed) == 0 {
		return fmt.Sprintf("tenancy: %d done, none failed", len(e.Done))
	}
	first := e.Failed[0]
	return fmt.Sprintf("tenancy: %d of %d failed, the first for %q: %v", len(e.Failed), len(e.Failed)+len(e.Done), first.Name, first.Err)
}

// Unwrap returns the errors of all failures.
func (e *PartialError) Unwrap() []error {
	errs := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		errs[i] = f.Err
	}
	return errs
}
