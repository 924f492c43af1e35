package callbacks

import (
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// writeState is what the hooks of a create or update hand from before the statement to after it.
type writeState struct {
	upsert    int                  // rows given to an upsert whose count tells whether all were written
	before    [][2]reflect.Value   // the rows and what they were
	verify    []*tables.ForeignKey // to be looked at when the statement has run
	savepoint bool
	filled    []map[string]any // that have the tenant in them only for GORM to see
	keyed     int              // rows given to an upsert that may meet rows with other shard keys
	apart     int64            // rows that statements of their own have written
	pool      gorm.ConnPool    // that the statement had before it got a transaction of its own
}

// writing returns the pass's write state.
func (p *Pass) writing() *writeState {
	if p.write == nil {
		p.write = &writeState{}
	}
	return p.write
}

const savepointName = "tenancy_write"

// needTransaction makes sure that what is looked at before or after a write is one with it, under
// SkipDefaultTransaction too.
func (h *Hooks) needTransaction(pass *Pass) error {
	stmt := pass.stmt
	if _, ok := stmt.ConnPool.(gorm.TxCommitter); ok || stmt.DryRun {
		return nil
	}
	tx := stmt.DB.Begin()
	if tx.Error != nil {
		return tx.Error
	}
	pass.writing().pool = stmt.ConnPool
	stmt.ConnPool = tx.Statement.ConnPool
	return nil
}

// beforeWrite sets a savepoint if the statement may have to be undone within a transaction that goes on.
func (h *Hooks) beforeWrite(db *gorm.DB, pass *Pass) error {
	w := pass.write
	if w == nil || w.upsert <= 1 && w.keyed <= 1 && len(w.verify) == 0 || db.DryRun {
		return nil
	}
	if err := h.needTransaction(pass); err != nil {
		return err
	}
	if w.pool != nil || pass.endsWithError() {
		return nil // the transaction ends with the error
	}
	o := newOwn(pass)
	o.text("SAVEPOINT " + savepointName)
	w.savepoint = true
	return o.exec()
}

// endsWithError tells whether GORM rolls the transaction back if the statement fails: it was begun for this statement, or
// for the one whose association it saves.
func (p *Pass) endsWithError() bool {
	if _, ok := p.stmt.DB.InstanceGet("gorm:started_transaction"); ok {
		return true
	}
	_, association := p.stmt.Settings.Load("gorm:saved_association_map") // gorm v1.31.2 callbacks/associations.go
	return association && p.outer != nil && p.outer.endsWithError()
}

// settle runs right after the statement.
func (h *Hooks) settle(db *gorm.DB) {
	stmt := db.Statement
	pass := passOf(stmt.Context)
	if pass == nil || pass.stmt != stmt {
		return
	}
	if pass.split && pass.write != nil {
		db.RowsAffected = pass.write.apart
	}
	if pass.ownSet {
		delete(stmt.Clauses, "SET")
	}
	if pass.write != nil {
		for _, m := range pass.write.filled {
			delete(m, pass.Table.Tenant.Name)
		}
	}
	if db.Error == nil && !db.DryRun {
		if err := h.verify(db, pass); err != nil {
			db.RowsAffected = 0
			_ = db.AddError(err)
		}
	}
	w := pass.write
	if w == nil {
		return
	}
	if w.savepoint {
		h.endSavepoint(db, pass)
	}
	if w.pool != nil {
		h.endTransaction(db, pass)
	}
}

// verify looks at what only the database knows.
func (h *Hooks) verify(db *gorm.DB, pass *Pass) error {
	if db.RowsAffected == 0 && pass.saves() {
		return h.refuseCollision(pass, [][]string{db.Statement.Schema.PrimaryFieldDBNames})
	}
	if db.RowsAffected == 0 && pass.savesKeyed() {
		if err := h.savedElsewhere(pass); err != nil {
			return err
		}
	}
	if err := h.verifyKeyedUpsert(db, pass); err != nil {
		return err
	}
	if pass.mustExist && h.engine.UpsertHasWhere() && db.RowsAffected > 0 {
		return h.referenceWrite(pass)
	}
	w := pass.write
	if w == nil {
		return nil
	}
	if w.upsert > 0 && !h.engine.UpsertHasWhere() {
		// The row that was met may have been met by a key that could not be looked at before: a generated column, a prefix,
		// a row inserted since. MariaDB gives back its primary key.
		if err := h.refuseCollision(pass, [][]string{primaryKeys(db.Statement.Schema)}); err != nil {
			w.swap()
			return err
		}
		return h.verifyKeys(pass)
	}
	oc, _ := db.Statement.Clauses["ON CONFLICT"].Expression.(clause.OnConflict)
	if w.upsert > 0 && !oc.DoNothing && db.RowsAffected < int64(w.upsert) {
		w.swap() // the keys that were given, not those read back
		if err := h.unmatched(pass, oc); err != nil {
			return err
		}
		w.swap() // the application's own condition left rows out
	}
	return h.verifyKeys(pass)
}

func primaryKeys(s *schema.Schema) []string {
	if s == nil {
		return nil
	}
	return s.PrimaryFieldDBNames
}

// verifyKeys looks at foreign keys that were set to what only the database knows.
func (h *Hooks) verifyKeys(pass *Pass) error {
	for _, key := range pass.write.verify {
		crosses, err := h.crossing(pass, key)
		if err != nil {
			return err
		}
		if crosses {
			return h.foreignParent(pass, key)
		}
	}
	return nil
}

// saves tells whether the statement is the UPDATE of a Save. If it meets no row, GORM ends its transaction, in which the
// associations that the row belongs to have been saved, and goes on with an INSERT in another (gorm v1.31.2
// finisher_api.go Save): what that would be refused for has to be found now.
func (p *Pass) saves() bool {
	stmt := p.stmt
	return p.Op == OpUpdate && p.confined && p.Table.Class == tables.Owned && stmt.Schema != nil && selectsAll(stmt.Selects) &&
		reflect.Indirect(reflect.ValueOf(stmt.Dest)).Kind() == reflect.Struct && reflect.Indirect(stmt.ReflectValue).Kind() == reflect.Struct
}

func (h *Hooks) endSavepoint(db *gorm.DB, pass *Pass) {
	verb := "RELEASE SAVEPOINT "
	if db.Error != nil {
		verb = "ROLLBACK TO SAVEPOINT "
	}
	o := newOwn(pass)
	o.text(verb + savepointName)
	if err := o.exec(); err != nil && db.Error == nil {
		_ = db.AddError(err)
	}
}

func (h *Hooks) endTransaction(db *gorm.DB, pass *Pass) {
	stmt := db.Statement
	if tx, ok := stmt.ConnPool.(gorm.TxCommitter); ok {
		if db.Error != nil {
			_ = tx.Rollback()
		} else if err := tx.Commit(); err != nil {
			_ = db.AddError(err)
		}
	}
	stmt.ConnPool = pass.write.pool
}
