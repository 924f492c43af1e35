package tenancytest

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// sabotages are plugins that the suite must not take for the real one, where all tenants share tables.
var sabotages = map[string]func(db *gorm.DB, cfg tenancy.Config) error{
	"no plugin": func(*gorm.DB, tenancy.Config) error { return nil },
	"a plugin that refuses everything": func(db *gorm.DB, _ tenancy.Config) error {
		refuse := func(db *gorm.DB) {
			id, _ := tenancy.FromContext(db.Statement.Context)
			if id != "" {
				_ = db.AddError(&tenancy.StatementError{Tenant: id, Op: "any", Err: tenancy.ErrTenantMismatch})
			}
		}
		cb := db.Callback()
		_ = cb.Query().Before("*").Register("x", refuse)
		_ = cb.Row().Before("*").Register("x", refuse)
		_ = cb.Raw().Before("*").Register("x", refuse)
		_ = cb.Create().Before("*").Register("x", refuse)
		_ = cb.Update().Before("*").Register("x", refuse)
		return cb.Delete().Before("*").Register("x", refuse)
	},
	"a plugin that adds a condition": func(db *gorm.DB, _ tenancy.Config) error {
		confine := func(db *gorm.DB) {
			s := db.Statement.Schema
			if id, ok := tenancy.FromContext(db.Statement.Context); ok && s != nil && tenantField(s) != nil {
				db.Statement.AddClause(clause.Where{Exprs: []clause.Expression{
					clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: tenantField(s).DBName}, Value: string(id)},
				}})
			}
		}
		fill := func(db *gorm.DB) {
			s := db.Statement.Schema
			if id, ok := tenancy.FromContext(db.Statement.Context); ok && s != nil && tenantField(s) != nil {
				db.Statement.SetColumn(tenantField(s).Name, string(id), true)
			}
		}
		cb := db.Callback()
		_ = cb.Query().Before("gorm:query").Register("x", confine)
		_ = cb.Row().Before("gorm:row").Register("x", confine)
		_ = cb.Update().Before("gorm:update").Register("x", confine)
		_ = cb.Delete().Before("gorm:delete").Register("x", confine)
		return cb.Create().Before("gorm:create").Register("x", fill)
	},
}

// astray are plugins that lead tenants to a wrong place, and walls that are none, by what the suite must say of them.
func astray() map[string]stray {
	return map[string]stray{
		"a resolver that sends A to B's database": {
			engine: "sqlite",
			harness: func(t *testing.T) Harness {
				t.Helper()
				h := setup{engine: engineNamed("sqlite")}.harness(t, 2, func(int, int) kind { return inDatabase })
				h.Install = lying(func(ctx context.Context, honest tenancy.ShardResolver) (tenancy.Placement, error) {
					return honest.Resolve(ctx, tenancy.ID("globex"))
				}, func(db *gorm.DB) bool { return db.Statement.Schema != nil })
				return h
			},
			fails: []string{"string/reads/First", "string/creates/Create", "string/updates/AllowGlobalUpdate"}, says: "rows of B have changed",
		},
		"a schema that is not applied": {
			engine: "postgres",
			harness: func(t *testing.T) Harness {
				t.Helper()
				h := setup{engine: engineNamed("postgres"), placement: "mixed", proven: true}.harness(t, 0, aInSchema)
				h.Install = lying(atNoSchema, func(db *gorm.DB) bool { return db.Statement.Schema != nil })
				return h
			},
			fails: []string{"string/reads/First", "string/creates/Create", "string/updates/AllowGlobalUpdate"}, says: "rows of B have changed",
		},
		"a missing table that is looked for elsewhere": {
			engine: "postgres",
			harness: func(t *testing.T) Harness {
				t.Helper()
				h := setup{engine: engineNamed("postgres"), placement: "mixed", proven: true}.harness(t, 0, aInSchema)
				h.Install = lying(atNoSchema, func(db *gorm.DB) bool {
					return db.Error != nil && strings.Contains(db.Error.Error(), `text_parents" does not exist`)
				})
				return h
			},
			fails: []string{"string/a_table_that_is_missing"}, says: "never another of that name",
		},
		"a policy that lets other tenants' rows through": {
			engine: "postgres",
			harness: func(t *testing.T) Harness {
				t.Helper()
				h := setup{engine: engineNamed("postgres"), secured: true}.harness(t, 0, func(int, int) kind { return atHome })
				places := h.Places
				h.Places = func(t testing.TB, home func() gorm.Dialector, tenants []tenancy.ID) Places {
					t.Helper()
					p := places(t, home, tenants)
					prepare := p.Prepare
					p.Prepare = func(t testing.TB, at Place, plugin *tenancy.Plugin) {
						t.Helper()
						prepare(t, at, plugin)
						require.NoError(t, at.DB.Exec("CREATE POLICY loose ON text_tags USING (current_setting('"+setting+"', true) IS DISTINCT FROM 'x')").Error)
					}
					return p
				}
				return h
			},
			fails: []string{"string/row-level_security"}, says: "rows are shown without the setting",
		},
	}
}

