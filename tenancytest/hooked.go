package tenancytest

import (
	"errors"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// Account has hooks that read and write other rows; Entry is what they write; Sneak's hooks try to leave the tenant.
type (
	account struct {
		ID       uint
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Name     string `gorm:"size:40"`
		Mark     string
		Seen     int64 `gorm:"-"`
		Balance  int
	}
	entry struct {
		ID        uint
		TenantID  string `gorm:"size:40" tenancy:"tenant"`
		Text      string
		AccountID uint
		Account   *account
	}
	sneak struct {
		ID       uint
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Name     string
		Trick    string `gorm:"-"`
	}
)

// BeforeCreate changes the row itself.
func (a *account) BeforeCreate(*gorm.DB) error {
	a.Name += "!"
	return nil
}

// AfterCreate writes another row, in the same transaction.
func (a *account) AfterCreate(tx *gorm.DB) error {
	if a.Name == "fail!" {
		return errStop
	}
	return tx.Create(&entry{Text: "created " + a.Name, AccountID: a.ID}).Error
}

// BeforeUpdate changes a column.
func (a *account) BeforeUpdate(tx *gorm.DB) error {
	tx.Statement.SetColumn("Mark", "updated")
	return nil
}

// AfterUpdate writes another row.
func (a *account) AfterUpdate(tx *gorm.DB) error {
	return tx.Session(&gorm.Session{NewDB: true}).Create(&entry{Text: "updated", AccountID: a.ID}).Error
}

// AfterDelete deletes other rows.
func (a *account) AfterDelete(tx *gorm.DB) error {
	return tx.Where("account_id = ?", a.ID).Delete(&entry{}).Error
}

// AfterFind reads other rows.
func (a *account) AfterFind(tx *gorm.DB) error {
	return tx.Model(&entry{}).Count(&a.Seen).Error
}

// BeforeCreate leaves the tenant by several ways.
func (s *sneak) BeforeCreate(tx *gorm.DB) error {
	switch s.Trick {
	case "field":
		s.TenantID = "globex"
	case "SetColumn":
		tx.Statement.SetColumn("TenantID", "globex")
	case "Exec":
		return tx.Exec("UPDATE entries SET text = 'x'").Error
	case "pool":
		_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, "UPDATE entries SET text = 'x'")
		return err
	case "context":
		tx.Statement.Context = tenancy.WithTenant(tx.Statement.Context, "globex")
	case "statement of B":
		return tx.WithContext(tenancy.WithTenant(tx.Statement.Context, "globex")).Create(&entry{Text: "x"}).Error
	}
	return nil
}

// BeforeUpdate leaves the tenant by several ways.
func (s *sneak) BeforeUpdate(tx *gorm.DB) error {
	switch s.Trick {
	case "SetColumn":
		tx.Statement.SetColumn("TenantID", "globex")
	case "Or":
		tx.Statement.Where("1 = 1").Or("1 = 1")
	case "Unscoped":
		tx.Statement.Unscoped = true
	}
	return nil
}

func hooked() *world {
	return &world{
		name: "hooks", a: "acme", b: "globex",
		models: []any{&account{}, &entry{}, &sneak{}},
		fill: func(raw *gorm.DB, who owner) error {
			id, n := string(who.id), who.from
			plain := raw.Session(&gorm.Session{SkipHooks: true})
			return errors.Join(
				plain.Create(&[]account{{ID: n + 1, TenantID: id, Name: "a1", Mark: who.mark}, {ID: n + 2, TenantID: id, Name: "a2", Mark: who.mark}}).Error,
				plain.Create(&[]entry{{ID: n + 1, TenantID: id, Text: "e1", AccountID: n + 1}, {ID: n + 2, TenantID: id, Text: "e2", AccountID: n + 2}}).Error,
				plain.Create(&sneak{ID: n + 1, TenantID: id, Name: "s1"}).Error,
			)
		},
		groups: []group{{"own", hookedOwn()}, {"foreign", hookedForeign()}},
	}
}

