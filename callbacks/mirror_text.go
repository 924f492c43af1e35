package callbacks

import (
	"database/sql"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// mirrored is a statement that is to do the same in each of several databases that have the same rows.
type mirrored struct {
	hooks *Hooks
	pass  *Pass
	st    *sqlproof.Statement
	args  []any
}

const aClock = "it has a text that PostgreSQL takes for the present time in a column of times: bind a time, or write the row by Create with clause.OnConflict"

// varies says why the statement might do another thing in each database; "" if it cannot. What its text has is known to give the
// same, or it is refused.
func (m *mirrored) varies() (why string) {
	const instead = ": compute the value first, and bind it"
	main := m.st.Main
	switch {
	case len(m.st.Blocks) > 1 || main.Query != nil:
		return "it has a query in it, which can find other rows" + instead
	case len(main.Sources) != 1:
		return "it has another table beside the one that it writes to" + instead
	case main.Limit != nil:
		return "LIMIT takes any rows, if several come first: name the rows by their primary keys"
	}
	for _, a := range m.args {
		if v := reflect.Indirect(reflect.ValueOf(a)); v.Kind() == reflect.String && m.isClock(v.String()) {
			return aClock
		}
	}
	text := m.st.SQL
	tokens, why := m.hooks.text.Tokens(text, nil)
	if why != "" {
		return why
	}
	for i, t := range tokens {
		word := text[t.Start:t.End]
		switch t.Kind {
		case sqltext.Literal:
			if m.isClock(strings.Trim(word, "'")) {
				return aClock
			}
		case sqltext.Word, sqltext.Name:
			name := strings.ToLower(m.hooks.text.Unquote(word))
			if m.isRowNumber(name) {
				return strconv.Quote(name) + " is not the same in all databases: name the rows by their primary keys"
			}
			if t.Kind == sqltext.Word && perDatabase(name) {
				return strings.ToUpper(name) + " is not the same in all databases" + instead
			}
			if i+1 < len(tokens) && tokens[i+1].Kind == sqltext.Open && !m.isTable(t) && (!opensList(name) || t.Kind == sqltext.Name) && !computes(name) {
				return "function " + strconv.Quote(name) + " is not known to give the same in all databases" + instead
			}
		}
	}
	return ""
}

// isTable tells whether a token is of the name of the table that is written to: a list of columns may come behind it.
func (m *mirrored) isTable(t sqltext.Token) bool {
	s := m.st.Main.Sources[0]
	return int(t.Start) >= s.Start && int(t.End) <= s.End
}

var clockWords = regexp.MustCompile(`(?i)\b(?:now|today|tomorrow|yesterday)\b`)

// isClock tells whether PostgreSQL takes a text for the present time, where it reads one: other words make it none.
func (m *mirrored) isClock(s string) bool {
	return m.hooks.engine == dialect.Postgres && clockWords.MatchString(s) && !strings.ContainsFunc(clockWords.ReplaceAllString(s, ""), func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
	})
}

// isRowNumber tells whether a name is that of where the database has put a row, and of no column of the model.
func (m *mirrored) isRowNumber(name string) bool {
	switch name {
	case "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid":
		return m.hooks.engine == dialect.Postgres
	case "rowid", "oid", "_rowid_":
		return m.hooks.engine == dialect.SQLite && fieldOf(m.pass.stmt.Schema, name) == nil
	}
	return false
}

// perDatabase tells whether a keyword gives a value of the database's or the session's own, or makes the statement another one.
func perDatabase(word string) bool {
	switch word {
	case "current_timestamp", "current_date", "current_time", "localtime", "localtimestamp", "utc_timestamp", "utc_date", "utc_time",
		"current_user", "session_user", "user", "system_user", "current_role", "current_catalog", "current_schema",
		"default", "select", "with", "limit", "fetch", "regclass", "regproc", "regprocedure", "regoper", "regtype", "regrole", "regnamespace",
		"nextval", "previous", "lastval":
		return true
	}
	return false
}