// stray is one of them: an application, and the cases that must fail.
type stray struct {
	engine  string
	harness func(t *testing.T) Harness
	fails   []string
	says    string
}

// aInSchema puts A into a schema and B into shared tables.
func aInSchema(_, tenant int) kind { return []kind{inSchema, atHome}[tenant] }

func atNoSchema(context.Context, tenancy.ShardResolver) (tenancy.Placement, error) {
	return tenancy.Placement{}, nil
}

// lying installs the plugin with a resolver that gives another place for A as soon as a statement has been one to begin at.
func lying(lie func(ctx context.Context, honest tenancy.ShardResolver) (tenancy.Placement, error), begins func(db *gorm.DB) bool) func(*gorm.DB, tenancy.Config) error {
	return func(db *gorm.DB, cfg tenancy.Config) error {
		var lies atomic.Bool
		honest := cfg.Resolver
		cfg.Resolver = tenancy.ShardResolverFunc(func(ctx context.Context, key any) (tenancy.Placement, error) {
			if lies.Load() && key == tenancy.ID("acme") {
				return lie(ctx, honest)
			}
			return honest.Resolve(ctx, key)
		})
		if err := db.Use(tenancy.New(cfg)); err != nil {
			return err
		}
		return db.Callback().Query().After("*").Register("tenancytest:lie", func(db *gorm.DB) {
			if begins(db) {
				lies.Store(true)
			}
		})
	}
}

const sabotageEnv = "TENANCYTEST_SABOTAGE"

// sabotaged runs the suite on a sabotage, in a process of its own, and returns what it says.
func sabotaged(t *testing.T, name string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSabotaged$", "-test.v")
	cmd.Env = append(os.Environ(), sabotageEnv+"="+name)
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "the suite passes")
	t.Logf("%d of %d cases fail", strings.Count(string(out), "--- FAIL: TestSabotaged/"), strings.Count(string(out), "--- "))
	return string(out)
}

// TestSuiteNotices runs the suite on plugins that leak or that refuse too much.
func TestSuiteNotices(t *testing.T) {
	t.Parallel()
	if os.Getenv(sabotageEnv) != "" {
		return // this is one of them
	}
	for name := range sabotages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := sabotaged(t, name)
			subjects := map[string]bool{}
			for _, m := range regexp.MustCompile(`--- FAIL: TestSabotaged/string/([^/ ]+)/`).FindAllStringSubmatch(out, -1) {
				subjects[m[1]] = true
			}
			var silent []string
			for _, g := range shapeGroups() {
				if !subjects[g.subject] {
					silent = append(silent, g.subject)
				}
			}
			// Preload runs the query callbacks, so a condition is all that it needs.
			silent = slices.DeleteFunc(silent, func(s string) bool { return s == "preloads" && name == "a plugin that adds a condition" })
			assert.Empty(t, silent, "subjects in which no case fails")
		})
	}
	for name, s := range astray() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engineNamed(s.engine).database(t) // skips if there is none
			out := sabotaged(t, name)
			for _, c := range s.fails {
				assert.Contains(t, out, "--- FAIL: TestSabotaged/"+c+" ")
			}
			assert.Contains(t, out, s.says)
		})
	}
}

// TestSabotaged is the suite that [TestSuiteNotices] runs.
func TestSabotaged(t *testing.T) {
	t.Parallel()
	name := os.Getenv(sabotageEnv)
	if install := sabotages[name]; install != nil {
		testWorlds(t, Harness{Database: engineNamed("sqlite").database, Install: install}, worlds()[:1])
	}
	if s, ok := astray()[name]; ok {
		testWorlds(t, s.harness(t), worlds()[:1])
	}
}
