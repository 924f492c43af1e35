package sqlite_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy/sqlite"
)

type parent struct {
	ID    uint
	Email string  `gorm:"unique"`
	Age   int     `gorm:"check:age >= 0"`
	Name  *string `gorm:"not null"`
}

type child struct {
	ID       uint
	ParentID uint
	Parent   parent
}

func TestTranslateError(t *testing.T) {
	t.Parallel()

	name := "x"
	insert := []struct {
		name  string
		value any
		want  error
	}{
		{name: "primary key", value: &parent{ID: 1, Email: "b", Name: &name}, want: gorm.ErrDuplicatedKey},
		{name: "unique", value: &parent{Email: "a", Name: &name}, want: gorm.ErrDuplicatedKey},
		{name: "foreign key", value: &child{ParentID: 99}, want: gorm.ErrForeignKeyViolated},
		{name: "check", value: &parent{Email: "c", Age: -1, Name: &name}, want: gorm.ErrCheckConstraintViolated},
	}

	for _, tc := range insert {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			db := open(t, sqlite.Open(":memory:"))
			require.NoError(t, db.AutoMigrate(&parent{}, &child{}))
			require.NoError(t, db.Create(&parent{ID: 1, Email: "a", Name: &name}).Error)

			err := db.Omit("Parent").Create(tc.value).Error
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestTranslate(t *testing.T) {
	t.Parallel()

	// Without TranslateError, for the driver's own errors.
	db := open(t, sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, db.AutoMigrate(&parent{}))

	translator, ok := db.Dialector.(gorm.ErrorTranslator)
	require.True(t, ok)

	name := "x"
	require.NoError(t, db.Create(&parent{ID: 1, Name: &name}).Error)
	duplicate := db.Create(&parent{ID: 1, Email: "b", Name: &name}).Error
	require.NotErrorIs(t, duplicate, gorm.ErrDuplicatedKey)
	require.Equal(t, gorm.ErrDuplicatedKey, translator.Translate(duplicate))
	require.Equal(t, gorm.ErrDuplicatedKey, translator.Translate(fmt.Errorf("outer: %w", duplicate)))
	require.Equal(t, gorm.ErrDuplicatedKey, translator.Translate(errors.Join(errors.New("x"), duplicate)))

	notNull := db.Create(&parent{Email: "c"}).Error
	require.ErrorContains(t, notNull, "NOT NULL")

	for _, err := range []error{notNull, db.Exec("nonsense").Error, gorm.ErrRecordNotFound, errors.New("x")} {
		require.Error(t, err)
		require.Same(t, err, translator.Translate(err))
	}

	require.NoError(t, translator.Translate(nil))
}
