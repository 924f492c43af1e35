package tenancy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// The models below have each kind of relation that a key with the tenant is for, or is not for.
type Shelf struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	Books    []Book `gorm:"constraint:OnDelete:CASCADE"`
	Notes    []Note `gorm:"polymorphic:Owner"`
}

type Book struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	ShelfID  *uint
	Shelf    *Shelf
	PartOf   *uint
	Whole    *Book   `gorm:"foreignKey:PartOf"`
	Genres   []Genre `gorm:"many2many:book_genres"`
}

type Genre struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
}

type Note struct {
	ID        uint
	TenantID  string `tenancy:"tenant" gorm:"size:63;index"`
	OwnerID   uint
	OwnerType string
}

func library(t *testing.T, e engine, models ...any) (*land, func(text string) error) {
	t.Helper()
	home := e.fresh(t)
	l := newLand(t, e, home(), &gorm.Config{}, tenancy.Config{Models: models})
	require.NoError(t, l.db.AutoMigrate(models...))
	pool, err := tenancy.DB(l.db)
	require.NoError(t, err)
	return l, func(text string) error {
		_, err := pool.ExecContext(t.Context(), text)
		return err
	}
}

func requireForeignKey(t *testing.T, err error, text string) {
	t.Helper()
	require.Error(t, err, text)
	require.Contains(t, strings.ToLower(err.Error()), "foreign key constraint", text)
}

// runDDL runs statements on one connection, as who uses them is told.
func runDDL(t *testing.T, l *land, ddl []string) {
	t.Helper()
	pool, err := tenancy.DB(l.db)
	require.NoError(t, err)
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	for _, text := range ddl {
		_, err := conn.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
}

// TestTenantKeys is about promise 3 without the plugin: the database refuses a foreign key to another tenant's row.
func TestTenantKeys(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l, exec := library(t, e, &Shelf{}, &Book{}, &Genre{}, &Note{})
		for range 2 { // they can be run again
			ddl, err := l.plugin.TenantKeysDDL(tenancy.Placement{})
			require.NoError(t, err)
			require.NotEmpty(t, ddl)
			require.NotContains(t, strings.Join(ddl, "\n"), "notes")
			require.NotContains(t, strings.Join(ddl, "\n"), "genres")
			runDDL(t, l, ddl)
		}
		require.NoError(t, l.db.AutoMigrate(&Shelf{}, &Book{}, &Genre{}, &Note{}), "the migrator leaves them alone")

		require.NoError(t, exec("INSERT INTO shelves (id, tenant_id) VALUES (1, 'a'), (2, 'b'), (3, 'a')"))
		require.NoError(t, exec("INSERT INTO books (id, tenant_id, shelf_id) VALUES (1, 'a', 1), (2, 'b', 2), (3, 'a', NULL)"), "NULL stays possible")
		for _, theirs := range []string{
			"INSERT INTO books (id, tenant_id, shelf_id) VALUES (9, 'a', 2)",
			"INSERT INTO books (id, tenant_id, part_of) VALUES (9, 'a', 2)",
			"UPDATE books SET shelf_id = 2 WHERE id = 3",
			"UPDATE books SET tenant_id = 'b' WHERE id = 1",
			"UPDATE shelves SET tenant_id = 'b' WHERE id = 1",
		} {
			requireForeignKey(t, exec(theirs), theirs)
		}
		require.NoError(t, exec("UPDATE books SET shelf_id = 3, part_of = 3 WHERE id = 1"))
		require.NoError(t, exec("DELETE FROM shelves WHERE id = 3"), "what GORM's own key does, it still does")
		var left []int
		pool, err := tenancy.DB(l.db)
		require.NoError(t, err)
		rows, err := pool.QueryContext(t.Context(), "SELECT id FROM books ORDER BY id")
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		for rows.Next() {
			var id int
			require.NoError(t, rows.Scan(&id))
			left = append(left, id)
		}
		require.NoError(t, rows.Err())
		require.Equal(t, []int{2, 3}, left)

		// The plugin goes on as before.
		shelf := Shelf{ID: 50, Books: []Book{{ID: 50}, {ID: 51}}, Notes: []Note{{ID: 50}}}
		require.NoError(t, l.as("a").Create(&shelf).Error)
		require.ErrorIs(t, l.as("b").Create(&Book{ShelfID: &shelf.ID}).Error, tenancy.ErrTenantMismatch)
		require.NoError(t, l.as("a").Save(&shelf).Error)
		require.NoError(t, l.as("a").Delete(&shelf).Error)
	}, "sqlite")
}

// TestTenantKeysAlone has them do what GORM's own foreign keys do elsewhere.
func TestTenantKeysAlone(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		all := []any{&Shelf{}, &Book{}, &Genre{}, &Note{}}
		l := newLand(t, e, e.fresh(t)(), &gorm.Config{DisableForeignKeyConstraintWhenMigrating: true}, tenancy.Config{Models: all})
		require.NoError(t, l.db.AutoMigrate(all...))
		ddl, err := l.plugin.TenantKeysDDL(tenancy.Placement{})
		require.NoError(t, err)
		runDDL(t, l, ddl)
		require.NoError(t, l.as("a").Create(&Shelf{ID: 1, Books: []Book{{ID: 1}}}).Error)
		require.NoError(t, l.as("a").Create(&Book{ID: 2, PartOf: new(uint(1))}).Error)
		require.Error(t, l.as("a").Delete(&Book{ID: 1}).Error, "another is a part of it")
		require.NoError(t, l.as("a").Delete(&Book{ID: 2}).Error)
		require.NoError(t, l.as("a").Delete(&Shelf{ID: 1}).Error)
		var n int64
		require.NoError(t, l.as("a").Model(&Book{}).Count(&n).Error)
		require.Zero(t, n, "the books go with their shelf")
	}, "sqlite")
}