func hookedOwn() []check {
	const rule = "what hooks read and write is the tenant's, and part of the call"
	return []check{
		reading("Create", rule, func(_ *trial, db *gorm.DB) any { return db.Create(&account{Name: "new"}).Error }),
		reading("Create of a list", rule, func(_ *trial, db *gorm.DB) any { return db.Create(&[]account{{Name: "n1"}, {Name: "n2"}}).Error }),
		reading("Find", rule, func(_ *trial, db *gorm.DB) any {
			var got []account
			return []any{db.Find(&got).Error, got}
		}),
		reading("Update", rule, func(_ *trial, db *gorm.DB) any { return db.Model(named[account](db, "a1")).Update("balance", 5).Error }),
		reading("Save", rule, func(_ *trial, db *gorm.DB) any {
			a := named[account](db, "a1")
			a.Balance = 7
			return db.Save(a).Error
		}),
		reading("Delete", rule, func(_ *trial, db *gorm.DB) any { return db.Delete(named[account](db, "a1")).Error }),
		reading("SkipHooks", rule, func(_ *trial, db *gorm.DB) any {
			return db.Session(&gorm.Session{SkipHooks: true}).Create(&account{Name: "new"}).Error
		}),
		reading("a hook that fails", "a hook that fails undoes the call", func(c *trial, db *gorm.DB) any {
			if c.plugin.SkipDefaultTransaction {
				return nil
			}
			return db.Create(&account{Name: "fail"}).Error
		}),
		reading("a hook that fails, in a transaction", "a hook that fails undoes the call", func(_ *trial, db *gorm.DB) any {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Create(&account{Name: "fail"}).Error })
		}),
	}
}

func hookedForeign() []check {
	const rule = "a hook does not lead out of the tenant"
	var out []check
	for trick, want := range map[string]error{
		"field": tenancy.ErrTenantMismatch, "SetColumn": tenancy.ErrTenantMismatch, "pool": tenancy.ErrUnconfinedSQL,
		"statement of B": tenancy.ErrTenantMismatch,
	} {
		out = append(out, check{name: "Create, " + trick, rule: rule, run: func(c *trial) {
			if trick == "statement of B" && c.plugin.SkipDefaultTransaction {
				return // no transaction holds the two together: a statement in B's context is B's
			}
			assert.ErrorIs(c, c.a.Create(&sneak{Name: "x", Trick: trick}).Error, want, c.rule)
			c.unchanged()
		}})
	}
	return append(
		out,
		check{name: "Create, Exec", rule: rule, run: func(c *trial) {
			err := c.a.Create(&sneak{Name: "x", Trick: "Exec"}).Error // B's rows are looked at
			if !c.proven {
				assert.ErrorIs(c, err, tenancy.ErrUnconfinedSQL, c.rule)
				c.unchanged()
			}
		}},
		check{name: "Create, context", rule: rule, run: func(c *trial) {
			_ = c.a.Create(&sneak{Name: "x", Trick: "context"}).Error // B's rows are looked at
		}},
		check{name: "Update, SetColumn", rule: rule, run: func(c *trial) {
			assert.ErrorIs(c, c.a.Model(&sneak{ID: c.fixed(1), Trick: "SetColumn"}).Updates(map[string]any{"name": "x"}).Error, tenancy.ErrTenantMismatch, c.rule)
			c.unchanged()
		}},
		check{name: "Update, Or", rule: rule, run: func(c *trial) {
			_ = c.a.Model(&sneak{ID: c.fixed(1), Trick: "Or"}).Updates(map[string]any{"name": "x"}).Error // as above
		}},
		check{name: "Update, Unscoped", rule: rule, run: func(c *trial) {
			assert.NoError(c, c.a.Model(&sneak{ID: c.fixed(1), Trick: "Unscoped"}).Updates(map[string]any{"name": "x"}).Error, c.rule)
		}},
		check{name: "Update and Delete of B's row", rule: rule, run: func(c *trial) {
			assert.Zero(c, c.a.Model(&sneak{ID: c.fixedB(1)}).Update("name", "x").RowsAffected, c.rule)
			assert.Zero(c, c.a.Delete(&sneak{ID: c.fixedB(1)}).RowsAffected, c.rule)
			c.unchanged()
		}},
		check{name: "hooks after an update of B's row", rule: "a hook writes no row that points at another tenant's", run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return db.Model(&account{ID: c.fixedB(1)}).Update("balance", 5).Error }, c.undone)
		}},
	)
}
