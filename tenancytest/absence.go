package tenancytest

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// absence drops a table of A's schema while there is one of that name among the shared tables, with a row that could be
// taken for A's: every statement fails, and the shared table is as it was. It is the last thing that happens on a stage.
func (s *stage) absence(t *testing.T) {
	t.Helper()
	const rule = "a table that is not in the tenant's schema is an error, and never another of that name"
	model, home := s.world.models[0], s.home()
	parsed := parse(t, s.raw, model)
	name, tenant := parsed.Table, tenantField(parsed)
	statements := map[string]func(db *gorm.DB) error{
		"Find":  func(db *gorm.DB) error { return db.Find(listOf(model)).Error },
		"Count": func(db *gorm.DB) error { return db.Model(model).Count(new(int64)).Error },
		"Table": func(db *gorm.DB) error { return db.Table(name).Find(&[]map[string]any{}).Error },
		"Raw": func(db *gorm.DB) error {
			return db.Raw("SELECT * FROM " + s.raw.Statement.Quote(name)).Scan(&[]map[string]any{}).Error
		},
		"Exec":   func(db *gorm.DB) error { return db.Exec("DELETE FROM " + s.raw.Statement.Quote(name)).Error },
		"Create": func(db *gorm.DB) error { return db.Create(reflect.New(parsed.ModelType).Interface()).Error },
		"Update": func(db *gorm.DB) error {
			return db.Model(model).Where("1 = 1").UpdateColumn(tenant.DBName, string(s.world.a)).Error
		},
		"Delete": func(db *gorm.DB) error { return db.Unscoped().Where("1 = 1").Delete(model).Error },
		"in a transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Find(listOf(model)).Error })
		},
	}
	a := s.plugin.WithContext(tenancy.WithTenant(t.Context(), s.world.a))
	assert.NoError(t, statements["Find"](a), "while the table is there")

	if len(home.owners) == 0 {
		require.NoError(t, home.db.Migrator().CreateTable(model)) // and none that its relations lead to
		t.Cleanup(func() { assert.NoError(t, home.db.Migrator().DropTable(name)) })
	}
	decoy := reflect.New(parsed.ModelType)
	require.NoError(t, tenant.Set(t.Context(), decoy, string(s.world.a)))
	for _, key := range parsed.PrimaryFields {
		switch {
		case key == tenant:
		case key.FieldType.Kind() == reflect.String:
			require.NoError(t, key.Set(t.Context(), decoy, "decoy"))
		default:
			require.NoError(t, key.Set(t.Context(), decoy, 7001))
		}
	}
	plain := home.db.Session(&gorm.Session{SkipHooks: true}).Omit(clause.Associations)
	require.NoError(t, plain.Create(decoy.Interface()).Error)
	shared := func() (rows []map[string]any) {
		require.NoError(t, home.db.Table(name).Find(&rows).Error)
		return rows
	}
	before := shared()
	require.NoError(t, s.raw.Migrator().DropTable(name))
	for verb, do := range statements {
		t.Run(verb, func(t *testing.T) { assert.Error(t, do(a), rule) })
	}
	assert.ElementsMatch(t, before, shared(), rule)
}

// listOf returns a pointer to an empty slice of a model.
func listOf(model any) any {
	return reflect.New(reflect.SliceOf(reflect.TypeOf(model).Elem())).Interface()
}
