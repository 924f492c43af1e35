package callbacks

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

// keyedRow is a row of a create, and where it belongs.
type keyedRow struct {
	row
	key any
	at  int // in the places of all
}

// placeRows finds out where the rows of a create belong, and makes the IDs that carry it. Rows for several places are written
// by a statement for each.
func (h *Hooks) placeRows(db *gorm.DB, pass *Pass) error {
	rows, places, err := h.keyedRows(pass)
	if err != nil || len(rows) == 0 {
		return err
	}
	if pass.Table.Shard.ID != nil {
		if err := h.fillIDs(pass, rows); err != nil {
			return err
		}
	}
	switch {
	case len(places) == 1 && !pass.placed:
		pass.at, pass.placed, pass.reach = places[0], true, There
		return nil
	case len(places) == 1 && places[0] == pass.at:
		return nil
	case pass.placed:
		return h.refusal(pass, CrossShard, "a row belongs on another shard by its key than the one that the context names")
	case pass.Who.Where != Everywhere:
		return h.refusal(pass, CrossShard, "its rows belong on several shards, which are committed each by itself: allow that with tenancy.OnAllShards, or create those of one shard at a time")
	case h.Rules.Pinned(pass.stmt.ConnPool):
		return h.refusal(pass, CrossShard, "its rows belong on several shards, and a transaction is on one: create them outside of it; CreateInBatches begins one, unless Session has SkipDefaultTransaction")
	}
	return h.createApart(db, pass, rows, places)
}

// keyedRows returns the rows with their keys, and their places; none if the text alone shows them.
func (h *Hooks) keyedRows(pass *Pass) (rows []keyedRow, places []Place, err error) {
	column := pass.Table.Shard.Column.Name
	rows = make([]keyedRow, 0, countRows(pass.stmt))
	pass.answers = &answers{}
	err = eachRow(pass.stmt, func(r row) error {
		v, known := r.get(pass.Context, column)
		if !known || isExpression(v) {
			return h.refusal(pass, MissingShardKey, "a row has no value in column "+column+", its shard key")
		}
		key, err := shardkey.Canonical(v)
		if err != nil {
			return h.refusal(pass, MissingShardKey, "column "+column+" of a row, its shard key: "+err.Error())
		}
		at, err := h.placeOf(pass, pass.Table.Shard.Set, key)
		if err != nil {
			return h.passOn(pass, err)
		}
		n := slices.Index(places, at)
		if n < 0 {
			n = len(places)
			places = append(places, at)
		}
		rows = append(rows, keyedRow{r, key, n})
		return nil
	})
	return rows, places, err
}

// fillIDs gives rows without an ID one that carries their shard.
func (h *Hooks) fillIDs(pass *Pass, rows []keyedRow) error {
	column, shards := pass.Table.Shard.ID, h.Shards[pass.Table.Shard.Set]
	h.selectColumn(pass, column.Name)
	for i := range rows {
		r := &rows[i]
		if v, known := r.get(pass.Context, column.Name); known && !isZero(v) {
			continue // keyed looks whether it agrees
		}
		id, err := shards.NewID(pass.Context, r.key)
		if err != nil {
			return h.passOn(pass, err)
		}
		switch f := fieldOf(r.schema, column.Name); {
		case !r.model.IsValid():
			if uuid, ok := id.([16]byte); ok {
				id = uuidText(uuid)
			}
			r.values[r.spelled(column.Name)] = id
		case f == nil || !r.model.CanAddr():
			return h.refusal(pass, MissingShardKey, "the row cannot be given an ID: create a pointer to it")
		default:
			if err := setID(pass, f, r.model, id); err != nil {
				return h.refusal(pass, InvalidConfig, "column "+column.Name+" does not take the ID that was made for it: "+err.Error())
			}
		}
	}
	return nil
}

func isZero(v any) bool {
	if v == nil {
		return true
	}
	rv := reflect.ValueOf(v)
	return rv.IsZero() || rv.Kind() == reflect.Pointer && rv.Elem().IsZero()
}

// createApart writes the rows of each place by a statement of its own, outside of the transaction that GORM has begun for all, and
// takes the INSERT of the whole for done.
func (h *Hooks) createApart(db *gorm.DB, pass *Pass, rows []keyedRow, places []Place) error {
	pass.split = true
	if db.DryRun {
		return nil
	}
	parts := make([]Part, len(places))
	for i, at := range places {
		of := slices.DeleteFunc(slices.Clone(rows), func(r keyedRow) bool { return r.at != i })
		parts[i] = Part{Name: at.String(), Run: func() (int64, error) {
			tx := h.beside(db, pass.Context).Create(destination(pass.stmt, of))
			return tx.RowsAffected, tx.Error
		}}
	}
	n, err := h.RunApart(parts)
	pass.writing().apart = n
	for i := range rows {
		delete(rows[i].values, "@id") // GORM's name for a key that it does not know, which is no column (gorm v1.31.2 callbacks/create.go Create)
	}
	delete(db.Statement.Clauses, "RETURNING") // of the application's, which would empty the destination for want of rows
	db.Statement.Settings.Delete(trackTime)   // or else the rows get a later time than the one that was written
	pass.fan = &Fan{Places: places}
	return err
}

// destination returns rows of a statement as it would be given them alone: the same ones, so that what is read back lands in them.
func destination(stmt *gorm.Statement, rows []keyedRow) any {
	if !rows[0].model.IsValid() {
		maps := make([]map[string]any, len(rows))
		for i := range rows {
			maps[i] = rows[i].values
		}
		return &maps // what the database gives back is appended (gorm v1.31.2 scan.go Scan)
	}
	all := reflect.MakeSlice(reflect.SliceOf(reflect.PointerTo(stmt.Schema.ModelType)), 0, len(rows))
	for i := range rows {
		all = reflect.Append(all, rows[i].model.Addr())
	}
	return all.Interface()
}

// modelOf returns a model like that of a statement, which parts of it can look at while others write rows; nil without one.
func modelOf(stmt *gorm.Statement) any {
	if stmt.Schema == nil {
		return nil
	}
	return reflect.New(stmt.Schema.ModelType).Interface()
}

// trackTime is how Save tells its INSERT to write the time of update anew (gorm v1.31.2 finisher_api.go Save).
const trackTime = "gorm:update_track_time"

// beside returns a *gorm.DB for a statement like the one at hand, outside of its transaction. Hooks and associations are those of
// the one at hand.
func (h *Hooks) beside(db *gorm.DB, ctx context.Context) *gorm.DB { //nolint:revive // the statement is the subject, as in GORM
	from := db.Statement
	// A session begins with a statement of its own at the first call, which forgets what was put into it before (gorm v1.31.2
	// gorm.go getInstance).
	tx := db.Session(&gorm.Session{NewDB: true, SkipHooks: true, SkipDefaultTransaction: true, Context: ctx}).Model(modelOf(from))
	stmt := tx.Statement
	stmt.ConnPool = h.Rules.Pool()
	stmt.Table, stmt.TableExpr = from.Table, from.TableExpr
	stmt.Clauses = maps.Clone(from.Clauses)
	stmt.Selects, stmt.Omits = slices.Clone(from.Selects), append(slices.Clone(from.Omits), clause.Associations)
	stmt.Unscoped, stmt.ColumnMapping = from.Unscoped, from.ColumnMapping
	if v, ok := from.Settings.Load(trackTime); ok {
		stmt.Settings.Store(trackTime, v)
	}
	return tx
}
