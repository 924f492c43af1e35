package difftest

import (
	"context"
	"errors"
	"regexp"
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
			"MariaDB assigns a column that is given twice in another way if the table is in a subquery too, as it is behind a join table",
			true,
			func(st step, dialect string, _, _ outcome) bool { return dialect == "mysql" && st.assignsTwice() },
		},
		{
			"pgx reports errors of statements with arguments, such as the tenant, in a type that GORM's driver does not translate",
			false,
			func(_ step, dialect string, plain, tenant outcome) bool {
				return dialect == "postgres" && plain.class == "invalid field" && tenant.class == "other"
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

// leavesOut tells whether DoNothing, which GORM saves belongs-to rows with too, may have met another tenant's row in the step: then what is written is not comparable,
// though the results can be equal (GORM counts rows that have keys without asking, gorm v1.31.2 scan.go).
func (s step) leavesOut() bool {
	return s.refusable && (strings.Contains(s.text, "DoNothing: true") || strings.Contains(s.text, ": &Customer{ID:"))
}

// assignsTwice tells whether a map in the step has two spellings of a column.
func (s step) assignsTwice() bool {
	seen := map[string]bool{}
	for _, key := range mapKeys.FindAllStringSubmatch(s.text, -1) {
		folded := strings.ToLower(strings.ReplaceAll(key[1], "_", ""))
		if seen[folded] {
			return true
		}
		seen[folded] = true
	}
	return false
}

var mapKeys = regexp.MustCompile(`"(\w+)": `)

// dangling tells whether there is a link between a customer and a tag that are both no rows. It is nobody's, so the plugin
// neither shows nor deletes it, where plain GORM does: the join table has no tenant column. Databases with foreign keys
// have no such links.
func (d *database) dangling(ctx context.Context) bool {
	var n int
	err := d.admin.QueryRowContext(ctx, "SELECT COUNT(*) FROM customer_tags WHERE customer_id NOT IN (SELECT id FROM customers) AND tag_id NOT IN (SELECT id FROM tags)").Scan(&n)
	return err == nil && n > 0
}
