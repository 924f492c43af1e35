package sqlproof_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// User and the models around it have what GORM writes statements for.
type User struct {
	ID        uint
	TenantID  string `tenancy:"tenant"`
	Name      string
	Age       int
	CompanyID *uint
	Company   *Company
	Orders    []Order
	Languages []Language `gorm:"many2many:user_languages"`
	DeletedAt gorm.DeletedAt
}

type Company struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Name     string
}

type Order struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	UserID   uint
	Amount   int
}

type Language struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Code     string
}

// finishers are GORM's, each with what it can have with it.
func finishers() []struct {
	name string
	run  func(db *gorm.DB) error
} {
	of := func(do func(db *gorm.DB) *gorm.DB) func(db *gorm.DB) error {
		return func(db *gorm.DB) error { return do(db).Error }
	}
	users := func() *[]User { return &[]User{} }
	one := func() *User { return &User{ID: 7, Name: "ann"} }
	var n int64
	return []struct {
		name string
		run  func(db *gorm.DB) error
	}{
		{"First", of(func(db *gorm.DB) *gorm.DB { return db.First(&User{}, 7) })},
		{"Take", of(func(db *gorm.DB) *gorm.DB { return db.Where("name = ?", "ann").Take(&User{}) })},
		{"Last", of(func(db *gorm.DB) *gorm.DB { return db.Last(&User{}) })},
		{"Find", of(func(db *gorm.DB) *gorm.DB {
			return db.Where("name = ? OR age > ?", "ann", 3).Order("name DESC").Limit(10).Offset(5).Find(users())
		})},
		{"Find by a struct", of(func(db *gorm.DB) *gorm.DB { return db.Where(&User{Name: "ann"}).Or(&User{Age: 3}).Find(users()) })},
		{"Find by a map", of(func(db *gorm.DB) *gorm.DB { return db.Where(map[string]any{"name": []string{"a", "b"}}).Find(users()) })},
		{"Find IN", of(func(db *gorm.DB) *gorm.DB { return db.Find(users(), []int{1, 2, 3}) })},
		{"Find with tuples", of(func(db *gorm.DB) *gorm.DB {
			return db.Where("(name, age) IN ?", [][]any{{"a", 1}, {"b", 2}}).Find(users())
		})},
		{"Not", of(func(db *gorm.DB) *gorm.DB {
			return db.Not("name = ?", "ann").Not(map[string]any{"age": []int{1, 2}}).Find(users())
		})},
		{"Unscoped", of(func(db *gorm.DB) *gorm.DB { return db.Unscoped().Find(users()) })},
		{"Select and Omit", of(func(db *gorm.DB) *gorm.DB { return db.Select("name", "age").Omit("age").Find(users()) })},
		{"Distinct", of(func(db *gorm.DB) *gorm.DB { return db.Distinct("name").Find(users()) })},
		{"Count", of(func(db *gorm.DB) *gorm.DB { return db.Model(&User{}).Where("age > ?", 3).Count(&n) })},
		{"Count of groups", of(func(db *gorm.DB) *gorm.DB { return db.Model(&User{}).Group("name").Count(&n) })},
		{"Count distinct", of(func(db *gorm.DB) *gorm.DB { return db.Model(&User{}).Distinct("name").Count(&n) })},
		{"Pluck", of(func(db *gorm.DB) *gorm.DB { return db.Model(&User{}).Pluck("name", &[]string{}) })},
		{"Group and Having", of(func(db *gorm.DB) *gorm.DB {
			return db.Model(&User{}).Select("name, count(*) AS n").Group("name").Having("count(*) > ?", 1).Find(&[]map[string]any{})
		})},
		{"Table", of(func(db *gorm.DB) *gorm.DB {
			return db.Table("users AS u").Where("u.age > ?", 3).Find(&[]map[string]any{})
		})},
		{"Table of a subquery", of(func(db *gorm.DB) *gorm.DB {
			return db.Table("(?) AS u", db.Session(&gorm.Session{NewDB: true}).Model(&User{}).Select("name")).Find(&[]map[string]any{})
		})},
		{"a subquery", of(func(db *gorm.DB) *gorm.DB {
			return db.Where("age > (?)", db.Session(&gorm.Session{NewDB: true}).Model(&User{}).Select("avg(age)")).Find(users())
		})},
		{"Joins", of(func(db *gorm.DB) *gorm.DB { return db.Joins("Company").Find(users()) })},
		{"InnerJoins with a condition", of(func(db *gorm.DB) *gorm.DB {
			return db.InnerJoins("Company", db.Session(&gorm.Session{NewDB: true}).Where(&Company{Name: "x"})).Find(users())
		})},
		{"Locking", of(func(db *gorm.DB) *gorm.DB { return db.Clauses(clause.Locking{Strength: "UPDATE"}).First(&User{}, 7) })},
		{"Association Find", func(db *gorm.DB) error { return db.Model(one()).Association("Languages").Find(&[]Language{}) }},
		{"Association Find of children", func(db *gorm.DB) error { return db.Model(one()).Association("Orders").Find(&[]Order{}) }},
		{"Association Delete", func(db *gorm.DB) error { return db.Model(one()).Association("Languages").Delete(&Language{ID: 3}) }},
		{"Association Clear", func(db *gorm.DB) error { return db.Model(one()).Association("Orders").Clear() }},
		{"Create", of(func(db *gorm.DB) *gorm.DB { return db.Create(&User{Name: "ann", TenantID: subject}) })},
		{"Create with associations", of(func(db *gorm.DB) *gorm.DB {
			return db.Create(&User{
				ID: 7, Name: "ann", TenantID: subject, Company: &Company{ID: 2, TenantID: subject, Name: "x"},
				Orders: []Order{{ID: 4, TenantID: subject, Amount: 1}}, Languages: []Language{{ID: 5, TenantID: subject, Code: "is"}},
			})
		})},
		{"Create of several", of(func(db *gorm.DB) *gorm.DB {
			return db.Create(&[]Company{{Name: "a", TenantID: subject}, {Name: "b", TenantID: subject}, {Name: "c", TenantID: subject}})
		})},
		{"Create of a map", of(func(db *gorm.DB) *gorm.DB {
			return db.Model(&Company{}).Create(map[string]any{"name": "a", "tenant_id": subject})
		})},
		{"OnConflict DoNothing", of(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&Company{ID: 2, Name: "a", TenantID: subject})
		})},
		{"OnConflict UpdateAll", of(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Company{ID: 2, Name: "a", TenantID: subject})
		})},
		{"OnConflict DoUpdates", of(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"name"})}).
				Create(&Company{ID: 2, Name: "a", TenantID: subject})
		})},
		{"Save", of(func(db *gorm.DB) *gorm.DB { return db.Save(&Company{ID: 2, Name: "a", TenantID: subject}) })},
		{"Update", of(func(db *gorm.DB) *gorm.DB { return db.Model(&User{ID: 7}).Update("name", "x") })},
		{"Updates", of(func(db *gorm.DB) *gorm.DB {
			return db.Model(&User{}).Where("age > ?", 3).Updates(map[string]any{"name": "x", "age": 4})
		})},
		{"Update by an expression", of(func(db *gorm.DB) *gorm.DB { return db.Model(&User{ID: 7}).Update("age", gorm.Expr("age + ?", 1)) })},
		{"Update by a subquery", of(func(db *gorm.DB) *gorm.DB {
			return db.Model(&User{ID: 7}).Update("name", db.Session(&gorm.Session{NewDB: true}).Model(&Company{}).Select("max(name)"))
		})},
		{"UpdateColumn", of(func(db *gorm.DB) *gorm.DB { return db.Model(&Company{ID: 2}).UpdateColumn("name", "x") })},
		{"Delete", of(func(db *gorm.DB) *gorm.DB { return db.Delete(&Company{}, 7) })},
		{"soft Delete", of(func(db *gorm.DB) *gorm.DB { return db.Where("age > ?", 3).Delete(&User{}) })},
		{"Returning", of(func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Returning{Columns: []clause.Column{{Name: "id"}}}).Where("name = ?", "x").Delete(&[]Company{})
		})},
		{"Raw", of(func(db *gorm.DB) *gorm.DB {
			return db.Raw("SELECT name FROM users WHERE age > ? OR name = ?", 3, "x").Find(&[]string{})
		})},
		{"Exec", of(func(db *gorm.DB) *gorm.DB { return db.Exec("UPDATE users SET name = ? WHERE age > ?", "x", 3) })},
		{"Exec with a subquery", of(func(db *gorm.DB) *gorm.DB {
			return db.Exec("DELETE FROM orders WHERE user_id IN (?)", db.Session(&gorm.Session{NewDB: true}).Model(&User{}).Select("id"))
		})},
		{"generics", func(db *gorm.DB) error {
			_, err := gorm.G[User](db).Where("age > ?", 3).Order("name").Find(db.Statement.Context)
			return err
		}},
	}
}

