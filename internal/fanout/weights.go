package fanout

import (
	"fmt"
	"strings"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// weighable is how many keys of ORDER BY can be sorted by their weights: one for each bit.
const weighable = 64

// weighedLength is how many characters of a text are weighed. Databases sort by no more than the first max_sort_length bytes of
// the weights, 1024 unless it is set, or by an index, which has at most 3072 bytes of a text. WEIGHT_STRING gives NULL if weights
// are longer than max_allowed_packet. (MariaDB 10.11, sql/item_strfunc.cc, Item_func_weight_string::val_str.)
const weighedLength = 1024

// weightsOf returns how the weights compare that WEIGHT_STRING gives of text with a collation of MariaDB's; unknown where it does
// not give them whole, as for collations of several levels, or where that was not tried.
func weightsOf(collation string) merge.Collation {
	charset, name, _ := strings.Cut(strings.ToLower(collation), "_")
	switch charset {
	case "utf8", "utf8mb3", "utf8mb4":
	default:
		return merge.CollationUnknown
	}
	switch name {
	case "general_ci":
		return merge.CollationWeightsGeneral
	case "unicode_ci", "uca1400_ai_ci":
		return merge.CollationWeightsUnicode
	case "unicode_520_ci":
		return merge.CollationWeightsUnicode520
	case "general_nopad_ci", "unicode_nopad_ci", "unicode_520_nopad_ci", "uca1400_nopad_ai_ci":
		return merge.CollationBinary
	default:
		return merge.CollationUnknown
	}
}

// weighed returns the plan that sorts by weights the keys of ORDER BY of which the text is otherwise not comparable. It is
// the plan itself if there are none.
func (p *Plan) weighed(k *known) (*Plan, error) {
	d := &p.description
	if p.text.dialect != sqltext.MySQL || d.Groups != nil || d.Distinct {
		return p, nil
	}
	var keys uint64
	weights := make([]merge.Collation, min(len(d.Order), weighable))
	for i := range weights {
		c := p.compared(d.Order[i].Column)
		if c == nil || c.expression || len(c.fields) != 1 || k.collation(c) != merge.CollationUnknown {
			continue
		}
		if weights[i] = k.weights(c.fields[0]); weights[i] != merge.CollationUnknown {
			keys |= 1 << i
		}
	}
	if keys == 0 {
		return p, nil
	}
	return p.planner.weighed(p.text.sql, weighing{keys, weights})
}

// compared returns how a column of the plan compares; one below 0 counts from the end.
func (p *Plan) compared(column int) *comparing {
	all := p.compares
	if column < 0 {
		all, column = p.hidden, len(p.hidden)+column
	}
	if column < 0 || column >= len(all) {
		return nil
	}
	return &all[column]
}

// weights returns how the weights of a column compare. Unless it has one collation at all places, that is not known.
func (k *known) weights(f field) merge.Collation {
	var all string
	for i, place := range k.places {
		t := k.tableOf(f, place)
		if t == nil {
			return merge.CollationUnknown
		}
		at := t.folded[k.plan.text.key(f.name)]
		if i > 0 && at != all {
			return merge.CollationUnknown
		}
		all = at
	}
	return weightsOf(all)
}

// tableOf returns the table that a column is of at one place; nil if it is not found, or in several.
func (k *known) tableOf(f field, place []*columns) *columns {
	var found *columns
	for i, s := range k.plan.sources {
		if f.qualifier != "" && !k.plan.text.calledSo(s, f.qualifier) {
			continue
		}
		if place[i] == nil {
			return nil
		}
		if _, ok := place[i].known[k.plan.text.key(f.name)]; ok {
			if found != nil {
				return nil
			}
			found = place[i]
		}
	}
	return found
}

// weighing tells which keys of ORDER BY are sorted by their weights, and how those compare.
type weighing struct {
	keys    uint64
	weights []merge.Collation
}

func (w weighing) has(key int) bool { return key < weighable && w.keys&(1<<key) != 0 }

// weighed returns the plan of a text with keys sorted by their weights.
func (p *Planner) weighed(sql string, w weighing) (*Plan, error) {
	key := fmt.Sprintf("%s\x00%d", sql, w.weights)
	if known, ok := p.plans.get(key); ok {
		return known.plan, known.err
	}
	plan, err := p.plan(sql, w)
	if len(sql) <= longestKept {
		p.plans.put(key, planned{plan, err})
	}
	return plan, err
}
