package difftest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
)

// side is what a chain runs on.
type side struct {
	db      *gorm.DB // a fresh session, with the tenant's context where there is a plugin
	bare    *gorm.DB // likewise, without a context: for subqueries
	ctx     context.Context
	dialect string
}

// in returns the side with its statements in a transaction.
func (s *side) in(tx *gorm.DB) *side {
	inside := *s
	inside.db = tx
	return &inside
}

// database is one database that chains run on, and the handle that resets and reads it around the plugin.
type database struct {
	dialect string
	shared  bool // holds all tenants
	gorm    *gorm.DB
	pool    *sql.DB // of gorm
	admin   *sql.DB
	scripts map[bool]string
	again   func() (*database, error) // makes one to take its place, when a chain has left this one locked
}

// side returns the side of a tenant.
func (d *database) side(tenant string) *side {
	ctx := context.Background()
	bare := d.gorm.Session(&gorm.Session{})
	if d.shared {
		ctx = tenancy.WithTenant(ctx, tenancy.ID(tenant))
	}
	return &side{db: d.gorm.WithContext(ctx), bare: bare, ctx: ctx, dialect: d.dialect}
}

// place says where an empty database is: a file's path, or a server's DSN.
type place func() (string, error)

// placeOf returns the places for databases of a test. It and not connect takes the test: a native fuzz target may not use
// its *testing.F while it runs.
func placeOf(t testing.TB, dialect string) place {
	t.Helper()
	switch dialect {
	case "sqlite":
		old, _ := filepath.Glob("/dev/shm/difftest*")
		for _, dir := range old { // what killed processes have left: the fuzzer kills its workers
			if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > time.Hour {
				_ = os.RemoveAll(dir)
			}
		}
		dir, err := os.MkdirTemp("/dev/shm", "difftest") //nolint:usetesting // in memory
		if err != nil {
			dir = t.TempDir()
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return func() (string, error) {
			dir, err := os.MkdirTemp(dir, "") //nolint:usetesting // see above
			return filepath.Join(dir, "x.db"), err
		}
	case "postgres":
		return func() (string, error) { return testdb.Postgres(t), nil }
	default:
		return func() (string, error) { return testdb.MySQL(t), nil }
	}
}

// connect opens an empty database with the tables of the models; install does what the application does with its *gorm.DB.
func connect(at place, dialect string, shared bool, install func(*gorm.DB) error) (*database, error) {
	where, err := at()
	if err != nil {
		return nil, err
	}
	dialector, driver, admin := sqlite.Open(where), "sqlite", "file:"+where+"?_pragma=busy_timeout(500)"
	switch dialect {
	case "postgres":
		dialector, driver, admin = postgres.Open(where), "pgx", where+"&default_query_exec_mode=simple_protocol&lock_timeout=1000"
	case "mysql":
		dialector, driver, admin = mysql.Open(where), "mysql", where+"&multiStatements=true&innodb_lock_wait_timeout=2"
	}
	d := &database{dialect: dialect, shared: shared, scripts: map[bool]string{}}
	d.again = func() (*database, error) {
		d.close()
		return connect(at, dialect, shared, install)
	}
	d.gorm, err = gorm.Open(dialector, &gorm.Config{
		Logger: logger.Discard, TranslateError: true, DisableForeignKeyConstraintWhenMigrating: true,
		NowFunc: func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC) },
	})
	if err != nil {
		return nil, err
	}
	if err := d.gorm.AutoMigrate(&Country{}, &Customer{}, &Order{}, &Profile{}, &Tag{}, &Note{}, &Setting{}); err != nil {
		return nil, err
	}
	if d.pool, err = d.gorm.DB(); err != nil {
		return nil, err
	}
	if d.admin, err = sql.Open(driver, admin); err != nil {
		return nil, err
	}
	d.admin.SetMaxOpenConns(1)
	return d, install(d.gorm)
}

func (d *database) close() {
	_ = d.admin.Close()
	go d.pool.Close() //nolint:errcheck // would wait for what a chain has left open
}

// reset puts the fixture back.
func (d *database) reset(ctx context.Context, base int, dirty bool) error {
	query, ok := d.scripts[dirty]
	if !ok || d.dialect == "mysql" {
		query = script(d.dialect, base, dirty, func(tenant int) bool { return d.shared || tenant == 0 })
		d.scripts[dirty] = query
	}
	if _, err := d.admin.ExecContext(ctx, query); err != nil {
		_, _ = d.admin.ExecContext(ctx, "ROLLBACK")
		return fmt.Errorf("reset of the shared (%v) database: %w", d.shared, err)
	}
	return nil
}

