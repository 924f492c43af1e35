package shardtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// counts of rows of a fixture.
const (
	orderCount    = 40
	lineCount     = 60
	profileCount  = 12
	eventCount    = 25
	categoryCount = 5
)

// own are the rows of the fixture that are the tenant's.
func (w *world) own(t *table) []reflect.Value {
	if w.rowsOf == nil {
		w.rowsOf = w.fixture()
	}
	return slices.DeleteFunc(slices.Clone(w.rowsOf[t]), func(row reflect.Value) bool {
		return t.tenant && row.Elem().FieldByName("TenantID").String() != tenants()[0]
	})
}

// fixture makes the rows of all tables: with duplicates, and NULL in each column that takes it.
func (w *world) fixture() map[*table][]reflect.Value {
	d := &dice{data: throw(7, 7, 9000)}
	f := w.family
	rows := map[*table][]reflect.Value{}
	for _, of := range []struct {
		t *table
		n int
	}{{f.categories, categoryCount}, {f.profiles, profileCount}, {f.orders, orderCount}, {f.lines, lineCount}, {f.events, eventCount}} {
		for i := range of.n {
			row := reflect.New(of.t.row)
			w.fill(d, of.t, row.Elem(), int64(i+1))
			if of.t == f.lines && !d.oneIn(5) { // most lines are where their order is, one in five refers elsewhere
				order := pick(d, rows[f.orders]...).Elem()
				row.Elem().FieldByName("Customer").Set(order.FieldByName("Customer"))
				row.Elem().FieldByName("OrderID").Set(order.FieldByName("ID"))
				if of.t.tenant {
					row.Elem().FieldByName("TenantID").Set(order.FieldByName("TenantID"))
				}
			}
			rows[of.t] = append(rows[of.t], row)
		}
	}
	return rows
}

// fill gives a row random values.
func (w *world) fill(d *dice, t *table, row reflect.Value, id int64) {
	for _, c := range t.columns {
		if c.name == "id" {
			row.FieldByName("ID").SetInt(id)
			continue
		}
		setField(row.FieldByName(c.field), w.value(d, c))
	}
	if f := row.FieldByName("DeletedAt"); f.IsValid() && d.oneIn(8) {
		f.Set(reflect.ValueOf(gorm.DeletedAt{Time: moments()[0], Valid: true}))
	}
	if t.tenant {
		row.FieldByName("TenantID").SetString(pick(d, tenants()[0], tenants()[0], tenants()[1]))
	}
}

// setField puts a value, or nil, into a field.
func setField(f reflect.Value, v any) {
	if v == nil {
		f.SetZero()
		return
	}
	value := reflect.ValueOf(v)
	if f.Kind() == reflect.Pointer {
		p := reflect.New(f.Type().Elem())
		p.Elem().Set(value.Convert(f.Type().Elem()))
		f.Set(p)
		return
	}
	f.Set(value.Convert(f.Type()))
}

// value makes a value of a column; nil is NULL.
func (w *world) value(d *dice, c column) any {
	if c.null && d.oneIn(4) {
		return nil
	}
	switch c.kind {
	case numberKey, textKey:
		if c.name == "device" {
			return pick(d, names()...)
		}
		return pick(d, w.keys...)
	case integer:
		switch c.name {
		case "category_id":
			return int64(1 + d.n(categoryCount+1))
		case "order_id":
			return int64(1 + d.n(orderCount))
		}
		return pick(d, int64(0), 1, 2, 3, -4, 10, 100)
	case text:
		return pick(d, texts()...)
	case decimal:
		return pick(d, "0.00", "1.50", "1.25", "-7.10", "99999.99", "3.00")
	case float:
		return pick(d, 0.0, 0.5, -2.25, 1e9, 0.1)
	case boolean:
		return d.oneIn(2)
	case moment:
		return pick(d, moments()...)
	case bytes:
		return pick(d, []byte("a"), []byte("A"), []byte{}, []byte("a "), []byte{0, 255})
	default:
		return pick(d, "00000000-0000-0000-0000-000000000001", "9f2a8f0e-6c1b-4a41-9c3c-0b8b6f6a2d11", "ffffffff-ffff-4fff-8fff-ffffffffffff")
	}
}

func texts() []string {
	return []string{"a", "b", "A", "", "a ", " ", "á", "Z", "zz", "ß", "ss", "100%", "日本", "it's"}
}

