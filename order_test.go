package tenancy_test

import (
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

// chainOrder lists the functions of a GORM chain as compiled; GORM has no way to ask.
func chainOrder(processor any) []string {
	fns := reflect.ValueOf(processor).Elem().FieldByName("fns")
	names := make([]string, fns.Len())
	closure, pkg := regexp.MustCompile(`(\.func\d+|-fm|\.\d+)+$`), regexp.MustCompile(`^.*[./]`)
	for i := range names {
		name := runtime.FuncForPC(fns.Index(i).Pointer()).Name()
		names[i] = pkg.ReplaceAllString(closure.ReplaceAllString(name, ""), "")
	}
	return names
}

// TestCallbackOrder is about promises 1 and 2: the hooks stand where they must, in whatever order plugins are installed,
// and with and without default transactions.
func TestCallbackOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resolver string // first, last or none
		skip     bool
	}{
		"plain": {"none", false}, "skip": {"none", true}, "resolver first": {"first", false}, "resolver last": {"last", false},
		"resolver first, skip": {"first", true}, "resolver last, skip": {"last", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "x.db")), &gorm.Config{SkipDefaultTransaction: c.skip})
			require.NoError(t, err)
			if c.resolver == "first" {
				require.NoError(t, db.Use(dbresolver.Register(dbresolver.Config{})))
			}
			require.NoError(t, db.Use(tenancy.New(tenancy.Config{})))
			if c.resolver == "last" {
				require.NoError(t, db.Use(dbresolver.Register(dbresolver.Config{})))
			}
			cb := db.Callback()
			order := func(processor any, want ...string) {
				t.Helper()
				want = slices.DeleteFunc(want, func(fn string) bool {
					return c.resolver == "none" && strings.HasPrefix(fn, "switch") || c.skip && strings.HasSuffix(fn, "Transaction")
				})
				require.Equal(t, want, chainOrder(processor))
			}
			order(cb.Create(), "guard", "switchSource", "route", "BeginTransaction", "BeforeCreate", "SaveBeforeAssociations",
				"confineCreate", "Create", "settle", "SaveAfterAssociations", "AfterCreate", "CommitOrRollbackTransaction", "finish")
			order(cb.Query(), "guard", "switchReplica", "route", "confineQuery", "Query", "Preload", "AfterQuery", "finish")
			order(cb.Update(), "guard", "switchSource", "route", "BeginTransaction", "SetupUpdateReflectValue", "BeforeUpdate",
				"SaveBeforeAssociations", "confineUpdate", "Update", "settle", "SaveAfterAssociations", "AfterUpdate", "CommitOrRollbackTransaction", "finish")
			order(cb.Delete(), "guard", "switchSource", "route", "BeginTransaction", "BeforeDelete", "DeleteBeforeAssociations",
				"confineDelete", "Delete", "AfterDelete", "CommitOrRollbackTransaction", "finish")
			order(cb.Row(), "guard", "switchReplica", "route", "confineQuery", "RowQuery", "finishRow")
			order(cb.Raw(), "guard", "switchGuess", "route", "RawExec", "finish")
		})
	}
}
