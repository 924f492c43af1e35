package tenancytest

import "time"

// someTime is when things in fixtures have happened.
var someTime = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// Country belongs to no tenant.
type country struct {
	ID   uint
	Name string
}

// GORM takes the fields of embedded structs only if their types are exported.
type (
	// ParentData is the columns that parents have in all shapes.
	ParentData struct {
		Name      string `gorm:"size:40;uniqueIndex:,composite:natural"`
		Mark      string
		Score     int
		BossID    *uint
		CountryID *uint
	}
	// ChildData is the columns that children and profiles have in all shapes.
	ChildData struct {
		Name     string `gorm:"size:40;uniqueIndex:,composite:natural"`
		Mark     string
		Amount   int
		ParentID *uint
	}
	// TagData is the columns that tags have in all shapes.
	TagData struct {
		Name string `gorm:"size:40;uniqueIndex:,composite:natural"`
		Mark string
	}
)

// shapes are the shapes that the suite knows.
func shapes() []*world {
	return []*world{
		newShape[textParent, textChild, textProfile, textTag]("string", "acme", "globex"),
		newShape[compositeParent, compositeChild, compositeProfile, compositeTag]("composite key", "acme", "globex"),
		newShape[beforeParent, beforeChild, beforeProfile, beforeTag]("soft delete before tenant", "acme", "globex"),
		newShape[afterParent, afterChild, afterProfile, afterTag]("soft delete after tenant", "acme", "globex"),
		newShape[compositeIntParent, compositeIntChild, compositeIntProfile, compositeIntTag]("composite key of numbers, soft delete", "77", "88"),
		newShape[namedParent, namedChild, namedProfile, namedTag]("named string", "acme", "globex"),
		newShape[intParent, intChild, intProfile, intTag]("int64", "77", "88"),
		newShape[uintParent, uintChild, uintProfile, uintTag]("uint", "77", "88"),
		newShape[pointerParent, pointerChild, pointerProfile, pointerTag]("pointer to string", "acme", "globex"),
		newShape[basedParent, basedChild, basedProfile, basedTag]("embedded base", "acme", "globex"),
		newShape[renamedParent, renamedChild, renamedProfile, renamedTag]("names of its own", "acme", "globex"),
	}
}

// shapeGroups are the cases that run on every shape.
func shapeGroups() []group {
	return []group{
		{"reads", reads()},
		{"conditions", conditions()},
		{"joins", joins()},
		{"preloads", preloads()},
		{"subqueries", subqueries()},
		{"creates", creates()},
		{"upserts", upserts()},
		{"updates", updates()},
		{"deletes", deletes()},
		{"associations", associations()},
		{"text", texts()},
		{"smuggling", smuggling()},
		{"transactions", transactions()},
		{"contexts", contexts()},
		{"refusals", refusals()},
	}
}
