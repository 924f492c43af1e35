package tenancy_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlproof"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// The tests in this file are about Config.SQL: what it confines in text, and that it checks what the callbacks have built.

// proven configures a shop whose text is read.
func proven(_ *gorm.Config, cfg *tenancy.Config) { cfg.SQL = sqliteproof.New() }

func TestPromise2RawSQLIsConfined(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven)
	before := s.theirs(t)
	s.log.take()
	var names []string
	for name, q := range map[string]struct {
		db   *gorm.DB
		sent string
	}{
		"Raw":             {s.a.Raw("SELECT name FROM customers"), `SELECT name FROM customers WHERE ` + "`customers`.`tenant_id` = \"a\""},
		"Raw with OR":     {s.a.Raw("SELECT name FROM customers c WHERE c.name = ? OR 1 = 1 ORDER BY 1", "x"), "WHERE `c`.`tenant_id` = \"a\" AND (c.name = \"x\" OR 1 = 1) ORDER BY 1"},
		"a CTE":           {s.a.Raw("WITH x AS (SELECT * FROM customers) SELECT name FROM x"), "WITH x AS (SELECT * FROM customers WHERE `customers`.`tenant_id` = \"a\")"},
		"Joins":           {s.a.Model(&Customer{}).Joins("LEFT JOIN orders ON 1 = 1").Distinct().Select("customers.name"), "LEFT JOIN orders ON `orders`.`tenant_id` = \"a\" AND (1 = 1)"},
		"two tables":      {s.a.Table("customers c, orders o").Where("o.item <> ?", "z").Select("DISTINCT c.name"), "WHERE `c`.`tenant_id` = \"a\" AND `o`.`tenant_id` = \"a\" AND (o.item <> \"z\")"},
		"a subselect":     {s.a.Model(&Customer{}).Where("EXISTS (SELECT 1 FROM orders)").Select("name"), "EXISTS (SELECT 1 FROM orders WHERE `orders`.`tenant_id` = \"a\")"},
		"a join table":    {s.a.Raw("SELECT c.name FROM customers c JOIN customer_tags l ON l.customer_id = c.id JOIN tags t ON t.id = l.tag_id"), "WHERE `c`.`tenant_id` = \"a\" AND `t`.`tenant_id` = \"a\""},
		"what it binds":   {s.a.Raw("SELECT name FROM customers WHERE tenant_id = ?", "a"), "SELECT name FROM customers WHERE tenant_id = \"a\""},
		"a literal":       {s.a.Raw("SELECT name FROM customers WHERE tenant_id = 'a'"), "SELECT name FROM customers WHERE tenant_id = 'a'"},
		"through another": {s.a.Raw("SELECT c.name FROM customers c WHERE c.tenant_id = ? AND EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = c.tenant_id)", "a"), "o.tenant_id = c.tenant_id)"},
	} {
		names = nil
		require.NoError(t, q.db.Scan(&names).Error, name)
		require.Equal(t, []string{"ann"}, names, name)
		sent := s.log.take()
		require.Contains(t, sent[len(sent)-1], q.sent, name)
	}
	require.NoError(t, s.a.Exec("UPDATE orders SET item = upper(item)").Error)
	require.NoError(t, s.a.Exec("DELETE FROM orders WHERE item = ? OR 1 = 1", "x").Error)
	require.NoError(t, s.a.Exec("INSERT INTO tags (label) VALUES (?), (?)", "y", "z").Error)
	require.NoError(t, s.a.Exec("INSERT INTO tags (label, tenant_id) VALUES (?, ?)", "w", "a").Error)
	require.NoError(t, s.a.Exec("INSERT INTO orders (item) SELECT label FROM tags").Error)
	var orders []Order
	require.NoError(t, s.a.Find(&orders).Error)
	require.Len(t, orders, 4)
	require.Equal(t, before, s.theirs(t))
}

func TestPromise2RawSQLForAnotherTenantIsEmpty(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven)
	for name, q := range map[string]*gorm.DB{
		"an argument":  s.a.Raw("SELECT name FROM customers WHERE tenant_id = ?", "b"),
		"a literal":    s.a.Raw("SELECT name FROM customers WHERE tenant_id = 'b'"),
		"a list":       s.a.Raw("SELECT name FROM customers WHERE tenant_id IN ?", []string{"b", "c", "d"}),
		"through":      s.a.Raw("SELECT c.name FROM customers c JOIN orders o ON o.tenant_id = c.tenant_id WHERE o.tenant_id = ?", "b"),
		"a wrong type": s.a.Raw("SELECT name FROM customers WHERE tenant_id = ?", 7),
	} {
		var names []string
		require.NoError(t, q.Scan(&names).Error, name)
		require.Empty(t, names, name)
	}
	var names []string
	require.NoError(t, s.a.Raw("SELECT name FROM customers WHERE tenant_id IN ?", []string{"a", "b", "c"}).Scan(&names).Error)
	require.Equal(t, []string{"ann"}, names, "one of several")
	require.Zero(t, s.a.Exec("DELETE FROM orders WHERE tenant_id = ?", "b").RowsAffected)
}

