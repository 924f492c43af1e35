package rowsecurity

import (
	"fmt"
	"strings"
)

// PolicyName is the name of the policies that [Setting.Policies] makes.
const PolicyName = "tenancy"

// Table is a table that policies are made for. Its texts come from the program, never from its users.
type Table struct {
	Quoted string // its name, quoted, with its schema if need be
	Column string // the tenant column; "" for a join table
	Type   string // the column's type, if it is not text
	Ends   []End  // of a join table
}

// End is one of the tables that a join table joins. It needs policies of its own.
type End struct {
	Columns []string // of the join table
	Parent  string   // the table's name, quoted
	Keys    []string // the columns of Parent that they point at, in the same order
}

// Policies returns the statements that put a table under row-level security: a row can be seen and written by its tenant
// alone, and by nobody while the setting is unset or empty. They may be run again, and belong into one transaction. A
// table with neither a tenant column nor ends gets none: its rows cannot be told apart.
func (s Setting) Policies(t Table) []string {
	rule := s.rule(t)
	if rule == "" {
		return nil
	}
	return []string{
		"ALTER TABLE " + t.Quoted + " ENABLE ROW LEVEL SECURITY",
		"ALTER TABLE " + t.Quoted + " FORCE ROW LEVEL SECURITY",
		"DROP POLICY IF EXISTS " + PolicyName + " ON " + t.Quoted,
		"CREATE POLICY " + PolicyName + " ON " + t.Quoted + " USING (" + rule + ") WITH CHECK (" + rule + ")",
	}
}

// value reads the setting. After the transaction that has set it for the first time it is empty for the rest of the session,
// not NULL, and an empty text is no number.
func (s Setting) value() string {
	return "NULLIF(current_setting('" + strings.ReplaceAll(string(s), "'", "''") + "', true), '')"
}

// rule returns the condition that a row of the tenant meets.
//
// The setting stands in a SELECT of its own, which PostgreSQL runs once per statement. Without it a sequential scan calls
// current_setting for each row: 10.6 ms against 3.3 ms for 100,000 rows of 100 tenants on PostgreSQL 15. An index on
// (tenant_id, id) serves both alike, 0.02 ms for one row by its id, and 0.12 ms to count the tenant's 1,000 rows.
//
// A row of a join table is the tenant's if the rows at all its ends are, which their own policies decide. EXISTS with a
// correlated condition, not IN, which would read all rows of the tenant for one row of the join table.
func (s Setting) rule(t Table) string {
	if t.Column != "" {
		value := s.value()
		if t.Type != "" {
			value += "::" + t.Type
		}
		return identifier(t.Column) + " = (SELECT " + value + ")"
	}
	if len(t.Ends) == 0 {
		return ""
	}
	rule := []string{"(SELECT " + s.value() + " IS NOT NULL)"}
	for _, end := range t.Ends {
		var on []string
		for i, column := range end.Columns {
			on = append(on, fmt.Sprintf("parent.%s = %s.%s", identifier(end.Keys[i]), t.Quoted, identifier(column)))
		}
		rule = append(rule, fmt.Sprintf("EXISTS (SELECT 1 FROM %s AS parent WHERE %s)", end.Parent, strings.Join(on, " AND ")))
	}
	return strings.Join(rule, " AND ")
}

// identifier quotes a name.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