type Loan struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	GenreID  *uint
	Genre    *Genre `gorm:"constraint:OnDelete:SET NULL"`
	ShelfID  *uint
	Shelf    *Shelf `gorm:"constraint:-"`
}

func TestTenantKeysThatSetNull(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l, exec := library(t, e, &Shelf{}, &Book{}, &Genre{}, &Note{}, &Loan{})
		ddl, err := l.plugin.TenantKeysDDL(tenancy.Placement{})
		if e.name == "mysql" {
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
			require.ErrorContains(t, err, "Loan.Genre")
			return
		}
		require.NoError(t, err)
		runDDL(t, l, ddl)
		require.NotContains(t, strings.Join(ddl, "\n"), "loans_tenant_id_shelf_id")
		require.NoError(t, exec("INSERT INTO genres (id, tenant_id) VALUES (1, 'a'), (2, 'b')"))
		require.NoError(t, exec("INSERT INTO loans (id, tenant_id, genre_id) VALUES (1, 'a', 1), (2, 'b', 2)"))
		requireForeignKey(t, exec("UPDATE loans SET genre_id = 2 WHERE id = 1"), "")
		require.NoError(t, exec("DELETE FROM genres WHERE id = 1"))
		var loan Loan
		require.NoError(t, l.as("a").First(&loan).Error)
		require.Nil(t, loan.GenreID)
		require.Equal(t, "a", loan.TenantID)
	}, "sqlite")
}

// Author and Essay say in their tags that the foreign key has the tenant: AutoMigrate makes it, on SQLite too.
type Author struct {
	ID       uint    `gorm:"primaryKey;uniqueIndex:author_of_tenant,priority:2"`
	TenantID string  `tenancy:"tenant" gorm:"size:63;uniqueIndex:author_of_tenant,priority:1"`
	Essays   []Essay `gorm:"foreignKey:TenantID,AuthorID;references:TenantID,ID"`
}

type Essay struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"size:63;index"`
	AuthorID *uint
	Author   *Author `gorm:"foreignKey:TenantID,AuthorID;references:TenantID,ID"`
}

func TestTenantKeysByTag(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l, exec := library(t, e, &Author{}, &Essay{})
		ddl, err := l.plugin.TenantKeysDDL(tenancy.Placement{})
		require.NoError(t, err)
		require.Empty(t, ddl, "they are there")
		require.NoError(t, exec("INSERT INTO authors (id, tenant_id) VALUES (1, 'a'), (2, 'b')"))
		require.NoError(t, exec("INSERT INTO essays (id, tenant_id, author_id) VALUES (1, 'a', 1), (2, 'a', NULL)"))
		for _, theirs := range []string{
			"INSERT INTO essays (id, tenant_id, author_id) VALUES (9, 'a', 2)",
			"UPDATE essays SET author_id = 2 WHERE id = 1",
			"UPDATE essays SET tenant_id = 'b' WHERE id = 1",
		} {
			requireForeignKey(t, exec(theirs), theirs)
		}
		author := Author{ID: 50, Essays: []Essay{{ID: 50}, {ID: 51}}}
		require.NoError(t, l.as("a").Create(&author).Error)
		require.NoError(t, l.as("a").Preload("Essays").First(&author, author.ID).Error)
		require.Len(t, author.Essays, 2)
		require.NoError(t, l.as("a").Create(&Essay{ID: 52}).Error)
	})
}

func TestTenantKeysThatCannotBe(t *testing.T) {
	t.Parallel()
	_, err := tenancy.New(tenancy.Config{}).TenantKeysDDL(tenancy.Placement{})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	db, err := gorm.Open(engines[0].fresh(t)(), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	p := tenancy.New(tenancy.Config{Models: []any{&Shelf{}, &Book{}, &Genre{}, &Note{}}})
	require.NoError(t, db.Use(p))
	_, err = p.TenantKeysDDL(tenancy.Placement{})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "foreignKey:TenantID,…;references:TenantID,…", "it says what to do")
	_, err = p.TenantKeysDDL(tenancy.Placement{Schema: "x"})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
}

// TestTenantKeysInSchemas makes them where a placement says.
func TestTenantKeysInSchemas(t *testing.T) {
	t.Parallel()
	l := newLand(t, engines[1], engines[1].fresh(t)(), &gorm.Config{}, tenancy.Config{Models: []any{&Shelf{}, &Book{}, &Genre{}, &Note{}}})
	ddl, err := l.plugin.TenantKeysDDL(tenancy.Placement{Schema: `o'"x`, TableSuffix: "_7"})
	require.NoError(t, err)
	pool, err := tenancy.DB(l.db)
	require.NoError(t, err)
	for _, text := range []string{`CREATE SCHEMA "o'""x"`, `SET search_path TO "o'""x"`} {
		_, err := pool.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	for _, text := range []string{
		`CREATE TABLE "o'""x".shelves_7 (id bigint PRIMARY KEY, tenant_id text)`,
		`CREATE TABLE "o'""x".books_7 (id bigint PRIMARY KEY, tenant_id text, shelf_id bigint, part_of bigint)`,
		ddl[0], ddl[1], ddl[2], ddl[3], ddl[0], ddl[1], ddl[2], ddl[3],
		`INSERT INTO "o'""x".shelves_7 VALUES (1, 'a')`,
		`INSERT INTO "o'""x".books_7 VALUES (1, 'a', 1, 1)`,
	} {
		_, err := conn.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
	_, err = conn.ExecContext(t.Context(), `INSERT INTO "o'""x".books_7 VALUES (2, 'b', 1)`)
	require.ErrorContains(t, err, "foreign key")
}
