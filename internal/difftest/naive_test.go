package difftest

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// naive is the plugin that one would write first: it adds the tenant to WHERE, where the model has one.
func naive(db *gorm.DB) error {
	scope := func(db *gorm.DB) {
		id, ok := tenancy.FromContext(db.Statement.Context)
		if s := db.Statement.Schema; ok && s != nil && s.LookUpField("tenant_id") != nil {
			db.Statement.AddClause(clause.Where{Exprs: []clause.Expression{
				clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "tenant_id"}, Value: string(id)},
			}})
		}
	}
	fill := func(db *gorm.DB) { fillStructs(reflect.ValueOf(db.Statement.Dest)) }
	call := db.Callback()
	for _, err := range []error{
		call.Query().Before("gorm:query").Register("naive", scope), call.Row().Before("gorm:row").Register("naive", scope),
		call.Update().Before("gorm:update").Register("naive", scope), call.Delete().Before("gorm:delete").Register("naive", scope),
		call.Create().Before("gorm:create").Register("naive", fill),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestFindsLeaks shows that the chains find what they are for.
func TestFindsLeaks(t *testing.T) {
	p := newPair(t, "sqlite", naive)
	found := map[string]int{}
	for n := range uint64(300) {
		diff, err := p.compare(t.Context(), chainOf("sqlite", throw(1, n)))
		require.NoError(t, err)
		if diff != nil {
			found[diff.what]++
		}
	}
	t.Log(found)
	require.NotZero(t, found["rows of other tenants changed"], "a naive plugin lets one tenant write another's rows")
	require.NotZero(t, found["results differ"], "a naive plugin lets one tenant read another's rows")
}
