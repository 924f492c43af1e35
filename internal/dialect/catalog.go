package dialect

import "strings"

// Catalog tells whether a name is one of the database's own tables, and whether a tenant may read it. Open are those that
// describe tables, columns and keys; closed are those with rows of other sessions or of samples of other tenants' data, such
// as pg_stats and pg_stat_activity, with texts that hold values, such as pg_views, or with counters, such as pg_sequences.
func (e Engine) Catalog(schema, name string) (open, catalog bool) {
	schema, name = strings.ToLower(schema), strings.ToLower(name)
	switch e {
	case Postgres:
		switch {
		case schema == "information_schema":
			return describes(name), true
		case schema == "pg_catalog", schema == "" && strings.HasPrefix(name, "pg_"):
			switch name {
			case "pg_class", "pg_namespace", "pg_attribute", "pg_attrdef", "pg_type", "pg_index", "pg_indexes", "pg_constraint", "pg_tables",
				"pg_enum", "pg_description", "pg_collation", "pg_sequence", "pg_timezone_names", "pg_extension":
				return true, true
			}
			return false, true
		case strings.HasPrefix(schema, "pg_toast"):
			return false, true
		}
	case MySQL:
		switch schema {
		case "information_schema":
			return describes(name), true
		case "mysql", "performance_schema", "sys":
			return false, true
		}
	case SQLite:
		if strings.HasPrefix(name, "sqlite_") {
			return name == "sqlite_master" || name == "sqlite_schema" || name == "sqlite_temp_master" || name == "sqlite_temp_schema", true
		}
	}
	return false, false
}

// describes tells whether a view of the information schema describes tables and nothing else.
func describes(name string) bool {
	switch name {
	case "tables", "columns", "schemata", "key_column_usage", "table_constraints", "referential_constraints",
		"constraint_column_usage", "check_constraints", "statistics", "sequences", "domains", "element_types":
		return true
	}
	return false
}

// DefaultSchema tells whether a schema is where tables without one are, in a database that nobody has set up otherwise.
func (e Engine) DefaultSchema(schema string) bool {
	switch e {
	case Postgres:
		return schema == "public"
	case SQLite:
		return strings.EqualFold(schema, "main")
	default:
		return false
	}
}
