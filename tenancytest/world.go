package tenancytest

import (
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// A world is a set of models with a fixture and the cases that run on it.
type world struct {
	name   string
	a, b   tenancy.ID
	models []any // of tenants
	global []any
	// prepare is called for every handle before its first statement, for SetupJoinTable. Nil: nothing to do.
	prepare func(db *gorm.DB) error
	// fill inserts one tenant's rows.
	fill func(raw *gorm.DB, who owner) error
	// fillGlobal inserts the rows of no tenant. Nil: none.
	fillGlobal func(raw *gorm.DB) error
	groups     []group

	shape *shape // of the models that the shapes have in common; nil in other worlds
}

// owner is a tenant in a fixture: its ID, the mark that its rows carry, and the number that its primary keys count from.
type owner struct {
	id   tenancy.ID
	mark string
	from uint
}

const (
	markA, markB = "row of A", "row of B"
	fromA, fromB = 1000, 2000
	newKeys      = 3000 // what is above is not of a fixture
	madeKeys     = 5000 // what the database makes is above
)

// group is the cases on one subject.
type group struct {
	subject string
	checks  []check
}

// check is one case. Its rule says what promise it checks, for whoever reads its failure.
type check struct {
	name, rule string
	when       func(w *world) bool // nil: in every world
	run        func(c *trial)
}

// single tells whether primary keys are single columns: then no two tenants have the same.
func single(w *world) bool { return w.shape == nil || !w.shape.composite }

// composite is the contrary of single.
func composite(w *world) bool { return !single(w) }

// softly tells whether rows are deleted softly.
func softly(w *world) bool { return w.shape != nil && w.shape.soft }
