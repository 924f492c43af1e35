package sqltext

import "strings"

// meaning says what a keyword does to an expression that it stands in.
type meaning uint8

const (
	plain              meaning = iota // nothing: a name, an operator, a harmless keyword
	readsTable                        // begins or goes on with a query
	writesTable                       // begins a statement that writes
	writesUnlessCalled                // the same, but also the name of a function
	changesSchema                     // begins a statement that defines something
	runsCode                          // begins a statement that runs another
	takesSource                       // FROM, which some expressions have too
	beginsQuery                       // WITH, which some expressions have too
	makesRows                         // VALUES, a function in MySQL
	updates                           // UPDATE, which ends a locking clause too
	endsExpression                    // what comes after it is no part of the expression
	endsAssignment                    // the same, but only where the expression is a value to set
	isMember                          // IN, which takes the bare name of a table in SQLite
	compares                          // IS, after which DISTINCT FROM is an operator
)

const longestKeyword = len("straight_join")

// meaningOf looks a word up. This is the one list of keywords; it has all that can bring a table into an expression:
//
//   - A query needs SELECT, TABLE, VALUES or WITH, and another source in it needs FROM or JOIN. UNION, INTERSECT and
//     EXCEPT add a query to the one that the expression is in.
//   - The beginnings of statements can do nothing within an expression. They are here because an expression has no use
//     for them, and so that a mistake elsewhere, a separator overlooked, does not become a hole.
//   - WHERE and RETURNING come after the expression, so it would end early.
func meaningOf(w string) meaning {
	if len(w) < 2 || len(w) > longestKeyword {
		return plain
	}
	var folded [longestKeyword]byte
	switch string(lower(folded[:len(w)], w)) {
	case "in":
		return isMember
	case "is":
		return compares
	case "select", "table", "join", "straight_join", "union", "intersect", "except", "handler", "copy":
		return readsTable
	case "from":
		return takesSource
	case "with":
		return beginsQuery
	case "values":
		return makesRows
	case "into", "delete", "merge":
		return writesTable
	case "insert", "truncate":
		return writesUnlessCalled
	case "drop", "alter", "create", "grant":
		return changesSchema
	case "execute", "call":
		return runsCode
	case "update":
		return updates
	case "where", "returning":
		return endsExpression
	case "order", "limit":
		return endsAssignment
	default:
		return plain
	}
}

// lower writes the lower-case spelling of as much of w as dst holds.
func lower(dst []byte, w string) []byte {
	for i := range dst {
		b := w[i]
		if b-'A' < 26 {
			b |= 0x20
		}
		dst[i] = b
	}
	return dst
}

// call says what a function does.
type call uint8

const (
	harmless      call = iota
	takesFrom          // writes one of its arguments after FROM
	readsText          // runs SQL that it gets as text, or reads a table or a file that it gets the name of
	tellsOfOthers      // tells of other statements on the connection, or of sequences and locks that all tenants share
	setsConfig         // changes the session: a search path or a role decides which tables are reached
)

const longestFunction = len("pg_logical_slot_peek_binary_changes")

// callOf looks a function up. Names that another dialect knows are refused as well: a function of the same name that
// users have made is most likely the same thing.
func callOf(name string) call {
	if len(name) < len("edit") {
		return harmless
	}
	var folded [longestFunction]byte
	f := lower(folded[:min(len(name), longestFunction)], name)
	switch string(f) {
	case "extract", "substring", "substr", "trim", "overlay":
		return takesFrom
	case "setval", "lastval", "currval", "currtid2", "last_insert_id", "found_rows", "row_count", "last_insert_rowid", "changes",
		"total_changes", "get_lock", "release_lock", "release_all_locks", "is_used_lock", "row_security_active":
		return tellsOfOthers
	case "ts_stat", "ts_rewrite", "connectby", "xpath_table", "get_raw_page", "loread", "lowrite", "pg_stat_file", // PostgreSQL
		"load_file", "sys_exec", "sys_eval", // MySQL
		"load_extension", "readfile", "writefile", "fts3_tokenizer", "edit", "eval": // SQLite
		return readsText
	case "set_config":
		return setsConfig
	}
	switch f[0] { // families of PostgreSQL's
	case 'q', 't', 's', 'd', 'c':
		for _, family := range [...]string{
			"query_to_xml", "table_to_xml", "schema_to_xml", "database_to_xml", "cursor_to_xml", "dblink", "crosstab",
		} {
			if begins(f, family) {
				return readsText
			}
		}
	case 'h':
		if begins(f, "has_") && len(f) > len("_privilege") && string(f[len(f)-len("_privilege"):]) == "_privilege" {
			return readsText // its errors quote what it is given
		}
	case 'p':
		if begins(f, "pg_advisory_xact_lock") || begins(f, "pg_try_advisory_xact_lock") || string(f) == "pg_size_pretty" {
			return harmless
		}
		if begins(f, "pg_") && !begins(f, "pg_typeof") && !begins(f, "pg_column_size") && !begins(f, "pg_get_serial") {
			return readsText // files, statistics of other tables, other sessions, the server's own state
		}
	case 'l':
		if begins(f, "lo_") {
			return readsText
		}
	}
	return harmless
}

func begins(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// isClause tells whether a bare word in a table expression is, or may be, a keyword and not the name it seems to be:
// "ONLY orders" is no table ONLY.
func isClause(w string) bool {
	if meaningOf(w) != plain {
		return true
	}
	switch strings.ToLower(w) {
	case "as", "only", "lateral", "tablesample", "unnest", "rows",
		"on", "using", "left", "right", "inner", "outer", "full", "cross", "natural", "asof", "global",
		"group", "having", "window", "offset", "fetch", "for", "lock", "set", "default", "final", "qualify",
		"partition", "use", "force", "ignore", "indexed", "not", "procedure", "minus":
		return true
	default:
		return false
	}
}
