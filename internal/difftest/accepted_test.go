package difftest

import (
	"context"
	"errors"
	"strings"
)

// accepted is a way in which a tenant in a shared database may differ from one that is alone.
type accepted struct {
	reason string
	partly bool // the tenant's rows may differ too
	fits   func(st step, dialect string, plain, tenant outcome) bool
}

func acceptedDifferences() []accepted {
	return []accepted{
		{
			"a row created with the key of another tenant's row cannot be there twice: the database says so",
			false,
			func(st step, _ string, _, tenant outcome) bool {
				return st.refusable && tenant.class == "duplicated key"
			},
		},
		{
			"likewise: DoNothing does nothing for such a row",
			true,
			func(st step, _ string, plain, tenant outcome) bool {
				return st.leavesOut() && plain.class == "" && tenant.class == ""
			},
		},
		{
			"UpdateAll of a map with nothing but its key: filled in by hand, the tenant is a column to update; the plugin's is not, which" +
				" is DoNothing, and with a slice of maps a panic of GORM's",
			true,
			func(st step, _ string, plain, tenant outcome) bool {
				return strings.Contains(st.text, "UpdateAll: true") && strings.Contains(st.text, "map[string]any{") &&
					(plain.class == "" && tenant.class == "" && tenant.rows < plain.rows || plain.class == "other" && tenant.class == "panic")
			},
		},
		{
			"SQL that is an error without the plugin may be refused before it is sent: neither has done anything",
			false,
			func(_ step, _ string, plain, tenant outcome) bool { return plain.class == "other" && tenant.refused },
		},
		{
			"GORM's Row loses the error of a chain that fails before it is sent, and returns nil; the plugin keeps it",
			false,
			func(_ step, _ string, plain, tenant outcome) bool {
				return errors.Is(plain.err, errNoRow) && tenant.err != nil
			},
		},
	}
}

// leavesOut tells whether DoNothing may have met another tenant's row in the step: then what is written is not comparable,
// though the results can be equal (GORM counts rows that have keys without asking, gorm v1.31.2 scan.go).
func (s step) leavesOut() bool { return s.refusable && strings.Contains(s.text, "DoNothing: true") }

// dangling tells whether there is a link between a customer and a tag that are both no rows. It is nobody's, so the plugin
// neither shows nor deletes it, where plain GORM does: the join table has no tenant column. Databases with foreign keys
// have no such links.
func (d *database) dangling(ctx context.Context) bool {
	var n int
	err := d.admin.QueryRowContext(ctx, "SELECT COUNT(*) FROM customer_tags WHERE customer_id NOT IN (SELECT id FROM customers) AND tag_id NOT IN (SELECT id FROM tags)").Scan(&n)
	return err == nil && n > 0
}
