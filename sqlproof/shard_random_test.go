package sqlproof_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// randomKeys are the keys that rows have; a place holds the rows of some of them, which are the bits of a mask.
const (
	randomKeys = 3
	allKeys    = 1<<randomKeys - 1
)

// fixedKeyStatements is how many random statements each run of the tests makes.
const fixedKeyStatements = 1500

// TestRandomKeys holds what is said of shard keys to its promise with random statements: where there are only the rows of
// the keys that a statement can touch, it gives what it gives where there are all rows, and changes the same ones; and one
// that may run in several placements gives in all of them together what it gives where there are all rows.
//
// TENANCY_FUZZ_TIME bounds it on each database instead, with fresh seeds.
func TestRandomKeys(t *testing.T) {
	budget := time.Duration(0)
	if s := os.Getenv("TENANCY_FUZZ_TIME"); s != "" {
		var err error
		budget, err = time.ParseDuration(s)
		require.NoError(t, err)
	}
	tables := sharded()
	for _, name := range []string{"orders", "items", "parcels"} {
		table := tables[name]
		key := *table.ShardKey
		key.ID, key.IDType = "id", "bigint" // keyOf tells the key
		table.ShardKey = &key
		tables[name] = table
	}
	for dialect, analyzer := range analyzers() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			r := &keyRuns{keyPlaces: newKeyPlaces(t, dialect), dialect: dialect, prover: sqlproof.NewProver(analyzer, tables, 0)}
			start := time.Now()
			for n := range uint64(fixedKeyStatements) {
				r.run(t, 1, n)
			}
			for seed := uint64(start.UnixNano()) % 1e9; time.Since(start) < budget; seed++ {
				for n := range uint64(500) {
					r.run(t, seed, n)
				}
			}
			r.summary(t)
		})
	}
}

// keyPlaces are databases with the rows of some keys: one for each mask of them.
type keyPlaces struct {
	dialect string
	dbs     [allKeys + 1]*sql.DB // SQLite has one for each, the others a schema for each in the same one
}

func newKeyPlaces(t *testing.T, dialect string) *keyPlaces {
	t.Helper()
	p := &keyPlaces{dialect: dialect}
	var shared *sql.DB
	if dialect != "sqlite" {
		shared = open(t, dialect)
	}
	for mask := range p.dbs {
		if p.dbs[mask] = shared; shared == nil {
			p.dbs[mask] = open(t, dialect)
		} else {
			p.exec(t, mask, "CREATE SCHEMA "+schemaOf(mask))
		}
		for i, table := range []string{"orders", "items", "parcels", "archive", "countries"} {
			p.exec(t, mask, "CREATE TABLE "+p.in(mask, table)+" (id bigint, k bigint, oid bigint, x bigint)")
			var rows []string
			for n := range 12 {
				if table == "archive" && n > 3 {
					continue
				}
				k := keyOf(n + 1)
				if table == "countries" || mask&(1<<(k-1)) != 0 {
					rows = append(rows, fmt.Sprintf("(%d, %d, %d, %d)", n+1, k, (n*(5+2*i)+i)%12+1, (n*7+i)%4))
				}
			}
			if len(rows) > 0 {
				p.exec(t, mask, "INSERT INTO "+p.in(mask, table)+" VALUES "+strings.Join(rows, ", "))
			}
		}
	}
	return p
}

// keyOf returns the key of the row that has an ID.
func keyOf(id int) int { return (id-1)%randomKeys + 1 }

func schemaOf(mask int) string { return fmt.Sprintf("place_%d", mask) }

func (p *keyPlaces) in(mask int, table string) string {
	if p.dialect == "sqlite" {
		return table
	}
	return schemaOf(mask) + "." + table
}

func (p *keyPlaces) exec(t *testing.T, mask int, text string) {
	t.Helper()
	_, err := p.dbs[mask].ExecContext(t.Context(), text)
	require.NoError(t, err, text)
}

// effect is what a statement does in one place.
type effect struct {
	rows  []string
	after map[int][]string // the rows of each key afterwards, of all tables; those of countries are of key 0
	err   error
}