// nowhere is a pool of a database that is never asked.
type nowhere struct{}

// Connect implements driver.Connector.
func (nowhere) Connect(context.Context) (driver.Conn, error) {
	return nil, errors.New("a dry run asks nothing")
}

// Driver implements driver.Connector.
func (nowhere) Driver() driver.Driver { return nil }

// dry opens GORM for dry runs of a dialect, and returns a function that takes the statements written since the last call.
func dry(t *testing.T, dialect string, plugin *tenancy.Plugin) (*gorm.DB, func() []string) {
	t.Helper()
	pool := sql.OpenDB(nowhere{})
	t.Cleanup(func() { _ = pool.Close() })
	var dialector gorm.Dialector
	switch dialect {
	case "postgres":
		dialector = postgres.New(postgres.Config{Conn: pool})
	case "mysql":
		dialector = mysql.New(mysql.Config{Conn: pool, SkipInitializeWithVersion: true})
	default:
		dialector = sqlite.Open(filepath.Join(t.TempDir(), "dry.db"))
	}
	db, err := gorm.Open(dialector, &gorm.Config{
		DryRun: true, SkipDefaultTransaction: true, DisableAutomaticPing: true, Logger: logger.Discard,
		NowFunc: func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC) },
	})
	require.NoError(t, err)
	var written []string
	keep := func(db *gorm.DB) {
		if s := db.Statement.SQL.String(); s != "" && db.Logger != logger.Discard {
			written = append(written, s)
		}
	}
	db.Logger = logger.Default.LogMode(logger.Silent) // subqueries have another
	cb := db.Callback()
	if plugin != nil {
		require.NoError(t, db.Use(plugin))
	}
	for _, err := range []error{
		cb.Create().After("gorm:create").Register("keep", keep), cb.Query().After("gorm:query").Register("keep", keep),
		cb.Update().After("gorm:update").Register("keep", keep), cb.Delete().After("gorm:delete").Register("keep", keep),
		cb.Row().After("gorm:row").Register("keep", keep), cb.Raw().After("gorm:raw").Register("keep", keep),
	} {
		require.NoError(t, err)
	}
	return db, func() []string {
		out := written
		written = nil
		return out
	}
}

