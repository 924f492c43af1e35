package migrate_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/migrate"
)

type (
	label struct{ ID int64 }
	line  struct{ ID, SaleID int64 }
	sale  struct {
		ID     int64
		Code   string  `gorm:"size:20;index"`
		Lines  []line  `gorm:"foreignKey:SaleID"`
		Labels []label `gorm:"many2many:sale_labels"`
	}
)

func TestFingerprint(t *testing.T) {
	t.Parallel()
	db := newLand(t, engineOf("sqlite")).db
	of := func(db *gorm.DB, models ...any) string {
		t.Helper()
		p, err := migrate.Fingerprint(db, models...)
		require.NoError(t, err)
		return p
	}
	was := of(db, &sale{}, &line{})
	require.Len(t, was, 32)
	require.Equal(t, was, of(db, line{}, sale{}, &sale{}), "in another order, and twice")
	require.NotEqual(t, was, of(newLand(t, engineOf("postgres")).db, &sale{}, &line{}), "other types")
	require.NotEqual(t, was, of(db, &sale{}))

	moved := func() any {
		type sale struct {
			Labels []label `gorm:"many2many:sale_labels"`
			Lines  []line  `gorm:"foreignKey:SaleID"`
			Note   string  `gorm:"-"`
			Code   string  `gorm:"size:20;index"`
			ID     int64
		}
		return &sale{}
	}
	require.Equal(t, was, of(db, moved(), &line{}), "fields in another order, and one that is no column")
	cascade := func() any {
		type sale struct {
			ID     int64
			Code   string  `gorm:"size:20;index"`
			Lines  []line  `gorm:"foreignKey:SaleID;constraint:OnDelete:CASCADE"`
			Labels []label `gorm:"many2many:sale_labels"`
		}
		return &sale{}
	}
	require.NotEqual(t, was, of(db, cascade(), &line{}), "an action of a foreign key")
	unlabelled := func() any {
		type sale struct {
			ID    int64
			Code  string `gorm:"size:20;index"`
			Lines []line `gorm:"foreignKey:SaleID"`
		}
		return &sale{}
	}
	require.NotEqual(t, was, of(db, unlabelled(), &line{}), "no join table")

	columns := map[string]string{}
	for what, model := range map[string]func() any{
		"plain":   func() any { type item struct{ Code string }; return &item{} },
		"renamed": func() any { type item struct{ Coded string }; return &item{} },
		"type":    func() any { type item struct{ Code int64 }; return &item{} },
		"default": func() any {
			type item struct {
				Code string `gorm:"default:x"`
			}
			return &item{}
		},
		"not null": func() any {
			type item struct {
				Code string `gorm:"not null"`
			}
			return &item{}
		},
		"index": func() any {
			type item struct {
				Code string `gorm:"index"`
			}
			return &item{}
		},
		"unique": func() any {
			type item struct {
				Code string `gorm:"unique"`
			}
			return &item{}
		},
		"uniqueness": func() any {
			type item struct {
				Code string `gorm:"uniqueIndex"`
			}
			return &item{}
		},
		"partial": func() any {
			type item struct {
				Code string `gorm:"index:,where:code > 'a'"`
			}
			return &item{}
		},
		"check": func() any {
			type item struct {
				Code string `gorm:"check:code > 'a'"`
			}
			return &item{}
		},
		"key": func() any {
			type item struct {
				Code string `gorm:"primaryKey"`
			}
			return &item{}
		},
		"table": func() any { type items2 struct{ Code string }; return &items2{} },
	} {
		p := of(db, model())
		require.Empty(t, columns[p], what)
		columns[p] = what
	}
	_, err := migrate.Fingerprint(db, &label{}, 7)
	require.Error(t, err)
}