func TestPromise3RawSQLGivesNoRowAway(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven)
	before := s.theirs(t)
	for _, q := range []struct {
		text string
		args []any
	}{
		{"INSERT INTO tags (label, tenant_id) VALUES (?, ?)", []any{"x", "b"}},
		{"INSERT INTO tags (label, tenant_id) VALUES (?, ?), (?, ?), (?, ?)", []any{"x", "a", "y", "a", "z", "b"}},
		{"INSERT INTO tags (label, tenant_id) VALUES (?, 'b')", []any{"x"}},
		{"INSERT INTO tags (label, tenant_id) VALUES (?, lower('B'))", []any{"x"}},
		{"INSERT INTO tags (label, tenant_id) SELECT label, 'b' FROM tags", nil},
		{"UPDATE tags SET tenant_id = ?", []any{"b"}},
		{"UPDATE tags SET tenant_id = (SELECT max(tenant_id) FROM tags)", nil},
		{"UPDATE tags SET (label, tenant_id) = ('x', 'b')", nil},
		{"INSERT INTO tags (id, label) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET tenant_id = 'b'", nil},
	} {
		require.ErrorIs(t, s.a.Exec(q.text, q.args...).Error, tenancy.ErrTenantMismatch, q.text)
	}
	for _, text := range []string{
		"REPLACE INTO tags (id, label) VALUES (2, 'x')",
		"INSERT OR REPLACE INTO tags (id, label) VALUES (2, 'x')",
		"UPDATE OR REPLACE tags SET id = 2",
		"INSERT INTO tags VALUES (9, 'b', 'x')",
		"INSERT INTO customer_tags (customer_id, tag_id) VALUES (1, 2)",
		"DROP TABLE tags",
		"PRAGMA table_info(tags)",
		"SELECT 1; DELETE FROM tags",
	} {
		require.ErrorIs(t, s.a.Exec(text).Error, tenancy.ErrUnconfinedSQL, text)
	}
	require.NoError(t, s.a.Exec("INSERT INTO tags (id, label) VALUES (?, 'stolen') ON CONFLICT (id) DO UPDATE SET label = excluded.label", s.them.Tags[0].ID).Error)
	require.Equal(t, before, s.theirs(t))
}

func TestPromise1RawSQLNeedsATenant(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven)
	require.NoError(t, s.db.Create(&Country{Name: "Iceland"}).Error)
	s.log.take()
	var names []string
	require.ErrorIs(t, s.db.Raw("SELECT name FROM customers").Scan(&names).Error, tenancy.ErrNoTenant)
	require.ErrorIs(t, s.db.Exec("DELETE FROM customers").Error, tenancy.ErrNoTenant)
	require.ErrorIs(t, s.db.Raw("SELECT nonsense nonsense nonsense").Scan(&names).Error, tenancy.ErrNoTenant)
	require.ErrorIs(t, s.a.Raw("SELECT name FROM strangers").Scan(&names).Error, tenancy.ErrUnknownTable)
	require.ErrorIs(t, s.db.Raw("SELECT max(name) FROM customers").Row().Scan(new(string)), tenancy.ErrNoTenant)
	require.Empty(t, s.log.take(), "something was sent")
	require.NoError(t, s.db.Raw("SELECT name FROM countries").Scan(&names).Error, "a global table needs none")
	require.Equal(t, []string{"Iceland"}, names)
	require.NoError(t, s.db.WithContext(tenancy.WithoutTenant(context.Background(), "report")).Raw("SELECT name FROM customers").Scan(&names).Error)
	require.Len(t, names, 2)
}