// do runs a statement in a place, and undoes it.
func (p *keyPlaces) do(t *testing.T, mask int, text string, args []any, writes bool) (e effect) {
	t.Helper()
	tx, err := p.dbs[mask].BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer tx.Rollback() //nolint:errcheck // nothing is to be kept
	switch p.dialect {
	case "postgres":
		_, err = tx.ExecContext(t.Context(), "SET LOCAL search_path = "+schemaOf(mask))
	case "mysql":
		_, err = tx.ExecContext(t.Context(), "USE "+schemaOf(mask))
	}
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, e.rows, e.err = collect(ctx, tx, text, args)
	slices.Sort(e.rows)
	if e.err != nil || !writes {
		return e
	}
	e.after = map[int][]string{}
	for _, table := range []string{"orders", "items", "parcels", "archive", "countries"} {
		_, rows, err := collect(t.Context(), tx, "SELECT k, id, oid, x FROM "+table, nil)
		require.NoError(t, err)
		for _, row := range rows {
			k := int(row[0] - '0')
			if table == "countries" {
				k = 0
			}
			e.after[k] = append(e.after[k], table+": "+row)
		}
	}
	for _, rows := range e.after {
		slices.Sort(rows)
	}
	return e
}

// keyRuns runs random statements.
type keyRuns struct {
	*keyPlaces
	dialect string
	prover  *sqlproof.Prover

	runs, refused, invalid, any, spread, several, contradictions int
	named, needed                                                int // keys in sets, and those of them that the statement needs
	wide                                                         int // statements that can touch any key and need fewer
}

func (r *keyRuns) run(t *testing.T, seed, n uint64) {
	t.Helper()
	if t.Failed() && os.Getenv("TENANCY_FUZZ_KEEP") == "" {
		return
	}
	g := &keyGenerator{d: &dice{data: throw(seed, n)}, dialect: r.dialect}
	text, rowwise := g.statement()
	finisher := generator{dialect: r.dialect, args: g.args}
	text, args := finisher.finish(text)
	r.runs++
	plan := r.prover.Prove(text)
	if plan.Refusal != nil {
		r.refused++
		return
	}
	if len(plan.Keys) == 0 {
		return
	}
	set, err := plan.Keys[0].Of(args)
	if err != nil {
		r.refused++
		return
	}
	mask := maskOf(set)
	full := r.do(t, allKeys, text, args, plan.Writes)
	if full.err != nil {
		r.invalid++
		return
	}
	report := func(what string, got, want any) {
		t.Errorf("%d:%d on %s: %s\n%s %v\nkeys: %v apart: %v\ngot:  %v\nwant: %v", seed, n, r.dialect, what, text, args, set, plan.Keys[0].Apart, got, want)
	}
	r.count(set, plan.Keys[0].Apart == nil, mask)
	at := r.do(t, mask, text, args, plan.Writes)
	if what, got, want := at.differs(&full, mask); what != "" {
		report(what, got, want)
	}
	if what, got, want := r.untouched(t, &full, mask); what != "" {
		report(what, got, want)
	}
	if wider := mask | g.d.n(allKeys+1); wider != mask {
		at := r.do(t, wider, text, args, plan.Writes)
		if what, got, want := at.differs(&full, wider); what != "" {
			report("with more keys, "+what, got, want)
		}
	}
	if plan.Keys[0].Apart == nil && rowwise {
		if what, got, want := r.spreads(t, mask, &full, text, args, plan.Writes); what != "" {
			report(what, got, want)
		}
	}
	r.needs(t, set, mask, &full, text, args, plan.Writes)
}

func maskOf(set sqlproof.KeySet) (mask int) {
	if set.Any {
		return allKeys
	}
	for _, v := range set.Values {
		if k, ok := v.(int64); ok && k >= 1 && k <= randomKeys {
			mask |= 1 << (k - 1)
		}
	}
	for _, v := range set.IDs {
		if id, ok := v.(int64); ok && id > 0 {
			mask |= 1 << (keyOf(int(id)) - 1)
		}
	}
	return mask
}

