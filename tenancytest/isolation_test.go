package tenancytest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// setup is one combination of the matrix.
type setup struct {
	engine    engine
	placement string
	prepared  bool // statements are prepared
	secured   bool // row-level security is on
	proven    bool // with an analyzer of SQL
	bare      bool // no default transactions
	whole     bool // all shapes of models
}

// setups are all combinations that there are.
func setups() []setup {
	var all []setup
	for _, e := range engines() {
		// Types of the tenant change nothing in where and how statements are sent.
		all = append(
			all,
			setup{engine: e, placement: "rows", whole: true}, setup{engine: e, placement: "rows", proven: true, whole: true},
			setup{engine: e, placement: "rows", prepared: true}, setup{engine: e, placement: "rows", proven: true, prepared: true},
			setup{engine: e, placement: "rows", bare: true},
		)
		for _, placement := range []string{"rows", "schema", "database", "mixed"} {
			for _, prepared := range []bool{false, true} {
				for _, secured := range []bool{false, true} {
					c := setup{engine: e, placement: placement, prepared: prepared, secured: secured}
					// Schemas need it; the others are to work with it and without.
					c.proven = placement == "schema" || placement == "mixed" && e.schema != nil || prepared != secured
					if c.exists() && (placement != "rows" || secured) {
						all = append(all, c)
					}
				}
			}
		}
	}
	return all
}

// exists tells whether the database has such places, and such a security.
func (c setup) exists() bool {
	return (c.placement != "schema" || c.engine.schema != nil) && (!c.secured || c.engine.as != nil)
}

func (c setup) name() string {
	name := c.engine.name + "/" + c.placement
	for _, of := range []struct {
		name string
		is   bool
	}{{"prepared", c.prepared}, {"secured", c.secured}, {"proven", c.proven}, {"bare", c.bare}} {
		if of.is {
			name += "," + of.name
		}
	}
	return name
}

// harness is an application of this kind. lives says where the tenants of the nth world are.
func (c setup) harness(t testing.TB, shards int, lives func(nth, tenant int) kind) Harness {
	t.Helper()
	l := layout{engine: c.engine, open: c.prepared, shards: shards, made: map[string]func() gorm.Dialector{}, keep: t}
	if c.secured {
		g := newGuard(t)
		l.guard = &g
	}
	h := Harness{Database: c.engine.database, Config: func() *gorm.Config {
		return &gorm.Config{Logger: logger.Discard, PrepareStmt: c.prepared, SkipDefaultTransaction: c.bare, TranslateError: c.bare}
	}}
	if c.proven {
		h.SQL = c.engine.sql
	}
	nth := 0
	if c.prepared != c.secured {
		nth = 1
	}
	h.Places = func(t testing.TB, home func() gorm.Dialector, tenants []tenancy.ID) Places {
		t.Helper()
		l, n := l, nth
		l.lives = func(tenant int) kind { return lives(n, tenant) }
		nth++
		return l.places(t, home, tenants)
	}
	return h
}

// two are the places of A and B. In a mixed world one of them is elsewhere and the other in shared tables, by turns.
func (c setup) two(nth, tenant int) kind {
	switch c.placement {
	case "schema":
		return inSchema
	case "database":
		return inDatabase
	case "mixed":
		switch {
		case tenant != nth%2:
			return atHome
		case c.engine.schema != nil && nth/2%2 == 1:
			return inSchema
		default:
			return inDatabase
		}
	}
	return atHome
}

// many are the places of a crowd.
func (c setup) many(_, tenant int) kind {
	if c.placement != "mixed" {
		return c.two(0, tenant)
	}
	some := []kind{atHome, inDatabase}
	if c.engine.schema != nil {
		some = append(some, inSchema)
	}
	return some[tenant%len(some)]
}

// uuidParent and the models around it: the tenant is a UUID of github.com/google/uuid.
type (
	uuidParent struct {
		ID       uint
		TenantID uuid.UUID `gorm:"type:char(36);uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *uuidParent
		Country  *country
		Profile  *uuidProfile `gorm:"foreignKey:ParentID"`
		Children []uuidChild  `gorm:"foreignKey:ParentID"`
		Tags     []uuidTag    `gorm:"many2many:uuid_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	uuidChild struct {
		ID       uint
		TenantID uuid.UUID `gorm:"type:char(36);uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *uuidParent
	}
	uuidProfile struct {
		ID       uint
		TenantID uuid.UUID `gorm:"type:char(36);uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	uuidTag struct {
		ID       uint
		TenantID uuid.UUID `gorm:"type:char(36);uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

func TestIsolationMatrix(t *testing.T) {
	t.Parallel()
	for _, c := range setups() {
		t.Run(c.name(), func(t *testing.T) {
			t.Parallel()
			h := c.harness(t, 0, c.two)
			if raced || !c.whole {
				shapes := structural()
				if raced && !c.whole {
					shapes = shapes[:1]
				}
				testWorlds(t, h, slices.DeleteFunc(worlds(), func(w *world) bool { return w.shape != nil && !slices.Contains(shapes, w.name) }))
				return
			}
			TestIsolation(t, h)
			testWorlds(t, h, []*world{newShape[uuidParent, uuidChild, uuidProfile, uuidTag]("uuid",
				"0190b7c8-7d1e-7000-8000-00000000000a", "0190b7c8-7d1e-7000-8000-00000000000b")})
		})
	}
}

// structural are the shapes that run with every configuration.
func structural() []string { return []string{"string", "composite key", "soft delete before tenant"} }

// TestConcurrencyMatrix has 20 tenants: in shared tables, in a schema each, in 5 databases, and in a mixture of these.
func TestConcurrencyMatrix(t *testing.T) { //nolint:paralleltest // it wants the machine for itself
	for _, c := range setups() {
		if c.bare || c.placement == "rows" && c.proven && !c.secured || c.engine.as != nil && c.placement != "rows" && c.secured != c.prepared {
			continue
		}
		t.Run(c.name(), func(t *testing.T) {
			crowd := Crowd{}
			if c.placement != "rows" { // a server has no end of connections
				crowd = Crowd{Goroutines: 25, For: time.Second / 2}
			}
			TestConcurrency(t, c.harness(t, 5, c.many), crowd)
		})
	}
}
