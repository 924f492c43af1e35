package callbacks

import (
	"reflect"
	"runtime"
	"strings"

	"gorm.io/gorm"
)

// migrators recognises statements of GORM's Migrator, which change schemas and read catalogs for no tenant: db.AutoMigrate
// and db.Migrator() have no context or setting that says so, and replacing Config.Dialector, the one way to get at them
// (gorm v1.31.2 migrator.go Migrator), would break all who assert its type; it is replaced where models are sharded. So their callers are looked at, and only where
// a statement would otherwise be refused or is one that the Migrator is known to send.
type migrators struct{ prefixes []string }

// newMigrators knows GORM's own Migrator and the one of db's dialect.
func newMigrators(db *gorm.DB) migrators {
	m := migrators{prefixes: []string{"gorm.io/gorm/migrator.Migrator.", "gorm.io/gorm/migrator.(*Migrator)."}}
	if t := reflect.TypeOf(db.Dialector.Migrator(db)); t != nil {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.PkgPath() != "" {
			m.prefixes = append(m.prefixes, t.PkgPath()+"."+t.Name()+".", t.PkgPath()+".(*"+t.Name()+").")
		}
	}
	return m
}

// calling tells whether the statement at hand was sent by a Migrator: whether the first caller that is neither GORM's
// statement code nor this plugin is one of its methods, or a closure of one.
func (m migrators) calling() bool {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		for _, prefix := range m.prefixes {
			if strings.HasPrefix(frame.Function, prefix) {
				return true
			}
		}
		inside := strings.HasPrefix(frame.Function, "gorm.io/gorm.") || strings.HasPrefix(frame.Function, "gorm.io/gorm/callbacks.") ||
			strings.HasPrefix(frame.Function, "github.com/gormtenancy/tenancy/callbacks.")
		if !inside || !more {
			return false
		}
	}
}

// readsColumns tells whether the statement looks like the Migrator's look at a table's columns: Table(name).Limit(1).Rows()
// (gorm v1.31.2 migrator/migrator.go ColumnTypes).
func (p *Pass) readsColumns() bool {
	_, limited := p.stmt.Clauses["LIMIT"]
	return p.Op == OpRow && limited && p.stmt.Model == nil && !p.sub
}
