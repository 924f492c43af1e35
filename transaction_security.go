package tenancy

import (
	"database/sql"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// What row-level security is told of a transaction.

// database is the pool that row-level security is checked for.
func (t *transaction) database() *sql.DB {
	if t.pool != nil {
		return t.pool.DB()
	}
	base := t.router.base
	if _, pinned := base.(*sql.Conn); pinned {
		base = t.router.plugin.router.base
	}
	db, _ := poolOf(base) // nil: what is found out is not kept apart
	return db
}

// show tells row-level security of the tenant: once, and again after a rollback to a savepoint.
func (t *transaction) show(pass *callbacks.Pass) error {
	p := t.router.plugin
	if p.binder == nil || t.admin {
		return nil
	}
	p.forgetTables(pass, t.database())
	if pass.Reach() == callbacks.There && p.guards(pass) {
		db := t.database()
		if !t.vetted {
			if err := p.checkRoleIn(pass.Context, db, withoutCache(t.bound)); err != nil {
				return t.router.refuse(pass, err)
			}
			t.vetted = true
		}
		if err := p.checkTables(pass, db, withoutCache(t.bound)); err != nil {
			return t.router.refuse(pass, err)
		}
	}
	tenant := t.tenant
	if pass.Who.Kind == callbacks.Tenant {
		tenant = pass.Who.ID
	}
	if tenant == "" || tenant == t.shown {
		return nil
	}
	if err := p.binder.Bind(pass.Context, withoutCache(t.bound), tenant); err != nil {
		return err
	}
	t.shown = tenant
	return nil
}

// forgetShown has row-level security told of the tenant again after a rollback to a savepoint: what was set after the
// savepoint is undone.
func (t *transaction) forgetShown(s sqltext.Savepoint) {
	if t.parent != nil {
		t.parent.forgetShown(s)
		return
	}
	if s.Op == "SAVEPOINT" || s.Op == "RELEASE" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shown = ""
}
