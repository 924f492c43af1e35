package tenancytest

import (
	"errors"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// Line has no primary key; Detail has a serialised field, defaults, and fields that cannot be written.
type (
	logLine struct {
		TenantID string `gorm:"size:40;index" tenancy:"tenant"`
		Text     string
		Mark     string
	}
	detail struct {
		Key      string         `gorm:"primaryKey;size:40"`
		TenantID string         `gorm:"size:40;default:nobody" tenancy:"tenant"`
		Options  map[string]int `gorm:"serializer:json"`
		Level    int            `gorm:"default:3"`
		Fixed    string         `gorm:"<-:create"`
		Version  int
		Mark     string
		Inner    inner `gorm:"embedded;embeddedPrefix:in_"`
	}
	// Inner is embedded with a prefix.
	inner struct {
		Name string
		Note *string
	}
	// Solo is unique by a column that does not hold the tenant, as an application should not have it.
	solo struct {
		ID       uint
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Email    string `gorm:"size:80;unique"`
		Mark     string
	}
)

func keyless() *world {
	return &world{
		name: "no primary key", a: "acme", b: "globex", models: []any{&logLine{}},
		fill: func(raw *gorm.DB, who owner) error {
			id := string(who.id)
			return raw.Create(&[]logLine{{id, "one", who.mark}, {id, "two", who.mark}}).Error
		},
		groups: []group{{"all", keylessChecks()}},
	}
}

func keylessChecks() []check {
	const rule = "a model without a primary key is confined by its tenant"
	return []check{
		reading("reads", rule, func(_ *trial, db *gorm.DB) any {
			var got []logLine
			var n int64
			return []any{db.Find(&got).Error, got, db.Model(&logLine{}).Count(&n).Error, n, db.Where("text = ? OR 1 = 1", "one").Find(&got).Error, got}
		}),
		reading("writes", rule, func(_ *trial, db *gorm.DB) any {
			tx, del := db.Model(&logLine{}).Where("text = ?", "one").Update("mark", "new"), db.Where("text = ?", "two").Delete(&logLine{})
			return []any{db.Create(&logLine{Text: "three"}).Error, tx.RowsAffected, tx.Error, del.RowsAffected, del.Error}
		}),
		reading("no condition", "ErrMissingWhereClause still guards", func(_ *trial, db *gorm.DB) any {
			return []any{db.Delete(&logLine{}).Error, db.Model(&logLine{}).Update("mark", "x").Error, db.Model(&logLine{Text: "one"}).Update("mark", "x").Error}
		}),
		reading("the tenant as the only condition", rule, func(_ *trial, db *gorm.DB) any {
			tx := db.Where("tenant_id = ?", "globex").Delete(&logLine{})
			return []any{tx.RowsAffected, tx.Error}
		}),
		{name: "a row of B", rule: rule, run: func(c *trial) {
			c.refused(c.a.Create(&logLine{TenantID: "globex", Text: "x"}).Error, tenancy.ErrTenantMismatch)
			c.refused(c.a.Create(&[]logLine{{Text: "y"}, {TenantID: "globex", Text: "x"}}).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
	}
}

func fielded() *world {
	return &world{
		name: "fields of many kinds", a: "acme", b: "globex", models: []any{&detail{}, &solo{}},
		fill: func(raw *gorm.DB, who owner) error {
			id, key := string(who.id), "a-"
			if who.mark == markB {
				key = "b-"
			}
			return errors.Join(
				raw.Create(&[]detail{
					{Key: key + "1", TenantID: id, Options: map[string]int{"x": 1}, Level: 1, Fixed: "f", Version: 1, Mark: who.mark, Inner: inner{Name: "in"}},
					{Key: key + "2", TenantID: id, Options: map[string]int{"y": 2}, Level: 2, Fixed: "f", Version: 1, Mark: who.mark},
				}).Error,
				raw.Create(&solo{ID: who.from + 1, TenantID: id, Email: key + "1@x", Mark: who.mark}).Error,
			)
		},
		groups: []group{{"fields", fieldChecks()}, {"unique without tenant", soloChecks()}},
	}
}

func fieldChecks() []check {
	const rule = "serializers, defaults and field permissions work as in plain GORM"
	return []check{
		reading("Find", rule, func(_ *trial, db *gorm.DB) any {
			var got []detail
			return []any{db.Find(&got).Error, got, db.Where(&detail{Inner: inner{Name: "in"}}).Find(&got).Error, got}
		}),
		reading("Create", rule, func(_ *trial, db *gorm.DB) any {
			d := detail{Key: "a-3", Options: map[string]int{"z": 3}, Fixed: "x"}
			return []any{db.Create(&d).Error, d.Level, d.Options}
		}),
		{name: "a default on the tenant column", rule: "a created row gets the tenant of the context", run: func(c *trial) {
			assert.NoError(c, c.a.Select("Key").Create(&detail{Key: "a-3"}).Error)
			assert.NoError(c, c.a.Create(&[]detail{{Key: "a-4"}, {Key: "a-5", TenantID: "acme"}}).Error)
			var n int64
			assert.NoError(c, c.a.Model(&detail{}).Count(&n).Error)
			assert.EqualValues(c, 5, n, c.rule)
		}},
		reading("Updates with a serialised field", rule, func(_ *trial, db *gorm.DB) any {
			return []any{
				db.Model(&detail{Key: "a-1"}).Updates(detail{Options: map[string]int{"new": 9}, Fixed: "ignored"}).Error,
				db.Model(&detail{Key: "a-2"}).Update("Options", map[string]int{"m": 1}).Error,
			}
		}),
		reading("Save", rule, func(_ *trial, db *gorm.DB) any {
			var d detail
			if err := db.Take(&d, clause.Eq{Column: "key", Value: "a-1"}).Error; err != nil {
				return err
			}
			d.Options["new"], d.Inner.Note = 1, new("note")
			return db.Save(&d).Error
		}),
		reading("optimistic locking", rule, func(_ *trial, db *gorm.DB) any {
			first := db.Model(&detail{Key: "a-1"}).Where("version = ?", 1).Updates(map[string]any{"version": gorm.Expr("version + 1"), "mark": "x"})
			second := db.Model(&detail{Key: "a-1"}).Where("version = ?", 1).Updates(map[string]any{"version": gorm.Expr("version + 1"), "mark": "y"})
			return []any{first.RowsAffected, first.Error, second.RowsAffected, second.Error}
		}),
		{name: "B's text key", rule: "an upsert that meets another tenant's row leaves it alone and says so", run: func(c *trial) {
			c.refused(c.a.Save(&detail{Key: c.textB(), Mark: "stolen"}).Error, tenancy.ErrTenantMismatch)
			c.refused(c.a.Clauses(clause.OnConflict{UpdateAll: true}).Create(&detail{Key: c.textB(), Mark: "stolen"}).Error, tenancy.ErrTenantMismatch)
			c.refused(c.a.Clauses(clause.OnConflict{UpdateAll: true}).Create(&[]detail{{Key: "a-9"}, {Key: c.textB(), Mark: "stolen"}}).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
	}
}

// textB is a text key of B's.
func (c *trial) textB() string {
	c.keyed = true
	return "b-1"
}

func soloChecks() []check {
	const rule = "an upsert that meets another tenant's row leaves it alone and says so"
	// taken writes a row that B's is in the way of.
	taken := func(name, rule string, do func(c *trial, db *gorm.DB) error) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			if c.apart() {
				c.same(func(db *gorm.DB) any { return do(c, db) })
				return
			}
			assert.Error(c, do(c, c.a), "the database's own error: %s", rule)
			c.unchanged()
		}}
	}
	return []check{
		taken("Create of what B has", "another tenant's row is not touched, and its contents are not told", func(c *trial, db *gorm.DB) error {
			return db.Create(&solo{Email: c.textB() + "@x"}).Error
		}),
		{name: "OnConflict over the unique column", rule: rule, run: func(c *trial) {
			c.refused(c.a.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"mark"})}).
				Create(&solo{Email: c.textB() + "@x", Mark: "stolen"}).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		// PostgreSQL and SQLite look at the primary key alone and report the other as a violation.
		taken("UpdateAll that meets B over the unique column", rule, func(c *trial, db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&solo{ID: c.fixed(1), Email: c.textB() + "@x", Mark: "stolen"}).Error
		}),
		taken("UpdateAll of a new row that meets B over the unique column", rule, func(c *trial, db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&solo{ID: 1500, Email: c.textB() + "@x", Mark: "stolen"}).Error
		}),
		taken("FirstOrCreate of what B has", "another tenant's row is not found", func(c *trial, db *gorm.DB) error {
			var s solo
			err := db.FirstOrCreate(&s, solo{Email: c.textB() + "@x"}).Error
			assert.Empty(c, s.Mark, c.rule)
			return err
		}),
	}
}