// TestTheProofChecksTheCallbacks is about promises 1 and 2: what goes wrong behind the callbacks, the proof finds.
func TestTheProofChecksTheCallbacks(t *testing.T) {
	t.Parallel()
	for name, meddle := range map[string]func(db *gorm.DB){
		"a join that comes late":    func(db *gorm.DB) { db.Joins(", orders AS late") },
		"a join of an unknown kind": func(db *gorm.DB) { db.Joins("LEFT JOIN customers AS late ON 1 = 1") },
		"another table": func(db *gorm.DB) {
			db.Statement.TableExpr = &clause.Expr{SQL: "customers, customers AS late"}
		},
		"a condition that comes late": func(db *gorm.DB) { db.Or("1 = 1") },
	} {
		s := newShop(t, proven)
		require.NoError(t, s.db.Callback().Query().After("tenancy:confine").Before("gorm:query").Register("meddle", func(db *gorm.DB) {
			if db.Statement.Table == "customers" {
				meddle(db)
			}
		}))
		var rows []Customer
		if err := s.a.Select("customers.*").Find(&rows).Error; err != nil {
			require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL, name)
		}
		for _, c := range rows {
			require.Equal(t, "a", c.TenantID, name)
		}
		for _, sent := range s.log.take() {
			require.Equal(t, 1+strings.Count(sent, "late")/2, strings.Count(sent, "tenant_id` = \"a\""), "%s: %s", name, sent)
		}
	}
}

func TestRawRefuse(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven, func(_ *gorm.Config, cfg *tenancy.Config) { cfg.RawSQL = tenancy.RawRefuse })
	var rows []Customer
	for name, err := range map[string]error{
		"Raw":             s.a.Raw("SELECT * FROM customers").Scan(&rows).Error,
		"Raw that binds":  s.a.Raw("SELECT * FROM customers WHERE tenant_id = ?", "a").Scan(&rows).Error,
		"Exec":            s.a.Exec("DELETE FROM customers").Error,
		"a join as text":  s.a.Joins("JOIN orders ON 1 = 1").Find(&rows).Error,
		"a subquery":      s.a.Where("EXISTS (SELECT 1 FROM orders)").Find(&rows).Error,
		"several tables":  s.a.Table("customers, orders").Scan(&rows).Error,
		"a derived table": s.a.Table("(SELECT * FROM orders) AS o").Scan(&rows).Error,
	} {
		require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL, name)
	}
	require.NoError(t, s.a.Raw("SELECT * FROM countries").Scan(&rows).Error)
	require.NoError(t, s.a.Joins("JOIN countries ON 1 = 0").Find(&rows).Error)
	require.NoError(t, s.a.Joins("JOIN orders ON orders.tenant_id = customers.tenant_id").Find(&rows).Error, "it is bound as it stands")
}

func TestDryRunShowsWhatWouldBeSent(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven)
	text := s.a.ToSQL(func(tx *gorm.DB) *gorm.DB {
		return tx.Raw("SELECT * FROM orders WHERE item = ?", "axe").Scan(&[]Order{})
	})
	require.Equal(t, "SELECT * FROM orders WHERE `orders`.`tenant_id` = \"a\" AND (item = \"axe\")", text)
	text = s.a.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.Joins("JOIN orders o ON 1 = 1").Find(&[]Customer{}) })
	require.Contains(t, text, "`o`.`tenant_id` = \"a\"")
	dry := s.a.Session(&gorm.Session{DryRun: true}).Raw("DROP TABLE orders").Scan(&[]Order{})
	require.ErrorIs(t, dry.Error, tenancy.ErrUnconfinedSQL)
}

func TestErrorsOfTextSayWhereAndWhatToDo(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven)
	for text, parts := range map[string][]string{
		"SELECT *\nFROM customers\nJOIN strangers s ON 1 = 1":                {"strangers", "line 3, column 6", "list it"},
		"SELECT * FROM customers WHERE id IN orders":                         {"line 1, column 37", "IN (SELECT column FROM orders)"},
		"INSERT INTO tags VALUES (1, 2, 3)":                                  {"tags", "names of its columns", "INSERT INTO tags (a, b)"},
		"SELECT * FROM customers WHERE id = @id":                             {"named placeholders", `use "?"`},
		"SELECT load_extension('x')":                                         {"LOAD_EXTENSION", "line 1, column 8"},
		"DROP TABLE customers":                                               {"neither SELECT", "tenancy.WithoutTenant"},
		"SELECT * FROM customers WHERE name = 'secret' AND":                  {"no single statement of SQLite's"},
		"UPDATE tags SET tenant_id = 'globex'":                               {"a row of tags is to be another tenant's"},
		"SELECT * FROM pragma_table_info('customers')":                       {"pragma_table_info", "may read any table"},
		"SELECT * FROM customers c, orders c":                                {"same name", "alias"},
		"WITH customers AS (SELECT * FROM customers) SELECT * FROM customer": {"customer"},
	} {
		err := s.a.Exec(text).Error
		require.Error(t, err, text)
		for _, part := range parts {
			require.Contains(t, err.Error(), part, text)
		}
		require.NotContains(t, err.Error(), "secret")
		require.NotContains(t, err.Error(), "globex")
	}
}

