package tenancytest

import (
	"testing"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// Places is where an application's tenants live, and how to get there without the plugin. The zero value is the tables that
// all tenants share, in the database itself.
type Places struct {
	// Configure adds to the plugin's configuration what finds the places, Resolver and Shards or Open, and what guards them,
	// RowSecurity. Nil: nothing.
	Configure func(cfg *tenancy.Config)
	// Home opens the database for the plugin, if as another role than without it. Nil: as [Harness.Database] does.
	Home func() gorm.Dialector
	// Open opens a place without the plugin, so that plain names mean the tables there: with another search_path, another
	// database, another file. It is not asked for shared tables of the database itself, which are at the zero Placement.
	Open func(at tenancy.Placement) gorm.Dialector
	// Prepare is called for each place when its tables are there: to give the plugin's role its privileges, and to run
	// [tenancy.Plugin.RowSecurityDDL] where there are tables of tenants. The plugin is nil if Install has installed something
	// else. Nil: nothing.
	Prepare func(t testing.TB, at Place, p *tenancy.Plugin)
}

// Place is a place with its tables.
type Place struct {
	At      tenancy.Placement
	Tenants []tenancy.ID // whose rows it is to hold; empty if it has only tables of no tenant
	DB      *gorm.DB     // without the plugin
}

// placesOf makes the places of tenants.
func (h Harness) placesOf(t testing.TB, home func() gorm.Dialector, tenants ...tenancy.ID) Places {
	t.Helper()
	var p Places
	if h.Places != nil {
		p = h.Places(t, home, tenants)
	}
	if p.Configure == nil {
		p.Configure = func(*tenancy.Config) {}
	}
	if p.Home == nil {
		p.Home = home
	}
	if p.Prepare == nil {
		p.Prepare = func(testing.TB, Place, *tenancy.Plugin) {}
	}
	return p
}

// pluginOf returns the plugin of a handle; nil if it is none of this module's.
func pluginOf(db *gorm.DB) *tenancy.Plugin {
	p, _ := db.Plugins["tenancy"].(*tenancy.Plugin)
	return p
}
