package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/sqlite"
)

// modelB is qualified by its TableName, the other way into the same trap.
type modelB struct {
	ID   uint
	Name string
}

func (modelB) TableName() string { return "tenant_b.rows" }

type defaulted struct {
	ID uint
}

// attached has the table rows in main, in tenant_a and in tenant_b.
func attached(t *testing.T) *gorm.DB {
	t.Helper()

	dir := t.TempDir()
	db := open(t, sqlite.Open(filepath.Join(dir, "main.db")))
	pool, err := db.DB()
	require.NoError(t, err)
	// ATTACH holds for one connection.
	pool.SetMaxOpenConns(1)

	for _, name := range []string{"tenant_a", "tenant_b"} {
		require.NoError(t, db.Exec("ATTACH ? AS "+name, filepath.Join(dir, name+".db")).Error)
	}

	for _, name := range []string{"main", "tenant_a", "tenant_b"} {
		require.NoError(t, db.Exec("CREATE TABLE "+name+".rows (id integer PRIMARY KEY AUTOINCREMENT, name text)").Error)
	}

	return db
}

func TestInsertKeepsSchema(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		insert func(db *gorm.DB) error
		want   int64
	}{
		"Table and Create": {func(db *gorm.DB) error {
			r := row{Name: "b"}
			err := db.Table("tenant_b.rows").Create(&r).Error
			if err == nil && r.ID == 0 {
				return gorm.ErrPrimaryKeyRequired
			}

			return err
		}, 1},
		"quoted Table": {func(db *gorm.DB) error {
			return db.Table("`tenant_b`.`rows`").Create(&row{}).Error
		}, 1},
		"batch":     {func(db *gorm.DB) error { return db.Table("tenant_b.rows").Create(&[]row{{}, {}}).Error }, 2},
		"batches":   {func(db *gorm.DB) error { return db.Table("tenant_b.rows").CreateInBatches(&[]row{{}, {}, {}}, 2).Error }, 3},
		"map":       {func(db *gorm.DB) error { return db.Table("tenant_b.rows").Create(map[string]any{"name": "b"}).Error }, 1},
		"Save":      {func(db *gorm.DB) error { return db.Table("tenant_b.rows").Save(&row{ID: 7}).Error }, 1},
		"Saves":     {func(db *gorm.DB) error { return db.Table("tenant_b.rows").Save(&[]row{{ID: 7}, {ID: 8}}).Error }, 2},
		"FirstOr":   {func(db *gorm.DB) error { return db.Table("tenant_b.rows").FirstOrCreate(&row{}, row{Name: "b"}).Error }, 1},
		"TableName": {func(db *gorm.DB) error { return db.Create(&modelB{}).Error }, 1},
		"Insert.Table": {func(db *gorm.DB) error {
			return db.Clauses(clause.Insert{Table: clause.Table{Name: "tenant_b.rows"}}).Create(&row{}).Error
		}, 1},
		"upsert": {func(db *gorm.DB) error {
			tx := db.Table("tenant_b.rows").Clauses(clause.OnConflict{UpdateAll: true})
			if err := tx.Create(&row{ID: 1, Name: "one"}).Error; err != nil {
				return err
			}

			return db.Table("tenant_b.rows").Clauses(clause.OnConflict{UpdateAll: true}).
				Create(&row{ID: 1, Name: "two"}).Error
		}, 1},
		"transaction": {func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Table("tenant_b.rows").Create(&row{}).Error })
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := attached(t)
			require.NoError(t, tc.insert(db))
			require.Equal(t, tc.want, count(t, db, "tenant_b.rows"))
			require.Zero(t, count(t, db, "tenant_a.rows"))
			require.Zero(t, count(t, db, "main.rows"))
		})
	}
}

func TestInsertSQL(t *testing.T) {
	t.Parallel()

	db := open(t, sqlite.Open(":memory:"), &gorm.Config{DryRun: true})
	sql := func(tx *gorm.DB) string { return tx.Statement.SQL.String() }

	for name, tc := range map[string]struct{ want, got string }{
		"model": {
			"INSERT INTO `rows` (`name`) VALUES (?) RETURNING `id`",
			sql(db.Create(&row{})),
		},
		"table": {
			"INSERT INTO `others` (`name`) VALUES (?) RETURNING `id`",
			sql(db.Table("others").Create(&row{})),
		},
		"qualified": {
			"INSERT INTO `tenant_b`.`rows` (`name`) VALUES (?) RETURNING `id`",
			sql(db.Table("tenant_b.rows").Create(&row{})),
		},
		"alias": {
			"INSERT INTO rows AS r (`name`) VALUES (?) RETURNING `id`",
			sql(db.Table("rows AS r").Create(&row{})),
		},
		"modifier": {
			"INSERT OR IGNORE INTO `tenant_b`.`rows` (`name`) VALUES (?) RETURNING `id`",
			sql(db.Table("tenant_b.rows").Clauses(clause.Insert{Modifier: "OR IGNORE"}).Create(&row{})),
		},
		"default values": {
			"INSERT INTO `tenant_b`.`defaulteds` DEFAULT VALUES RETURNING `id`",
			sql(db.Table("tenant_b.defaulteds").Create(&defaulted{})),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, tc.got)
		})
	}
}

func TestInsertRuns(t *testing.T) {
	t.Parallel()

	db := open(t, sqlite.Open(":memory:"))
	require.NoError(t, db.AutoMigrate(&row{}, &defaulted{}))

	require.NoError(t, db.Create(&row{ID: 1, Name: "kept"}).Error)
	require.NoError(t, db.Clauses(clause.Insert{Modifier: "OR IGNORE"}).Create(&row{ID: 1, Name: "ignored"}).Error)

	var got row
	require.NoError(t, db.First(&got, 1).Error)
	require.Equal(t, "kept", got.Name)

	require.NoError(t, db.Clauses(clause.Insert{Modifier: "OR REPLACE"}).Create(&row{ID: 1, Name: "replaced"}).Error)
	require.NoError(t, db.First(&got, 1).Error)
	require.Equal(t, "replaced", got.Name)

	var d defaulted
	require.NoError(t, db.Create(&d).Error)
	require.EqualValues(t, 1, d.ID)
}
