package tenancy_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// Board, Card and Label have no tenant column: their placement alone says whose they are.
type (
	Board struct {
		ID      uint
		Name    string
		Cards   []Card
		Owner   *Customer
		OwnerID *uint
	}
	Card struct {
		ID      uint
		BoardID uint
		Title   string
		Labels  []Label `gorm:"many2many:card_labels"`
	}
	Label struct {
		ID   uint
		Name string
	}
)

// TestPlacedModels is about promise 2 for models without a tenant column: in places of one tenant they do all that GORM does, and
// elsewhere nothing.
func TestPlacedModels(t *testing.T) {
	t.Parallel()
	for _, shape := range []string{"databases", "schemas"} {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			but := map[string]string{"schemas": "sqlite"}[shape]
			eachEngine(t, func(t *testing.T, e engine) {
				t.Helper()
				home := e.fresh(t)
				cfg := tenancy.Config{
					Models: []any{&Board{}, &Card{}, &Label{}, &Customer{}, &Order{}, &Tag{}}, Global: []any{&Country{}},
				}
				at := map[tenancy.ID]tenancy.Placement{"shared": {}, "a": {Shard: "a", Exclusive: true}, "b": {Shard: "b", Exclusive: true}}
				if shape == "schemas" {
					prefix := fmt.Sprintf("p%p_", t)
					inSchemas(t, e, home(), prefix+"a", prefix+"b")
					at["a"], at["b"] = tenancy.Placement{Schema: prefix + "a", Exclusive: true}, tenancy.Placement{Schema: prefix + "b", Exclusive: true}
				} else {
					cfg.Open = databases(t, e, "a", "b")
					if e.name == "sqlite" {
						cfg.Open = sqliteFiles(t, "a", "b")
					}
				}
				cfg.Resolver = tenancy.List(at)
				l := newLand(t, e, home(), &gorm.Config{}, cfg, "a", "b")
				for _, id := range []tenancy.ID{"a", "b"} {
					db := l.as(id)
					require.NoError(t, db.AutoMigrate(&Board{}, &Card{}, &Label{}))
					mark := "of " + string(id)
					b := Board{ID: 1, Name: mark, Owner: &Customer{ID: 1, Name: mark}, Cards: []Card{{ID: 1, Title: mark, Labels: []Label{{ID: 1, Name: mark}}}, {ID: 2, Title: mark}}}
					require.NoError(t, db.Create(&b).Error, id)
					require.NoError(t, db.Save(&b).Error, id)
					require.NoError(t, db.Model(&Card{ID: 2}).Association("Labels").Append(&Label{ID: 1, Name: mark}))
				}
				require.NoError(t, l.as("b").Select("Labels").Delete(&Card{ID: 2}).Error)
				for id, cards := range map[tenancy.ID]int{"a": 2, "b": 1} {
					db, mark := l.as(id), "of "+string(id)
					var b Board
					require.NoError(t, db.Preload("Cards.Labels").Joins("Owner").First(&b, 1).Error, id)
					require.Equal(t, mark, b.Name)
					require.Equal(t, mark, b.Owner.Name)
					require.Len(t, b.Cards, cards)
					require.Equal(t, mark, b.Cards[0].Labels[0].Name)
					var titles []string
					require.NoError(t, db.Raw("SELECT c.title FROM cards c JOIN boards b ON b.id = c.board_id JOIN customers o ON o.id = b.owner_id").Scan(&titles).Error)
					require.Len(t, titles, cards)
					require.Equal(t, mark, titles[0])
				}
				for name, err := range map[string]error{
					"find":   l.as("shared").Find(&[]Board{}).Error,
					"create": l.as("shared").Create(&Board{}).Error,
					"raw":    l.as("shared").Raw("SELECT * FROM boards").Scan(&[]Board{}).Error,
					"join":   l.as("shared").Raw("SELECT o.* FROM customers o JOIN boards b ON b.owner_id = o.id").Scan(&[]Customer{}).Error,
				} {
					require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL, name)
				}
				require.ErrorIs(t, l.db.Find(&[]Board{}).Error, tenancy.ErrNoTenant)
			}, but)
		})
	}
}