// differs tells in what way the effect in the place of some keys is not that where there are all of them.
func (e *effect) differs(full *effect, mask int) (what string, got, want any) {
	if e.err != nil {
		return "it fails", e.err, nil
	}
	if !slices.Equal(e.rows, full.rows) {
		return "other rows", e.rows, full.rows
	}
	for k := range full.after {
		if (k == 0 || mask&(1<<(k-1)) != 0) && !slices.Equal(e.after[k], full.after[k]) {
			return "it leaves other rows", e.after[k], full.after[k]
		}
	}
	return "", nil, nil
}

// untouched compares the rows of all other keys with those before.
func (r *keyRuns) untouched(t *testing.T, full *effect, mask int) (what string, got, want any) {
	t.Helper()
	if full.after == nil {
		return "", nil, nil
	}
	before := r.do(t, allKeys, "SELECT 1", nil, true)
	for k := 1; k <= randomKeys; k++ {
		if mask&(1<<(k-1)) == 0 && !slices.Equal(before.after[k], full.after[k]) {
			return fmt.Sprint("it changes rows of key ", k), full.after[k], before.after[k]
		}
	}
	return "", nil, nil
}

// spreads compares the effects in the places of single keys with that where there are all of them.
func (r *keyRuns) spreads(t *testing.T, mask int, full *effect, text string, args []any, writes bool) (what string, got, want any) {
	t.Helper()
	if mask == 0 {
		return "", nil, nil
	}
	var rows []string
	for k := 1; k <= randomKeys; k++ {
		if mask&(1<<(k-1)) == 0 {
			continue
		}
		e := r.do(t, 1<<(k-1), text, args, writes)
		if e.err != nil {
			return "it fails in one place", e.err, nil
		}
		rows = append(rows, e.rows...)
		if writes && !slices.Equal(e.after[k], full.after[k]) {
			return fmt.Sprint("in the place of key ", k, " it leaves other rows"), e.after[k], full.after[k]
		}
	}
	slices.Sort(rows)
	if !slices.Equal(rows, full.rows) {
		return "in places of single keys it gives other rows", rows, full.rows
	}
	return "", nil, nil
}

func (r *keyRuns) count(set sqlproof.KeySet, spreads bool, mask int) {
	switch {
	case set.Any:
		r.any++
	case mask == 0:
		r.contradictions++
	}
	if spreads {
		r.spread++
		if mask&(mask-1) != 0 {
			r.several++
		}
	}
}

// needs counts the keys without whose rows the statement would do something else.
func (r *keyRuns) needs(t *testing.T, set sqlproof.KeySet, mask int, full *effect, text string, args []any, writes bool) {
	t.Helper()
	all := true
	for k := 1; k <= randomKeys; k++ {
		bit := 1 << (k - 1)
		if mask&bit == 0 {
			continue
		}
		e := r.do(t, allKeys&^bit, text, args, writes)
		what, _, _ := e.differs(full, allKeys&^bit)
		needs := what != "" || writes && len(full.after[k]) != 0 && !slices.Equal(full.after[k], r.before(t, k))
		all = all && needs
		if !set.Any {
			r.named++
			if needs {
				r.needed++
			}
		}
	}
	if set.Any && !all {
		r.wide++
	}
}

func (r *keyRuns) before(t *testing.T, k int) []string {
	t.Helper()
	return r.do(t, allKeys, "SELECT 1", nil, true).after[k]
}

// summary says what was run. A test in which too little is compared proves nothing.
func (r *keyRuns) summary(t *testing.T) {
	t.Helper()
	t.Logf("%d statements: %d refused, %d that the database does not take, %d that can touch any key (%d of them need fewer on these rows), "+
		"%d contradictions; %d keys in sets, of which the statements need %d; %d may run in several places, %d of them do",
		r.runs, r.refused, r.invalid, r.any, r.wide, r.contradictions, r.named, r.needed, r.spread, r.several)
	assert.LessOrEqual(t, 10*r.refused, r.runs, "too many are refused")
	assert.LessOrEqual(t, 10*r.invalid, r.runs, "too many are none of the database's")
	assert.LessOrEqual(t, 10*r.any, 8*r.runs, "too many can touch any key")
	assert.LessOrEqual(t, r.named, 3*r.needed, "too many keys that no statement needs")
	assert.GreaterOrEqual(t, 20*r.several, r.runs, "too few run in several places")
}