// TestGORM holds what is made of the statements that GORM writes without the plugin. With the plugin, the callbacks have
// written all conditions, so that the proof has nothing to add.
func TestGORM(t *testing.T) {
	tables := prooftest.Tables{}.Own("users", "companies", "orders", "languages")
	tables = tables.Link("user_languages", "users", "languages")
	for dialect, analyzer := range analyzers() {
		t.Run(dialect, func(t *testing.T) {
			plain, written := dry(t, dialect, nil)
			confined, confinedWritten := dry(t, dialect, tenancy.New(tenancy.Config{Models: []any{&User{}, &Company{}, &Order{}, &Language{}}}))
			var golden strings.Builder
			for _, f := range finishers() {
				if dialect == "mysql" && f.name == "Returning" {
					continue
				}
				require.NoError(t, f.run(plain), f.name)
				fmt.Fprintf(&golden, "-- %s\n", f.name)
				for _, text := range written() {
					plan := sqlproof.Fresh(analyzer, tables, text)
					sent := plan.SQL
					switch {
					case plan.Refusal != nil:
						sent = "refused: " + plan.Refusal.Error()
					case !plan.Rewritten():
						sent = "as it is"
					}
					fmt.Fprintf(&golden, "%s\n→ %s\n", text, sent)
				}
				if f.name == "Raw" || strings.HasPrefix(f.name, "Exec") {
					continue // without an analyzer the plugin refuses them
				}
				ctx := tenancy.WithTenant(context.Background(), subject)
				require.NoError(t, f.run(confined.WithContext(ctx)), f.name)
				for _, text := range confinedWritten() {
					plan := sqlproof.Fresh(analyzer, tables, text)
					if assert.Nil(t, plan.Refusal, "%s: %s", f.name, text) {
						assert.False(t, plan.Rewritten(), "%s: the callbacks left something to add\n%s\n%s", f.name, text, plan.SQL)
					}
				}
			}
			path := filepath.Join("testdata", "gorm", dialect+".golden")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
				require.NoError(t, os.WriteFile(path, []byte(golden.String()), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), golden.String(), "run the test with -update, and read what it changes")
		})
	}
}
