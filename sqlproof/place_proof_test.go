package sqlproof_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// misreading is an analyzer that makes a mistake with texts in which tables are at a place.
type misreading struct {
	sqlproof.Analyzer
	placed func(st *sqlproof.Statement) error
	same   bool
}

func (m misreading) Analyze(sql string) (*sqlproof.Statement, error) {
	st, err := m.Analyzer.Analyze(sql)
	if err != nil || !strings.Contains(sql, "tenancy_schema") {
		return st, err
	}
	return st, m.placed(st)
}

func (m misreading) Placed(before, now *sqlproof.Statement, schema, suffix string) bool {
	return m.same && m.Analyzer.Placed(before, now, schema, suffix)
}

// TestAtIsProven has a text at a place read otherwise than the text without it, in each way that is looked for.
func TestAtIsProven(t *testing.T) {
	t.Parallel()
	for name, placed := range map[string]func(st *sqlproof.Statement) error{
		"not read":        func(*sqlproof.Statement) error { return errors.New("no") },
		"kind":            func(st *sqlproof.Statement) error { st.Kind = sqlproof.Delete; return nil },
		"writes":          func(st *sqlproof.Statement) error { st.Writes = true; return nil },
		"blocks":          func(st *sqlproof.Statement) error { st.Blocks = st.Blocks[:1]; return nil },
		"sources":         func(st *sqlproof.Statement) error { st.Blocks[0].Sources = st.Blocks[0].Sources[:1]; return nil },
		"placeholders":    func(st *sqlproof.Statement) error { st.Marks = nil; return nil },
		"schema":          func(st *sqlproof.Statement) error { st.Blocks[0].Sources[0].Schema = ""; return nil },
		"name":            func(st *sqlproof.Statement) error { st.Blocks[0].Sources[0].Name = "users"; return nil },
		"alias":           func(st *sqlproof.Statement) error { st.Blocks[0].Sources[0].Alias = "x"; return nil },
		"of nobody":       func(st *sqlproof.Statement) error { st.Blocks[0].Sources[1].Schema = "tenancy_schema"; return nil },
		"no table":        func(st *sqlproof.Statement) error { st.Blocks[1].Sources[0].Kind = sqlproof.CTESource; return nil },
		"target":          func(st *sqlproof.Statement) error { st.Blocks[1].Sources[0].Target = true; return nil },
		"kind of a block": func(st *sqlproof.Statement) error { st.Blocks[1].Kind = sqlproof.Values; return nil },
		"":                func(*sqlproof.Statement) error { return nil },
	} {
		for _, same := range []bool{true, false} {
			analyzer := misreading{analyzers()["postgres"], placed, same}
			sql, refusal := sqlproof.Fresh(analyzer, placeTables(), "SELECT * FROM orders, countries WHERE orders.id IN (SELECT id FROM notes WHERE a = $1)").At("x", "")
			if same && name == "" {
				require.Nil(t, refusal)
				assert.Equal(t, `SELECT * FROM "x".orders, countries WHERE "orders"."tenant_id" = $2 AND (orders.id IN (SELECT id FROM "x".notes WHERE a = $1))`, sql)
				continue
			}
			require.NotNil(t, refusal, name)
			assert.Contains(t, refusal.Why, "would mean something else")
		}
	}
}

// TestAtIsProvenOnce counts how often a text is read.
func TestAtIsProvenOnce(t *testing.T) {
	t.Parallel()
	counted := &counting{Analyzer: analyzers()["sqlite"]}
	tables := &changing{Tables: placeTables()}
	p := sqlproof.NewProver(counted, tables, 0)
	const text = "SELECT * FROM orders, notes"
	at := func(want string) {
		t.Helper()
		sql, refusal := p.Prove(text).At("", "_x")
		require.Nil(t, refusal)
		assert.Equal(t, want, sql)
	}
	require.Nil(t, p.Prove(text).Refusal)
	proven := counted.read
	const both = "SELECT * FROM `orders_x` AS `orders`, `notes_x` AS `notes` WHERE `orders`.`tenant_id` = ?"
	for range 3 {
		at(both)
	}
	assert.Equal(t, proven+2, counted.read, "once without the names and once with them")
	tables.generation++
	at(both)
	assert.Equal(t, proven+2, counted.read, "what it rests on has not changed")
	tables.generation++
	tables.Open("notes")
	at("SELECT * FROM `orders_x` AS `orders`, notes WHERE `orders`.`tenant_id` = ?")
}