func TestSQLMustReadTheDatabase(t *testing.T) {
	t.Parallel()
	db := newShop(t).db
	fresh, err := gorm.Open(db.Dialector, &gorm.Config{})
	require.NoError(t, err)
	err = fresh.Use(tenancy.New(tenancy.Config{SQL: other{sqliteproof.New()}, RawSQL: 9}))
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "sqlproof/sqlite")
	require.ErrorContains(t, err, "RawSQL: 9 is not a policy")
}

func TestAdoptingWithProof(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven, func(_ *gorm.Config, cfg *tenancy.Config) { cfg.Unlisted = tenancy.UnlistedGlobal })
	require.NoError(t, s.a.Exec("CREATE TABLE strangers (x)").Error, "text that names no table of tenants passes")
	require.NoError(t, s.a.Exec("INSERT INTO strangers VALUES (1)").Error)
	var n int64
	require.NoError(t, s.a.Raw("SELECT count(*) FROM strangers, customers").Scan(&n).Error)
	require.EqualValues(t, 1, n, "the customers are a's")
	require.ErrorIs(t, s.a.Exec("DROP TABLE customers").Error, tenancy.ErrUnconfinedSQL)
}

// other is an analyzer that says it is of another dialect.
type other struct{ sqlproof.Analyzer }

func (other) Dialect() string { return "postgres" }

// Late is a model that the configuration does not list.
type Late struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Name     string
}

// TestPlansFollowTheModels is about promise 2: a plan that is kept does not outlive what it rests on.
func TestPlansFollowTheModels(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven, func(_ *gorm.Config, cfg *tenancy.Config) { cfg.Unlisted = tenancy.UnlistedGlobal })
	require.NoError(t, s.db.Exec("CREATE TABLE lates (id integer PRIMARY KEY, tenant_id text, name text)").Error)
	const text = "SELECT name FROM lates ORDER BY name"
	var names []string
	require.NoError(t, s.a.Raw(text).Scan(&names).Error, "nothing is known of it")
	require.NoError(t, s.a.Create(&Late{Name: "a's"}).Error, "now it is")
	require.NoError(t, s.b.Create(&Late{Name: "b's"}).Error)
	require.NoError(t, s.a.Raw(text).Scan(&names).Error)
	require.Equal(t, []string{"a's"}, names)
	require.NoError(t, s.b.Raw(text).Scan(&names).Error, "the same plan, for another tenant")
	require.Equal(t, []string{"b's"}, names)
	require.ErrorIs(t, s.db.Raw(text).Scan(&names).Error, tenancy.ErrNoTenant)
}

// TestModelUnderAnotherName is about promise 2: a model's tags say whose the rows are under whatever name of its table.
func TestModelUnderAnotherName(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven)
	all := s.db.WithContext(tenancy.WithoutTenant(context.Background(), "schema"))
	require.NoError(t, all.Exec("CREATE TABLE orders_2024 (id integer PRIMARY KEY, tenant_id text, customer_id integer, item text)").Error)
	require.NoError(t, s.a.Table("orders_2024").Create(&Order{Item: "a's"}).Error)
	require.NoError(t, s.b.Table("orders_2024").Create(&Order{Item: "b's"}).Error)
	var rows []Order
	require.NoError(t, s.a.Table("orders_2024").Find(&rows).Error)
	require.Len(t, rows, 1)
	var items []string
	require.NoError(t, s.a.Raw("SELECT item FROM orders_2024 UNION SELECT item FROM orders").Scan(&items).Error, "it is known by now")
	require.ElementsMatch(t, []string{"a's", "apple", "axe"}, items)
}

// TestManyTenantsShareAPlan is about promise 2, under load: no value of one tenant is in the plan of another.
func TestManyTenantsShareAPlan(t *testing.T) {
	t.Parallel()
	s := newShop(t, proven)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			id := tenancy.ID("t" + strconv.Itoa(g))
			db := s.db.WithContext(ctxOf(id))
			for i := range 20 {
				ids := slices.Repeat([]int{-1}, 1+i%5)
				var got []string
				err := errors.Join(
					db.Exec("INSERT INTO tags (label) VALUES (?)", string(id)).Error,
					db.Raw("SELECT label FROM tags WHERE id NOT IN ? OR label = ?", ids, "x").Scan(&got).Error,
					db.Raw("SELECT label FROM tags WHERE tenant_id = ?", string(id)).Scan(&got).Error)
				if err != nil || len(got) != i+1 || slices.ContainsFunc(got, func(l string) bool { return l != string(id) }) {
					t.Errorf("%s: %v, %v", id, got, err)
					return
				}
			}
		})
	}
	all.Wait()
}
