package tenancytest

import (
	"errors"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// unread runs a statement with SQL that the application wrote itself. Without an analyzer it is refused. With one it gives
// what plain GORM gives on A's rows alone; if it need not be understood, it may be refused too.
func (c *trial) unread(understood bool, do func(db *gorm.DB) (any, error)) {
	c.Helper()
	if !c.proven {
		_, err := do(c.a)
		c.refused(err, tenancy.ErrUnconfinedSQL)
		c.unchanged()
		return
	}
	outcome := func(got any, err error) string {
		if err != nil {
			return "an error" // the databases' own differ where the plugin has found it first
		}
		return c.show(got)
	}
	plain := c.stage.alone.WithContext(c.Context())
	wantGot, wantErr := do(plain)
	want, wantRows := outcome(wantGot, wantErr), c.snapshot.read(c).own
	gotGot, gotErr := do(c.a)
	if errors.Is(gotErr, tenancy.ErrUnconfinedSQL) && (!understood || wantErr != nil) {
		c.refused(gotErr, tenancy.ErrUnconfinedSQL)
		c.unchanged()
		return
	}
	if got := outcome(gotGot, gotErr); want != got {
		c.Errorf("plain GORM on A's rows alone gives other results: %s\nplain:  %s (%v)\nplugin: %s (%v)", c.rule, want, wantErr, got, gotErr)
	}
	c.leaves(wantRows)
}

// textual is a case of such a statement that an analyzer understands.
func textual(name, rule string, do func(c *trial, db *gorm.DB) (any, error)) check {
	return check{name: name, rule: rule, run: func(c *trial) {
		c.unread(true, func(db *gorm.DB) (any, error) { return do(c, db) })
	}}
}

// found is what a query gives: its rows, or how many it changed.
func found(tx *gorm.DB, rows any) (any, error) {
	if rows == nil {
		return tx.RowsAffected, tx.Error
	}
	return rows, tx.Error
}
