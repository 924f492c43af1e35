package merge_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

const oracleShards = 3

// oracle is the same rows in three databases, and in one.
type oracle struct {
	engine  dialect.Engine
	shards  [oracleShards]*sql.DB
	whole   *sql.DB
	columns []oracleColumn
}

// oracleColumn is a column of the table and what may be done with it.
type oracleColumn struct {
	name, typ string
	collation merge.Collation
	value     func(*rand.Rand) any
	key       bool // equal values look equal
	sum       bool
	mixed     bool // MIN and MAX, but no constants
}

func everyEngine(t *testing.T, test func(*testing.T, *oracle)) {
	t.Helper()
	for name, open := range map[string]func(*testing.T) *oracle{
		"sqlite": openSQLite, "postgres": openPostgres, "mariadb": openMariaDB,
		"postgres with text": openPostgresText, "mariadb with text": openMariaDBText,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func openSQLite(t *testing.T) *oracle {
	t.Helper()
	o := &oracle{engine: dialect.SQLite, columns: sqliteColumns()}
	dir := t.TempDir()
	o.open(t, "sqlite", func(i int) string {
		return "file:" + filepath.Join(dir, fmt.Sprintf("%d.db", i)) + "?_pragma=synchronous(off)&_pragma=journal_mode(wal)"
	})
	return o
}

func openPostgres(t *testing.T) *oracle {
	t.Helper()
	o := &oracle{engine: dialect.Postgres, columns: postgresColumns()}
	o.open(t, "pgx", func(int) string { return testdb.Postgres(t) })
	return o
}

func openMariaDB(t *testing.T) *oracle {
	t.Helper()
	o := &oracle{engine: dialect.MySQL, columns: mysqlColumns()}
	o.open(t, "mysql", func(int) string { return testdb.MySQL(t) })
	return o
}

// openPostgresText has pgx send values as text, as it must through some poolers.
func openPostgresText(t *testing.T) *oracle {
	t.Helper()
	o := &oracle{engine: dialect.Postgres, columns: postgresColumns()}
	o.open(t, "pgx", func(int) string {
		config, err := pgx.ParseConfig(testdb.Postgres(t))
		require.NoError(t, err)
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		name := stdlib.RegisterConnConfig(config)
		t.Cleanup(func() { stdlib.UnregisterConnConfig(name) })
		return name
	})
	return o
}

// openMariaDBText has the driver use the text protocol for all queries, and give times as text.
func openMariaDBText(t *testing.T) *oracle {
	t.Helper()
	o := &oracle{engine: dialect.MySQL, columns: mysqlColumns()}
	o.open(t, "mysql", func(int) string {
		config, err := mysql.ParseDSN(testdb.MySQL(t))
		require.NoError(t, err)
		config.ParseTime, config.InterpolateParams = false, true
		return config.FormatDSN()
	})
	return o
}

func (o *oracle) open(t *testing.T, name string, dsn func(int) string) {
	t.Helper()
	for i := range oracleShards + 1 {
		db, err := sql.Open(name, dsn(i))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		if i == oracleShards {
			o.whole = db
		} else {
			o.shards[i] = db
		}
	}
}

// fill creates the table and puts rows into it, each into one shard and into the whole.
func (o *oracle) fill(t *testing.T, dice *rand.Rand, rows int) {
	t.Helper()
	definitions, marks := []string{"id INTEGER PRIMARY KEY"}, []string{o.mark(1)}
	for i, c := range o.columns {
		definitions = append(definitions, c.name+" "+c.typ)
		marks = append(marks, o.mark(i+2))
	}
	insert := "INSERT INTO r VALUES (" + strings.Join(marks, ", ") + ")"
	var batches [oracleShards + 1][][]any
	for id := range rows {
		row := []any{id}
		for _, c := range o.columns {
			if dice.IntN(6) == 0 {
				row = append(row, nil)
				continue
			}
			row = append(row, c.value(dice))
		}
		shard := dice.IntN(oracleShards)
		batches[shard] = append(batches[shard], row)
		batches[oracleShards] = append(batches[oracleShards], row)
	}
	for i, db := range append(o.shards[:], o.whole) {
		_, err := db.ExecContext(t.Context(), "CREATE TABLE r ("+strings.Join(definitions, ", ")+")")
		require.NoError(t, err)
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		for _, row := range batches[i] {
			_, err := tx.ExecContext(t.Context(), insert, row...)
			require.NoError(t, err)
		}
		require.NoError(t, tx.Commit())
	}
}

func (o *oracle) mark(i int) string {
	if o.engine == dialect.Postgres {
		return fmt.Sprintf("$%d", i)
	}
	return "?"
}

// sources sends a query to every shard.
func (o *oracle) sources(query string, args ...any) []merge.Source {
	sources := make([]merge.Source, 0, oracleShards)
	for i, db := range o.shards {
		sources = append(sources, merge.Source{Name: fmt.Sprintf("shard %d", i), Open: func(ctx context.Context) (driver.Rows, error) {
			rows, err := db.QueryContext(ctx, query, args...) //nolint:rowserrcheck // the merge reads them
			if err != nil {
				return nil, err
			}
			return merge.SQLRows(rows)
		}})
	}
	return sources
}
