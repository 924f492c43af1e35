package provision_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// TestManyAtOnce makes many tenants at once, the first ones there are: some of them in two goroutines.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		w := newWorld(t, e, shape)
		const many = 6
		var made, exist sync.Map
		var wait sync.WaitGroup
		for i := range 2 * many {
			wait.Go(func() {
				id := tenancy.ID(fmt.Sprint("t", i%many))
				switch _, err := w.create(t.Context(), id); {
				case err == nil:
					_, twice := made.LoadOrStore(id, true)
					assert.False(t, twice, id)
				case errors.Is(err, tenancy.ErrTenantExists):
					exist.Store(id, true)
				default:
					assert.NoError(t, err)
				}
			})
		}
		wait.Wait()
		for i := range many {
			id := tenancy.ID(fmt.Sprint("t", i))
			_, ok := made.Load(id)
			require.True(t, ok, id)
			_, ok = exist.Load(id)
			require.True(t, ok, id)
			require.NoError(t, w.as(id).Create(&Label{ID: uint(i + 1)}).Error)
			require.EqualValues(t, 1, w.counts(id)["labels"])
		}
		for i := range many {
			wait.Go(func() {
				_, err := w.Drop(t.Context(), tenancy.ID(fmt.Sprint("t", i)), "test")
				assert.NoError(t, err)
			})
		}
		wait.Wait()
		require.Empty(t, w.storages(t))
		for table, rows := range w.rows(t) {
			require.Empty(t, rows, table)
		}
	})
}

// TestDropWhileOthersWrite drops a tenant for which another process writes all the time, whose catalog may act on what it has in its
// cache for longer than that of the process that drops.
func TestDropWhileOthersWrite(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		w := newWorld(t, e, shape)
		_, err := w.create(t.Context(), "acme")
		require.NoError(t, err)
		slow := w.site
		slow.maxStale = time.Second
		elsewhere := slow.openWorld(t, shape)
		require.NoError(t, elsewhere.as("acme").Create(&Label{ID: 1}).Error)
		var wait sync.WaitGroup
		stop := make(chan struct{})
		for n := range 3 {
			wait.Go(func() {
				for i := uint(2); ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					_ = elsewhere.as("acme").Create(&Label{ID: i*10 + uint(n)}).Error // refused, in the end
				}
			})
		}
		_, err = w.Drop(t.Context(), "acme", "test")
		close(stop)
		wait.Wait()
		require.NoError(t, err)
		w.gone("acme")
	})
}

// TestNoFileIsLeftOpen is about a process that drops a database that it has used: a removed file that is open keeps its room.
func TestNoFileIsLeftOpen(t *testing.T) {
	t.Parallel()
	const own = "/proc/self/fd"
	if _, err := os.Stat(own); err != nil {
		t.Skip("files that are open cannot be listed here")
	}
	var seed error
	w := newWorld(t, kinds[0], catalog.OwnDatabase, func(c *provision.Config, _ *tenancy.Config) { c.Seed = seeding(&seed) })
	open := func() (files []string) {
		entries, err := os.ReadDir(own)
		require.NoError(t, err)
		for _, entry := range entries {
			if file, err := os.Readlink(filepath.Join(own, entry.Name())); err == nil && strings.Contains(file, w.prefix) {
				files = append(files, file)
			}
		}
		return files
	}
	_, err := w.create(t.Context(), "acme")
	require.NoError(t, err)
	require.NotEmpty(t, open())
	_, err = w.Drop(t.Context(), "acme", "test")
	require.NoError(t, err)
	require.Empty(t, open())
	seed = errTest
	_, err = w.create(t.Context(), "acme")
	require.ErrorIs(t, err, errTest)
	require.Empty(t, open())
}

// TestKeys has the database keep foreign keys within a tenant.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, e := range kinds {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e, catalog.SharedTables, func(c *provision.Config, _ *tenancy.Config) { c.Keys = true })
			_, err := w.create(t.Context(), "acme")
			if e.name == "sqlite" {
				require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
				require.ErrorContains(t, err, "declare it")
				w.gone("acme")
				return
			}
			require.NoError(t, err)
			_, err = w.create(t.Context(), "other")
			require.NoError(t, err)
			require.NoError(t, fill(w.as("acme"), 10))
			require.NoError(t, fill(w.as("other"), 20))
			w.with(t, func(db *sql.DB) {
				_, err := db.Exec("UPDATE projects SET account_id = 20 WHERE id = 10")
				require.Error(t, err)
				require.Contains(t, strings.ToLower(err.Error()), "foreign key")
			})
			gone, err := w.Drop(t.Context(), "acme", "test")
			require.NoError(t, err)
			require.Equal(t, filled(), gone.Rows)
			require.Equal(t, filled(), w.counts("other"))
		})
	}
}

// TestTemplate makes databases as copies of one that has the tables already.
func TestTemplate(t *testing.T) {
	t.Parallel()
	w := newTemplated(t, models())
	_, err := w.create(t.Context(), "acme")
	require.NoError(t, err)
	require.NoError(t, fill(w.as("acme"), 10))
	require.Equal(t, filled(), w.counts("acme"))
	_, err = w.Drop(t.Context(), "acme", "test")
	require.NoError(t, err)
	w.gone("acme")
}

// newTemplated is a world on PostgreSQL with a template database.
func newTemplated(t testing.TB, models []any) *world {
	t.Helper()
	s := newSite(t, kinds[1])
	name := strings.Replace(s.prefix, "p", "q", 1) + "template"
	dsn, err := provision.WithDatabase("postgres", s.home, name)
	require.NoError(t, err)
	_, err = provision.CreateDatabase(t.Context(), s.open, dsn)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := provision.DropDatabase(context.Background(), s.open, dsn)
		require.NoError(t, err)
	})
	db, err := gorm.Open(s.open(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.AutoMigrate(append(models, &Currency{})...))
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	return s.openWorld(t, catalog.OwnDatabase, func(c *provision.Config, tc *tenancy.Config) {
		c.Database.Template, tc.Models, c.Models = name, models, nil
		c.Tables = func(context.Context, catalog.Tenant) error { return nil }
	})
}
