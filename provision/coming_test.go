package provision_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// TestDropWaitsForItsMaker drops a database that a session is about to make, as the one of a process does that was killed: it is not
// there for others until that has ended.
func TestDropWaitsForItsMaker(t *testing.T) {
	t.Parallel()
	e := onPostgres(t)
	beside, template, name := e.pool(t, e.beside), fresh("template_"), fresh("late_")
	require.True(t, create(t, e, e.dsn(t, template)))
	dsn := e.dsn(t, name)

	tx, err := beside.BeginTx(t.Context(), nil) // it keeps others from copying the template
	require.NoError(t, err)
	exec(t, tx, "ALTER DATABASE "+template+" RENAME TO "+template+"2")
	made := make(chan error, 1)
	go func() {
		_, err := provision.CreateDatabase(t.Context(), e.open, dsn, provision.Database{Template: template})
		made <- err
	}()
	require.Eventually(t, func() bool {
		var waits bool
		err := beside.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query LIKE $1 AND wait_event_type = 'Lock')",
			`CREATE DATABASE "`+name+`"%`).Scan(&waits)
		return err == nil && waits
	}, 10*time.Second, time.Millisecond)
	_, err = provision.DropDatabase(within(t, 500*time.Millisecond), e.open, dsn)
	require.ErrorIs(t, err, provision.ErrInUse)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, tx.Rollback())
	require.True(t, drop(t, e, dsn))
	require.NoError(t, <-made)
	require.False(t, exists(t, e, dsn))

	// One that has said so, but whose statement the server has not read yet.
	conn, err := beside.Conn(t.Context())
	require.NoError(t, err)
	exec(t, conn, `SELECT E'tenancy: to create "`+name+`"'`)
	_, err = provision.DropDatabase(within(t, 500*time.Millisecond), e.open, dsn)
	require.ErrorIs(t, err, provision.ErrInUse)
	exec(t, conn, "SELECT 1")
	require.False(t, drop(t, e, dsn))
	require.NoError(t, conn.Close())
}

// TestRecoverWaitsForTheLastCommit is about a killed process whose last statement the server is still busy with.
func TestRecoverWaitsForTheLastCommit(t *testing.T) {
	t.Parallel()
	for _, e := range kinds[1:] { // SQLite is in the process
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e, catalog.SharedTables)
			_, err := w.create(t.Context(), "other")
			require.NoError(t, err)
			said, err := w.send(order{Shape: w.shape, Within: provision.Seeding})
			require.ErrorContains(t, err, "killed", said)
			w.with(t, func(db *sql.DB) {
				tx, err := db.BeginTx(t.Context(), nil)
				require.NoError(t, err)
				exec(t, tx, "INSERT INTO labels (id, tenant_id, text) VALUES (1, 'acme', 'late')")
				recovered := make(chan error, 1)
				go func() {
					for {
						done, err := w.Recover(t.Context())
						if err != nil || len(done.Undone) > 0 {
							recovered <- err
							return
						}
					}
				}()
				select {
				case <-time.After(time.Second):
				case err := <-recovered:
					require.Fail(t, "it does not wait", err)
				}
				require.NoError(t, tx.Commit())
				require.NoError(t, <-recovered)
			})
			w.gone("acme")
			_, err = w.catalog.Read(t.Context(), "other")
			require.NotErrorIs(t, err, tenancy.ErrTenantNotFound)
		})
	}
}

// statements remembers the statements of connections in their order.
type statements struct {
	mu  sync.Mutex
	all map[uint32][]string // by the server's process
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, conn *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[conn.PgConn().PID()] = append(s.all[conn.PgConn().PID()], q.SQL)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestMakerSaysWhatComes holds that the session that makes a database has said so before.
func TestMakerSaysWhatComes(t *testing.T) {
	t.Parallel()
	e := onPostgres(t)
	name := fresh("said_")
	dsn := e.dsn(t, name)
	sent := &statements{all: map[uint32][]string{}}
	_, err := provision.CreateDatabase(t.Context(), func(text string) gorm.Dialector {
		cfg, err := pgx.ParseConfig(text)
		if !assert.NoError(t, err) {
			return postgres.Open(text)
		}
		cfg.Tracer = sent
		return postgres.New(postgres.Config{Conn: stdlib.OpenDB(*cfg)})
	}, dsn)
	require.NoError(t, err)
	var making []string
	for _, all := range sent.all {
		for i, text := range all {
			if text == `CREATE DATABASE "`+name+`"` {
				making = all[:i]
			}
		}
	}
	require.NotEmpty(t, making)
	require.Equal(t, `SELECT E'tenancy: to create "`+name+`"'`, making[len(making)-1])
}
