package tenancytest

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// sabotages are plugins that the suite must not take for the real one.
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

const sabotageEnv = "TENANCYTEST_SABOTAGE"

// TestSuiteNotices runs the suite, in processes of its own, on plugins that leak or that refuse too much.
func TestSuiteNotices(t *testing.T) {
	t.Parallel()
	if os.Getenv(sabotageEnv) != "" {
		return // this is one of them
	}
	for name := range sabotages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSabotaged$", "-test.v")
			cmd.Env = append(os.Environ(), sabotageEnv+"="+name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "the suite passes")
			subjects := map[string]bool{}
			for _, m := range regexp.MustCompile(`--- FAIL: TestSabotaged/string/([^/ ]+)/`).FindAllStringSubmatch(string(out), -1) {
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
			t.Logf("%d of %d cases fail", strings.Count(string(out), "--- FAIL: TestSabotaged/"), strings.Count(string(out), "--- "))
		})
	}
}

// TestSabotaged is the suite that [TestSuiteNotices] runs.
func TestSabotaged(t *testing.T) {
	t.Parallel()
	install := sabotages[os.Getenv(sabotageEnv)]
	if install == nil {
		return // it is TestSuiteNotices that runs it
	}
	testWorlds(t, Harness{Database: engineNamed("sqlite").database, Install: install}, worlds()[:1])
}
