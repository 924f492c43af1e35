package tenancy

import (
	"context"
	"log/slog"
)

// StatementEvent is what observers are told of one statement. It holds no SQL and no values.
type StatementEvent struct {
	Tenant ID     // of the context; empty without one
	Op     string // create, query, update, delete, row or raw
	Table  string // the main table; empty for raw SQL
	Rows   int64  // read or changed; -1 where GORM does not know
	Reason string // given to WithoutTenant
	Err    error  // why it was refused
	// Placement is where the rows are; zero if that was not found out, or for the shared tables of the default database.
	Placement Placement
	// Placements are those of a statement over several; then Placement is zero.
	Placements []Placement
}

// The interfaces below are optional, each on its own: [Config].Observer implements those that it wants to hear of, as pgx
// asks its tracers (pgx v5 tracer.go). Their methods are called in the statement's goroutine and concurrently, so they
// must be quick, must not panic (the statement holds a connection), and must not use the statement's database.
type (
	// ScopedObserver hears of each statement that was confined to a tenant and has run.
	ScopedObserver interface {
		StatementScoped(ctx context.Context, e StatementEvent)
	}
	// RefusedObserver hears of each statement that was refused.
	RefusedObserver interface {
		StatementRefused(ctx context.Context, e StatementEvent)
	}
	// WithoutTenantObserver hears of each statement on tenants' rows that ran under [WithoutTenant].
	WithoutTenantObserver interface {
		StatementWithoutTenant(ctx context.Context, e StatementEvent)
	}
)

// SlogObserver writes what it hears to a [slog.Logger]: refusals as warnings, statements without a tenant as
// information, scoped statements as debug messages. It may be used concurrently.
type SlogObserver struct{ logger *slog.Logger }

var (
	_ ScopedObserver        = (*SlogObserver)(nil)
	_ RefusedObserver       = (*SlogObserver)(nil)
	_ WithoutTenantObserver = (*SlogObserver)(nil)
)

// NewSlogObserver returns an observer that writes to l; nil is [slog.Default].
func NewSlogObserver(l *slog.Logger) *SlogObserver {
	if l == nil {
		l = slog.Default()
	}
	return &SlogObserver{logger: l}
}

// StatementScoped implements [ScopedObserver].
func (o *SlogObserver) StatementScoped(ctx context.Context, e StatementEvent) {
	if o.logger.Enabled(ctx, slog.LevelDebug) {
		o.logger.LogAttrs(ctx, slog.LevelDebug, "tenancy: scoped", e.attrs(slog.Int64("rows", e.Rows))...)
	}
}

// StatementRefused implements [RefusedObserver].
func (o *SlogObserver) StatementRefused(ctx context.Context, e StatementEvent) {
	o.logger.LogAttrs(ctx, slog.LevelWarn, "tenancy: refused", e.attrs(slog.Any("error", e.Err))...)
}

// StatementWithoutTenant implements [WithoutTenantObserver].
func (o *SlogObserver) StatementWithoutTenant(ctx context.Context, e StatementEvent) {
	o.logger.LogAttrs(ctx, slog.LevelInfo, "tenancy: without tenant", e.attrs(slog.Int64("rows", e.Rows), slog.String("reason", e.Reason))...)
}

func (e StatementEvent) attrs(more ...slog.Attr) []slog.Attr {
	attrs := []slog.Attr{slog.String("op", e.Op)}
	if e.Tenant != "" {
		attrs = append(attrs, slog.String("tenant", string(e.Tenant)))
	}
	if e.Table != "" {
		attrs = append(attrs, slog.String("table", e.Table))
	}
	if e.Placement.Shard != "" {
		attrs = append(attrs, slog.String("shard", e.Placement.Shard))
	}
	if e.Placement.Schema != "" {
		attrs = append(attrs, slog.String("schema", e.Placement.Schema))
	}
	if len(e.Placements) > 0 {
		attrs = append(attrs, slog.Int("placements", len(e.Placements)))
	}
	return append(attrs, more...)
}
