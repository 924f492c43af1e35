package callbacks

import (
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// A reference table has the same rows in all databases. With the context of OnAllShards it is written in all of them: first in the
// default one, whose transaction holds the rows until the others have them.

// isMirrored tells whether a statement writes to a reference table in all databases. plan is what is known of its text; nil if it
// has not been read.
func (h *Hooks) isMirrored(pass *Pass, plan *sqlproof.Plan) bool {
	if pass.mirrors {
		return true
	}
	if !pass.raw || pass.Who.Where != Everywhere || !h.proves() || !h.Rules.Several() {
		return false
	}
	if plan == nil {
		plan = h.locate(pass, pass.stmt.SQL.String())
	}
	if plan.Refusal != nil {
		_, names := sqltext.Mentions(plan.SQL, h.Tables.ReferenceNames())
		pass.mirrors = names && !h.text.ReadsOnly(plan.SQL) // and is not understood
		return pass.mirrors
	}
	pass.mirrors = plan.Kind > sqlproof.SetOperation && !plan.Touches && len(plan.Keys) == 0 && plan.Home == ""
	return pass.mirrors
}

// mirror prepares an UPDATE, a DELETE, or an INSERT that came as text for all databases.
func (h *Hooks) mirror(pass *Pass, query string, args []any) error {
	if h.SQL == nil {
		return h.refusal(pass, InvalidConfig, "a write to a reference table in all databases must do the same in each, which only the reader of SQL can tell: set Config.SQL")
	}
	st, err := h.SQL.Analyze(query)
	if err != nil {
		return h.refusal(pass, Unmergeable, "it must do the same in all databases, and is not understood: "+err.Error())
	}
	if len(st.Main.Sources) > 0 {
		if t := h.Tables.Named(st.Main.Sources[0].Name); t == nil || t.Class != tables.Reference {
			return h.refusal(pass, CrossShard, "OnAllShards writes to reference tables and to sharded ones, and table "+st.Main.Sources[0].Name+" is neither: use tenancy.WithPlacement")
		}
	}
	m := mirrored{hooks: h, pass: pass, st: st, args: args}
	if why := m.varies(); why != "" {
		return h.refusal(pass, Unmergeable, "it might do another thing in each database, and a reference table has the same rows in all: "+why)
	}
	places, err := h.mirrorPlaces(pass)
	if err != nil {
		return err
	}
	if st.Kind == sqlproof.Insert && !pass.stmt.DryRun {
		if err := m.complete(); err != nil {
			return err
		}
	}
	pass.at, pass.placed, pass.reach = places[0], true, There
	if len(places) > 1 {
		pass.fan = &Fan{Places: places, Same: true}
	}
	return nil
}

// mirrorPlaces lists all databases, the default one first.
func (h *Hooks) mirrorPlaces(pass *Pass) ([]Place, error) {
	places, err := h.Rules.Databases(pass.Context)
	if err != nil {
		return nil, h.passOn(pass, err)
	}
	if len(places) > 1 && h.Rules.Pinned(pass.stmt.ConnPool) {
		return nil, h.refusal(pass, CrossShard, "a reference table is written in all databases, and a transaction is on one: write it outside of the transaction; CreateInBatches begins one, unless Session has SkipDefaultTransaction")
	}
	return places, nil
}

// RunMirrored runs a write in the default database, in a transaction, then in the others, and ends the transaction. It returns how
// many rows the first wrote. If that fails, nothing is done; or else its error says where it was.
func (h *Hooks) RunMirrored(tx gorm.TxCommitter, first func() (int64, error), others []Place, write func(Place) (int64, error)) (int64, error) {
	rows, err := first()
	if err != nil {
		_ = tx.Rollback()
		return 0, err
	}
	parts := make([]Part, len(others))
	for i, at := range others {
		parts[i] = Part{Name: at.String(), Run: func() (int64, error) { return write(at) }}
	}
	ran, home := h.runParts(parts), Place{}.String()
	if err := tx.Commit(); err != nil {
		ran.failed, ran.errs = append([]string{home}, ran.failed...), append([]error{err}, ran.errs...)
	} else {
		ran.done = append([]string{home}, ran.done...)
	}
	if len(ran.errs) == 0 {
		return rows, nil
	}
	return rows, h.Rules.Apart(ran.done, ran.failed, ran.errs)
}
