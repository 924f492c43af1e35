package fanout

import (
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// rowwise tells whether a function is known to make its value of its arguments, row by row: it is no aggregate, and gives the
// same each time. Aggregates that users have added look like any other function.
func rowwise(name string) bool {
	switch strings.ToLower(name) {
	case "abs", "ceil", "ceiling", "floor", "round", "trunc", "truncate", "sign", "mod", "div", "power", "pow", "sqrt", "exp", "ln",
		"log", "log2", "log10", "greatest", "least", "min", "max",
		"lower", "upper", "lcase", "ucase", "initcap", "length", "char_length", "character_length", "octet_length", "bit_length",
		"trim", "ltrim", "rtrim", "btrim", "lpad", "rpad", "substr", "substring", "mid", "left", "right", "replace", "translate",
		"reverse", "repeat", "concat", "concat_ws", "instr", "strpos", "position", "locate", "split_part", "substring_index",
		"format", "printf", "hex", "unhex", "md5", "sha1", "sha2", "ascii", "char", "chr", "field", "elt", "quote", "weight_string",
		"coalesce", "ifnull", "nullif", "iif", "if", "isnull", "cast", "convert", "typeof", "binary",
		"date", "time", "datetime", "julianday", "unixepoch", "strftime", "year", "month", "day", "dayofmonth", "dayofweek",
		"dayofyear", "weekday", "week", "quarter", "hour", "minute", "second", "microsecond", "date_format", "date_trunc",
		"date_part", "date_bin", "extract", "age", "to_char", "to_date", "to_timestamp", "to_number", "from_unixtime",
		"unix_timestamp", "date_add", "date_sub", "adddate", "subdate", "addtime", "subtime", "datediff", "timediff",
		"timestampdiff", "timestampadd", "last_day", "str_to_date", "time_format", "timezone", "make_date", "make_timestamp",
		"json_extract", "json_unquote", "json_value", "json_length", "json_valid", "json_type", "json_contains", "json_object",
		"json_array", "json_build_object", "jsonb_build_object", "json_build_array", "jsonb_build_array",
		"json_extract_path", "jsonb_extract_path", "json_extract_path_text", "jsonb_extract_path_text", "to_json", "to_jsonb",
		"json_array_length", "jsonb_array_length", "jsonb_typeof", "array_length", "cardinality", "array_to_string",
		"row_to_json", "regexp_replace", "regexp_match", "regexp_substr", "regexp_like", "encode", "decode", "inet_aton", "inet_ntoa",
		"similarity", "st_distance", "st_x", "st_y", "st_astext", "st_asgeojson":
		return true
	}
	return false
}

// unknownCall finds a call that is not known to be made row by row; nil if there is none.
func unknownCall(e *sqlproof.Expr) *sqlproof.Expr {
	if e == nil {
		return nil
	}
	if e.Op == sqlproof.Call && (e.Schema != "" || !rowwise(e.Name)) {
		return e
	}
	for _, a := range e.Args {
		if found := unknownCall(a); found != nil {
			return found
		}
	}
	return nil
}

// aggregates tells whether an aggregate is in an expression.
func aggregates(e *sqlproof.Expr) bool {
	if e == nil {
		return false
	}
	if e.Op == sqlproof.Call && e.Aggregate {
		return true
	}
	return slices.ContainsFunc(e.Args, aggregates)
}
