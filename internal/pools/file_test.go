package pools

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/sqlite"
)

func TestStorageOf(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]storage{
		"x.db":                            {path: "x.db"},
		"/a/x.db":                         {path: "/a/x.db"},
		"x.db?_pragma=foreign_keys(1)":    {path: "x.db"},
		"per%20cent.db?x=y":               {path: "per%20cent.db"},
		"ha#sh.db":                        {path: "ha#sh.db"},
		"file:x.db":                       {path: "x.db"},
		"file:x.db?cache=shared":          {path: "x.db"},
		"file:x.db#fragment":              {path: "x.db"},
		"file:x%20y%3F.db?mode=rwc":       {path: "x y?.db"},
		"file:/a/x.db":                    {path: "/a/x.db"},
		"file:///a/x%25.db?_txlock=now":   {path: "/a/x%.db"},
		"file://localhost/a/x.db":         {path: "/a/x.db"},
		"file:x.db?vfs=unix-dotfile":      {},
		"file:x.db?cache=shared;mode=ro":  {path: "x.db"},
		"file:%zz.db":                     {},
		":memory:":                        {memory: true},
		":memory:?_pragma=x":              {memory: true},
		"file::memory:":                   {memory: true},
		"file::memory:?cache=shared":      {memory: true},
		"file:x?mode=memory&cache=shared": {memory: true},
		"file:/x?vfs=memdb":               {memory: true},
		"":                                {},
	} {
		require.Equal(t, want, storageOf(gormsqlite.Open(dsn)), dsn)
		require.Equal(t, want, storageOf(sqlite.New(sqlite.Config{DSN: dsn})), dsn)
		require.Equal(t, want, storageOf(struct{ gorm.Dialector }{gormsqlite.Open(dsn)}), dsn)
	}
	for _, path := range []string{"x.db", "/a/x y.db", "per%20cent.db", "quest?ion.db", "ha#sh.db", "//a/b.db", "ünï&=.db"} {
		require.Equal(t, storage{path: filepath.FromSlash(path)}, storageOf(sqlite.Open(path)), path)
	}
	require.Equal(t, storage{memory: true}, storageOf(sqlite.Open(":memory:")))
	require.Equal(t, storage{}, storageOf(struct{ gorm.Dialector }{}))
	require.Equal(t, storage{}, storageOf(nil))
}

func TestFieldOf(t *testing.T) {
	t.Parallel()
	type Inner struct{ DSN string }
	type Outer struct{ Inner }
	for name, v := range map[string]any{
		"nil":               nil,
		"no struct":         1,
		"nil pointer":       (*Inner)(nil),
		"nil embedded":      struct{ *Inner }{},
		"another":           struct{ Other string }{},
		"unexported":        struct{ dsn string }{"x"},
		"embedded nil":      struct{ gorm.Dialector }{},
		"not embedded, nil": struct{ D gorm.Dialector }{},
	} {
		require.False(t, fieldOf(reflect.ValueOf(v), "DSN").IsValid(), name)
	}
	for name, v := range map[string]any{
		"struct":   Inner{"x"},
		"pointer":  &Inner{"x"},
		"embedded": struct{ *Inner }{&Inner{"x"}},
		"deep":     &struct{ *Outer }{&Outer{Inner{"x"}}},
	} {
		require.Equal(t, "x", fieldOf(reflect.ValueOf(v), "DSN").String(), name)
	}
}
