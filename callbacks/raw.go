package callbacks

import (
	"regexp"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
)

// admitRaw decides about a statement that came as text: db.Raw, db.Exec, and GORM's own savepoints and migrations.
func (h *Hooks) admitRaw(pass *Pass) error {
	sql := pass.stmt.SQL.String()
	pass.raw = true
	switch {
	case pass.Op == OpRaw && isSavepoint(sql):
		pass.exempt = true
	case pass.free && !pass.elsewhere():
	case pass.free && h.migrators.calling():
		return h.migrates(pass)
	case pass.free:
	case h.proves() && !h.mayBeMigrators(pass, sql):
		if err := h.admitText(pass, sql); err != nil {
			return err
		}
	case h.migrators.calling():
		if err := h.migrates(pass); err != nil {
			return err
		}
	case h.proves():
		if err := h.admitText(pass, sql); err != nil {
			return err
		}
	case h.namesNoTenantTable(sql) && !composing.MatchString(sql) && !h.text.ChangesSession(sql):
		pass.home = "named in raw SQL"
	case pass.Who.Kind == Nobody:
		return h.refusal(pass, NoTenant, "raw SQL runs for a tenant too; to run it for all, use tenancy.WithoutTenant(ctx, reason)")
	default:
		return h.refusal(pass, Unconfined, "raw SQL cannot be shown to stay within the tenant: use a model, or tenancy.WithoutTenant(ctx, reason)")
	}
	// Migrator.CreateView writes a query with its arguments into its own text, and loses the query's error.
	switch {
	case strings.Contains(sql, unboundMark):
		return h.refusal(pass, NoTenant, "the query in it has no tenant: for a view over all tenants, build it with tenancy.WithoutTenant(ctx, reason)")
	case strings.Contains(sql, refusedMark):
		return h.refusal(pass, Unconfined, "the query in it was refused: for a view over all tenants, build it with tenancy.WithoutTenant(ctx, reason)")
	}
	pass.scoped = true
	return nil
}

// composing finds statements that run SQL which they put together, so that no name can be found in them.
var composing = regexp.MustCompile(`(?i)^\s*do\b|\b(?:execute|prepare|call)\b`)

func isSavepoint(sql string) bool {
	_, ok := sqltext.SavepointOf(sql)
	return ok
}

// mentionsSharded tells whether a text spells the name of a sharded table, or of any that has a place if it is to run in all of them.
func (h *Hooks) mentionsSharded(text string) bool {
	names := h.Tables.ShardedNames()
	if h.fleet != nil {
		names = h.Tables.PlacedNames()
	}
	_, found := sqltext.Mentions(text, names)
	return found
}

// mentions looks for the names of tables that belong to tenants.
func mentions(text string, known *tables.Registry) (string, bool) {
	return sqltext.Mentions(text, known.PlacedNames())
}

func plain(name string) bool { return sqltext.PlainName(name) }
