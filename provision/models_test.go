package provision_test

import (
	"gorm.io/gorm"
)

// The models below have each kind of relation that matters when a tenant's rows are deleted: a parent that is deleted softly, a
// table that points at itself, two that point at each other, a join table, a polymorphic relation.
type Account struct {
	ID        uint
	TenantID  string `tenancy:"tenant" gorm:"size:63;index"`
	Name      string
	DeletedAt gorm.DeletedAt
	Projects  []Project
	Notes     []Note `gorm:"polymorphic:Owner"`
}

type Project struct {
	ID        uint
	TenantID  string `tenancy:"tenant" gorm:"size:63;index"`
	AccountID *uint
	PartOf    *uint
	Whole     *Project `gorm:"foreignKey:PartOf"`
	Labels    []Label  `gorm:"many2many:project_labels"`
	Currency  string   `gorm:"size:3"`
	Name      string
}

type Label struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	Text     string
}

type Team struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	LeadID   *uint
	Lead     *Member
}

type Member struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	TeamID   uint
	Team     *Team
}

type Note struct {
	ID        uint
	TenantID  string `tenancy:"tenant" gorm:"size:63;index"`
	OwnerID   uint
	OwnerType string
}

// Currency is the same everywhere.
type Currency struct {
	Code string `gorm:"primaryKey;size:3"`
	Name string
}

func models() []any {
	return []any{&Account{}, &Project{}, &Label{}, &Team{}, &Member{}, &Note{}}
}

// fill writes rows of a tenant into each table: in its context, and so wherever it is.
func fill(db *gorm.DB, first uint) error {
	account := Account{ID: first, Name: "a", Notes: []Note{{ID: first}}, Projects: []Project{
		{ID: first, Name: "whole", Labels: []Label{{ID: first, Text: "x"}, {ID: first + 1, Text: "y"}}},
	}}
	part := Project{ID: first + 1, Name: "part", PartOf: new(first)}
	further := Project{ID: first + 2, Name: "part of part", PartOf: new(first + 1)}
	gone := Account{ID: first + 1, Name: "gone"}
	for _, do := range []func() error{
		func() error { return db.Create(&account).Error },
		func() error { return db.Create(&part).Error },
		func() error { return db.Create(&further).Error },
		func() error { return db.Create(&gone).Error },
		func() error { return db.Delete(&gone).Error },
		func() error { return db.Create(&Team{ID: first}).Error },
		func() error { return db.Create(&Member{ID: first, TeamID: first}).Error },
		func() error { return db.Model(&Team{ID: first}).Update("lead_id", first).Error },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// filled is how many rows fill writes into each table.
func filled() map[string]int64 {
	return map[string]int64{"accounts": 2, "projects": 3, "labels": 2, "project_labels": 2, "teams": 1, "members": 1, "notes": 1}
}