// opensList tells whether a keyword has parentheses behind it that are no call's.
func opensList(word string) bool {
	switch word {
	case "where", "and", "or", "not", "in", "set", "values", "between", "like", "is", "when", "then", "else", "case", "on", "conflict", "as",
		"update", "key", "any", "all", "xor", "div", "by",
		"decimal", "numeric", "varchar", "char", "character", "varying", "bit", "binary", "varbinary":
		return true
	}
	return false
}

// computes tells whether a function makes its value of its arguments alone, in every session.
func computes(name string) bool {
	switch name {
	case "abs", "ceil", "ceiling", "floor", "round", "sign", "mod", "lower", "upper", "lcase", "ucase", "length", "char_length",
		"character_length", "octet_length", "trim", "ltrim", "rtrim", "btrim", "lpad", "rpad", "substr", "substring", "left", "right",
		"replace", "reverse", "repeat", "concat", "concat_ws", "coalesce", "ifnull", "nullif", "iif", "if", "greatest", "least", "min", "max",
		"cast", "convert", "hex", "md5":
		return true
	}
	return false
}

// complete refuses an INSERT that leaves a value to the database.
func (m *mirrored) complete() error {
	main := m.st.Main
	o := newOwn(m.pass)
	o.pool = m.hooks.Rules.Pool()
	source := main.Sources[0]
	columns, err := m.hooks.columnsOf(o, source.Schema, source.Name)
	if err != nil {
		return err
	}
	refuse := func(column string) error {
		return m.hooks.refusal(m.pass, Unmergeable, "column "+column+" is left to a default, which each database has for itself: give every column a value, or use db.Create")
	}
	for _, c := range columns {
		at := slices.IndexFunc(main.Columns, func(named sqlproof.Column) bool { return strings.EqualFold(named.Name, c.Name) })
		if at < 0 {
			return refuse(c.Name)
		}
		for _, row := range main.Rows {
			if at >= len(row) || m.isLeft(row[at], c.Makes) {
				return refuse(c.Name)
			}
		}
	}
	return nil
}

// isLeft tells whether a value may be one that the database replaces by one of its own.
func (m *mirrored) isLeft(e *sqlproof.Expr, makes int) bool {
	switch {
	case e == nil:
		return true
	case makes == 0, e.Op == sqlproof.Text:
		return false
	case e.Op == sqlproof.Numeric:
		return makes > 1 && strings.Trim(e.Value, "0.") == ""
	case e.Op == sqlproof.Argument && e.Number < len(m.args):
		switch v := reflect.ValueOf(m.args[e.Number]); v.Kind() {
		case reflect.Invalid, reflect.Pointer, reflect.Struct:
			_, isTime := m.args[e.Number].(time.Time)
			return !isTime
		default:
			return makes > 1 && v.IsZero()
		}
	}
	return true
}

// column is a column of a table that an INSERT may give a value.
type column struct {
	Name  string
	Makes int // 1 if NULL there may stand for a value that the database makes; 2 if 0 may too
}

// columnsOf asks for the columns of a table that are not computed from others. o is an empty statement.
func (h *Hooks) columnsOf(o *own, schema, table string) (columns []column, err error) {
	text, args := h.engine.ColumnsQuery(schema, table, h.text.Quote)
	if text == "" {
		return nil, h.refusal(o.pass, InvalidConfig, "the columns of its table are not known on this database")
	}
	o.text(text)
	o.Vars, o.quiet = args, true
	err = o.query(func(rows *sql.Rows) error {
		var c column
		err := rows.Scan(&c.Name, &c.Makes)
		columns = append(columns, c)
		return err
	})
	if err == nil && len(columns) == 0 {
		err = h.refusal(o.pass, InvalidConfig, "the columns of its table are not found in the default database")
	}
	return columns, err
}
