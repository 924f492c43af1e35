package callbacks

import (
	"database/sql"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// own is a statement that the hooks send themselves, on the connection of the statement that they serve.
type own struct {
	gorm.Statement
	pass  *Pass
	pool  gorm.ConnPool // nil: that of the statement that they serve
	there bool          // pool is asked for the statement's place, and not for the default database
	quiet bool          // not for GORM's logger: asked once, of the database's own catalog
}

func newOwn(pass *Pass) *own {
	db := pass.stmt.DB
	return &own{Statement: gorm.Statement{DB: db, Context: pass.Context, Clauses: map[string]clause.Clause{}}, pass: pass}
}

func (o *own) text(s string)               { _, _ = o.WriteString(s) }
func (o *own) quoted(table, column string) { o.WriteQuoted(clause.Column{Table: table, Name: column}) }
func (o *own) bind(v any)                  { o.AddVar(&o.Statement, v) }

// query sends the statement; each is called for every row.
func (o *own) query(each func(*sql.Rows) error) (err error) {
	if o.pass.keyed && !o.pass.placed && o.pool == nil {
		return o.pass.hooks.refusal(o.pass, MissingShardKey, "what it refers to has to be looked at first, and its shard is known only from its own text: use tenancy.WithShardKey")
	}
	query, begin, n := o.SQL.String(), time.Now(), int64(0)
	pass := o.own(query)
	defer func() {
		if o.quiet {
			return
		}
		o.Logger.Trace(o.pass.Context, begin, func() (string, int64) { return o.Explain(query, o.Vars...), n }, err)
	}()
	rows, err := o.conn().QueryContext(pass, query, o.Vars...)
	if err != nil {
		return err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	for rows.Next() {
		n++
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// own returns the pass of the statement: it runs where the one runs that it serves.
func (o *own) own(query string) *Pass {
	p := o.pass
	own := &Pass{Context: p.Context, Op: OpRaw, Who: p.Who, hooks: p.hooks, text: query, scoped: true, at: p.at, placed: p.placed, reach: p.reach}
	if o.pool != nil && !o.there {
		own.reach = Home
	}
	return own
}

// exists tells whether the statement finds a row.
func (o *own) exists() (found bool, err error) {
	err = o.query(func(*sql.Rows) error { found = true; return nil })
	return found, err
}

// exec sends a statement without rows.
func (o *own) exec() error {
	query := o.SQL.String()
	pass := o.own(query)
	_, err := o.conn().ExecContext(pass, query, o.Vars...)
	return err
}

// conn returns the pool that is asked.
func (o *own) conn() gorm.ConnPool {
	if o.pool != nil {
		return o.pool
	}
	return o.pass.stmt.ConnPool
}

// askComparison finds out how a tenant column compares its values. What cannot be found out is no error: the IDs that no
// database mixes up are fine without an answer, and the others are refused without one.
func (h *Hooks) askComparison(pass *Pass, c *tables.Column, shard string) {
	o := newOwn(pass)
	name := c.Table + pass.at.TableSuffix
	quoted := o.Quote(name)
	if pass.at.Schema != "" {
		quoted = h.text.Quote(pass.at.Schema) + "." + h.text.Quote(name)
	}
	text, args := h.engine.CollationQuery(pass.at.Schema, name, quoted, c.Name)
	if text == "" {
		c.SetComparison(shard, tables.Folding)
		return
	}
	o.text(text)
	o.Vars, o.quiet = args, true
	answer := tables.Unanswered
	err := o.query(func(rows *sql.Rows) error {
		var typ, collation, extra string
		if err := rows.Scan(&typ, &collation, &extra); err != nil {
			return err
		}
		answer = h.engine.Comparison(typ, collation, extra)
		return nil
	})
	if err != nil {
		answer = tables.Unanswered
	}
	c.SetComparison(shard, answer)
}
