package catalog

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
)

// BenchmarkCreate measures what an entry in the catalog costs, with a schema's name and a shard chosen of twenty.
func BenchmarkCreate(b *testing.B) {
	for name, dial := range map[string]func() gorm.Dialector{
		"sqlite":   func() gorm.Dialector { return sqlite.Open(b.TempDir() + "/master.db") },
		"postgres": func() gorm.Dialector { return postgres.Open(testdb.Postgres(b)) },
		"mysql":    func() gorm.Dialector { return mysql.Open(testdb.MySQL(b)) },
	} {
		b.Run(name, func(b *testing.B) {
			master, err := gorm.Open(dial(), &gorm.Config{Logger: logger.Discard})
			require.NoError(b, err)
			c, err := Open(b.Context(), master, Config{})
			require.NoError(b, err)
			for i := range 20 {
				require.NoError(b, c.AddShard(b.Context(), Shard{Name: fmt.Sprint("s", i)}))
			}
			n := 0
			for b.Loop() {
				n++
				if _, err := c.Create(b.Context(), NewTenant{ID: tenancy.ID(fmt.Sprint("t", n)), Shape: OwnSchema}); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, c.Close())
			db, err := master.DB()
			require.NoError(b, err)
			require.NoError(b, db.Close())
		})
	}
}
