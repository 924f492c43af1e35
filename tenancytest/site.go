package tenancytest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// site is one of the places that hold a world's tables, seen without the plugin.
type site struct {
	at     tenancy.Placement
	db     *gorm.DB
	owners []owner // whose rows it holds
	global bool    // it has the tables of no tenant
	tables []*table

	snapshot *snapshot
}

// sites are the places of a set of tenants.
type sites struct {
	all    []*site // the database itself comes first
	copied bool    // tables of no tenant are in every database, as a statement cannot join those of two
	placed bool    // a resolver finds the places
	where  map[tenancy.ID]tenancy.Placement
}

// locate finds the places of tenants and opens them. cfg is what the application configures.
func (h Harness) locate(t testing.TB, cfg *tenancy.Config, places Places, home func() gorm.Dialector, tenants []owner) *sites {
	t.Helper()
	s := &sites{placed: cfg.Resolver != nil, where: map[tenancy.ID]tenancy.Placement{}}
	at := func(at tenancy.Placement) *site {
		at.Exclusive = false // which says nothing of where it is
		for _, known := range s.all {
			if known.at == at {
				return known
			}
		}
		open := home
		if at != (tenancy.Placement{}) {
			open = func() gorm.Dialector { return places.Open(at) }
		}
		s.all = append(s.all, &site{at: at, db: h.open(t, open())})
		return s.all[len(s.all)-1]
	}
	at(tenancy.Placement{}).global = true
	for _, who := range tenants {
		p := tenancy.Placement{}
		if s.placed {
			var err error
			p, err = cfg.Resolver.Resolve(t.Context(), who.id)
			require.NoError(t, err, "the resolver knows the tenants that Places was told of")
			require.Empty(t, p.TableSuffix, "the suite makes its tables with AutoMigrate, which knows no suffix")
		}
		s.where[who.id] = p
		here := at(p)
		here.owners = append(here.owners, who)
		if p.Shard != "" {
			s.copied = true
			at(tenancy.Placement{Shard: p.Shard}).global = true
		}
	}
	return s
}

// classify puts models into the lists of the configuration.
func (s *sites) classify(cfg *tenancy.Config, models, global []any) {
	cfg.Models = models
	if s.copied {
		cfg.Reference = global
	} else {
		cfg.Global = global
	}
}

// apart tells whether two tenants have no table in common.
func (s *sites) apart(a, b tenancy.ID) bool {
	one, two := s.where[a], s.where[b]
	return one.Shard != two.Shard || one.Schema != two.Schema
}

// make makes the tables of each place: with the plugin, in a tenant's context where it is a tenant's place. Under
// row-level security the role that migrates is another than the one that the plugin connects as.
func (s *sites) make(t testing.TB, plugin *gorm.DB, places Places, secured bool, models, global []any) {
	t.Helper()
	for _, here := range s.all {
		var tables []any
		if here.global {
			tables = append(tables, global...)
		}
		if len(here.owners) > 0 {
			tables = append(tables, models...)
		}
		migrator := plugin.WithContext(here.context(t.Context()))
		if secured {
			migrator = here.db
		}
		require.NoError(t, migrator.AutoMigrate(tables...), "AutoMigrate works in place %+v", here.at)
		here.tables = nil
		for _, table := range tablesOf(t, here.db, append(append([]any{}, global...), models...)) {
			if table.global && here.global || !table.global && len(here.owners) > 0 {
				here.tables = append(here.tables, table)
			}
		}
		for _, model := range models {
			require.Equal(t, len(here.owners) > 0, here.db.Migrator().HasTable(model), "tables of tenants are where tenants live, in place %+v", here.at)
		}
		for _, model := range global {
			if secured { // without the plugin GORM makes what relations lead to (gorm v1.31.2 migrator/migrator.go ReorderModels)
				break
			}
			require.Equal(t, here.global, here.db.Migrator().HasTable(model), "tables of no tenant are in the database itself, or in all, in place %+v", here.at)
		}
		places.Prepare(t, Place{At: here.at, Tenants: here.ids(), DB: here.db}, pluginOf(plugin))
	}
}

// context is one that leads to the place: none is needed for the database itself.
func (s *site) context(ctx context.Context) context.Context {
	switch {
	case s.at == tenancy.Placement{}:
		return ctx
	case len(s.owners) > 0:
		return tenancy.WithTenant(ctx, s.owners[0].id)
	default:
		return tenancy.WithPlacement(ctx, s.at)
	}
}

// label is what the tables of a place are called in reports.
func (s *site) label(name string) string {
	if s.at == (tenancy.Placement{}) {
		return name
	}
	return name + " at " + cmp.Or(s.at.Schema, s.at.Shard)
}

// holds tells whether a tenant's rows are there.
func (s *site) holds(id tenancy.ID) bool {
	return slices.ContainsFunc(s.owners, func(who owner) bool { return who.id == id })
}

// ids are the tenants whose rows are there.
func (s *site) ids() []tenancy.ID {
	ids := make([]tenancy.ID, len(s.owners))
	for i, who := range s.owners {
		ids[i] = who.id
	}
	return ids
}

// fill makes the tables of a place hold the fixture of a world, and no more.
func (s *site) fill(t testing.TB, w *world) {
	t.Helper()
	refill(t, s.db, s.tables, func(tx *gorm.DB) error {
		if s.global && w.fillGlobal != nil {
			if err := w.fillGlobal(tx); err != nil {
				return err
			}
		}
		for _, who := range s.owners {
			if err := w.fill(tx, who); err != nil {
				return err
			}
		}
		return nil
	})
}

// refill empties tables and has them filled.
func refill(t testing.TB, db *gorm.DB, tables []*table, fill func(tx *gorm.DB) error) {
	t.Helper()
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		for _, table := range tables {
			if err := tx.Exec("DELETE FROM " + tx.Statement.Quote(table.name)).Error; err != nil {
				return err
			}
		}
		return fill(tx)
	}))
}

// skipNumbers makes a database count new keys from a number, which tells them from those of the fixtures.
func skipNumbers(t testing.TB, db *gorm.DB, tables []*table, from int) {
	t.Helper()
	for _, table := range tables {
		if len(table.primary) != 1 {
			continue
		}
		var err error
		switch db.Name() {
		case "postgres":
			err = db.Exec("SELECT setval(pg_get_serial_sequence(?, ?), ?)", `"`+table.name+`"`, table.primary[0], from).Error
		case "mysql":
			err = db.Exec("ALTER TABLE " + db.Statement.Quote(table.name) + " AUTO_INCREMENT = " + strconv.Itoa(from)).Error
		case "sqlite":
			err = db.Exec("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", from, table.name).Error
		}
		require.NoError(t, err)
	}
}
