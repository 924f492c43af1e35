package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy/sqlite"
)

type row struct {
	ID   uint
	Name string
}

// open opens d with silent logs and closes it with the test.
func open(t *testing.T, d gorm.Dialector, opts ...gorm.Option) *gorm.DB {
	t.Helper()

	opts = append([]gorm.Option{&gorm.Config{
		Logger:         logger.Discard,
		TranslateError: true,
	}}, opts...)

	db, err := gorm.Open(d, opts...)
	require.NoError(t, err)

	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })

	return db
}

func openFile(t *testing.T) *gorm.DB {
	t.Helper()

	return open(t, sqlite.Open(filepath.Join(t.TempDir(), "x.db")))
}

func count(t *testing.T, db *gorm.DB, table string) int64 {
	t.Helper()

	var n int64
	require.NoError(t, db.Table(table).Count(&n).Error)

	return n
}