func moments() []time.Time {
	return []time.Time{
		time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), time.Date(1999, 12, 31, 23, 59, 59, 123456000, time.UTC),
		time.Date(2024, 2, 29, 12, 0, 0, 1000, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// reset puts the fixture back.
func (w *world) reset(ctx context.Context) error {
	if !w.dirty {
		return nil
	}
	for _, t := range w.family.all() {
		if err := w.resetTable(ctx, t, w.own(t), w.rowsOf[t]); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	w.dirty = false
	return nil
}

func (w *world) resetTable(ctx context.Context, t *table, own, rows []reflect.Value) error {
	all := reflect.Append(reflect.MakeSlice(reflect.SliceOf(reflect.PointerTo(t.row)), 0, len(rows)), own...)
	whole := w.engine.whole.WithContext(ctx)
	if err := whole.Exec("DELETE FROM " + t.name).Error; err != nil {
		return err
	}
	if err := whole.Omit(clause.Associations).Create(all.Interface()).Error; err != nil {
		return err
	}
	for _, at := range w.placements(t) {
		if err := w.engine.plain[at.Shard].WithContext(ctx).Exec("DELETE FROM " + nameAt(t, at)).Error; err != nil {
			return err
		}
		part := reflect.MakeSlice(all.Type(), 0, len(rows))
		for _, row := range rows {
			if place, err := w.placeOfRow(t, row.Elem()); err != nil || !t.same && place != at {
				if err != nil {
					return err
				}
				continue
			}
			part = reflect.Append(part, row)
		}
		if part.Len() == 0 {
			continue
		}
		if err := w.in(ctx, t, at).Omit(clause.Associations).Create(part.Interface()).Error; err != nil {
			return err
		}
	}
	return nil
}

func (w *world) placeOfRow(t *table, row reflect.Value) (tenancy.Placement, error) {
	if t.same {
		return tenancy.Placement{}, nil
	}
	return w.placeOf(t, keyOf(row))
}

func keyOf(row reflect.Value) any {
	f := row.FieldByName("Customer")
	if !f.IsValid() {
		f = row.FieldByName("Device")
	}
	return f.Interface()
}

// errMisplaced means that a row is not where its key says, or not everywhere.
var errMisplaced = errors.New("a row is in the wrong place")

// rows reads all rows of both sides, in the order of their texts.
func (w *world) rows(ctx context.Context) (whole, spread []string, err error) {
	for _, t := range w.family.all() {
		into := t.newSlice()
		if err := w.engine.whole.WithContext(ctx).Unscoped().Find(into).Error; err != nil {
			return nil, nil, err
		}
		whole = append(whole, lines(t, into)...)
		for _, at := range w.placements(t) {
			into := t.newSlice()
			if err := w.in(ctx, t, at).Unscoped().Find(into).Error; err != nil {
				return nil, nil, err
			}
			found := reflect.ValueOf(into).Elem()
			for i := range found.Len() {
				row := found.Index(i)
				if place, err := w.placeOfRow(t, row); err == nil && !t.same && place != at {
					return nil, nil, fmt.Errorf("%w: %s at %v, not %v", errMisplaced, show(row), at, place)
				}
			}
			if !t.same || at == (tenancy.Placement{}) {
				spread = append(spread, lines(t, into)...)
			}
		}
	}
	slices.Sort(whole)
	slices.Sort(spread)
	return whole, spread, nil
}

// lines shows rows, but those of other tenants.
func lines(t *table, slice any) []string {
	var out []string
	rows := reflect.ValueOf(slice).Elem()
	for i := range rows.Len() {
		row := rows.Index(i)
		if t.tenant && row.FieldByName("TenantID").String() != tenants()[0] {
			continue
		}
		out = append(out, t.name+" "+show(row))
	}
	return out
}

// strangers reads the rows of other tenants, which no statement may change.
func (w *world) strangers(ctx context.Context) (string, error) {
	var out []string
	for _, t := range w.family.all() {
		if !t.tenant {
			continue
		}
		for _, at := range w.placements(t) {
			into := t.newSlice()
			if err := w.in(ctx, t, at).Unscoped().Where("tenant_id <> ?", tenants()[0]).Find(into).Error; err != nil {
				return "", err
			}
			rows := reflect.ValueOf(into).Elem()
			for i := range rows.Len() {
				out = append(out, fmt.Sprint(at, t.name, show(rows.Index(i))))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n"), nil
}