// rewind is reset with a base that new keys have passed already.
func (d *database) rewind(ctx context.Context, base int, dirty bool) error {
	if d.dialect == "mysql" {
		for _, t := range fixture(false) {
			query := "DELETE FROM " + t.name
			if t.serial {
				query += fmt.Sprintf("; ALTER TABLE %s AUTO_INCREMENT = %d", t.name, base)
			}
			if _, err := d.admin.ExecContext(ctx, query); err != nil {
				return fmt.Errorf("rewind: %w", err)
			}
		}
	}
	return d.reset(ctx, base, dirty)
}

// snapshot is all rows of a database, as texts, by whose they are.
type snapshot struct{ own, others []string }

// read takes a snapshot.
func (d *database) read(ctx context.Context) (snapshot, error) {
	var s snapshot
	strangers := map[string]bool{}
	for t := range tenants()[1:] {
		for k := range 6 {
			strangers[fmt.Sprint(rowID(t+1, k))] = true
		}
		strangers[fmt.Sprint(101+t)] = true
	}
	for _, t := range fixture(false) {
		rows, err := d.admin.QueryContext(ctx, "SELECT "+strings.Join(t.columns, ",")+" FROM "+t.name)
		if err != nil {
			return s, err
		}
		err = eachRecord(rows, len(t.columns), func(record []string) {
			line := t.name + " " + strings.Join(record, ",")
			stranger := false
			switch {
			case !d.shared:
			case t.owned:
				stranger = record[slices.Index(t.columns, "tenant_id")] != subject
			case t.name == "customer_tags":
				stranger = strangers[record[0]] || strangers[record[1]]
			}
			if stranger {
				s.others = append(s.others, line)
			} else {
				s.own = append(s.own, line)
			}
		})
		if err != nil {
			return s, err
		}
	}
	slices.Sort(s.own)
	slices.Sort(s.others)
	return s, nil
}

func eachRecord(rows *sql.Rows, columns int, fn func([]string)) error {
	defer rows.Close() //nolint:errcheck // Err is asked below
	values := make([]any, columns)
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		record := make([]string, columns)
		for i, v := range values {
			record[i] = showValue(reflect.ValueOf(v), 0)
		}
		fn(record)
	}
	return rows.Err()
}

// byHand has an application of one tenant fill in its tenant itself, on creates and where all columns are written, as the
// plugin does for it.
func byHand(db *gorm.DB) error {
	fill := func(db *gorm.DB) {
		stmt := db.Statement
		if db.Error != nil || stmt.Table == "countries" || stmt.Table == "customer_tags" {
			return
		}
		switch dest := stmt.Dest.(type) {
		case map[string]any:
			fillMap(dest)
		case *map[string]any:
			fillMap(*dest)
		case []map[string]any:
			for _, m := range dest {
				fillMap(m)
			}
		case *[]map[string]any:
			for _, m := range *dest {
				fillMap(m)
			}
		default:
			fillStructs(reflect.ValueOf(dest))
		}
		if len(stmt.Selects) > 0 && !slices.Contains(stmt.Selects, "*") {
			stmt.Selects = append(slices.Clone(stmt.Selects), "tenant_id")
		}
	}
	all := func(db *gorm.DB) {
		if slices.Contains(db.Statement.Selects, "*") {
			fillStructs(reflect.ValueOf(db.Statement.Dest))
		}
	}
	if err := db.Callback().Create().Before("gorm:create").Register("difftest:fill", fill); err != nil {
		return err
	}
	return db.Callback().Update().Before("gorm:update").Register("difftest:fill", all)
}

func fillMap(m map[string]any) {
	for _, k := range []string{"tenant_id", "TenantID"} {
		if m[k] != nil && m[k] != "" {
			return
		}
	}
	m["tenant_id"] = subject
}

func fillStructs(v reflect.Value) {
	v = reflect.Indirect(v)
	switch v.Kind() {
	case reflect.Interface:
		fillStructs(v.Elem())
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			fillStructs(v.Index(i))
		}
	case reflect.Struct:
		if f := v.FieldByName("TenantID"); f.IsValid() && f.CanSet() && f.String() == "" {
			f.SetString(subject)
		}
	default:
	}
}
