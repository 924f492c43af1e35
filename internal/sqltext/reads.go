package sqltext

// ReadsOnly tells whether a statement surely reads and does nothing else, so that a replica can answer it: a SELECT, or
// WITH … SELECT, that locks no rows, and calls no function but those that are known to have no effect. A function of the
// application's own may write, so what calls one is for the primary.
func (d Dialect) ReadsOnly(sql string) bool {
	tokens, why := d.Tokens(sql, nil)
	if why != "" || len(tokens) == 0 {
		return false
	}
	for i, t := range tokens {
		if t.Kind == Open && i > 0 {
			switch before := tokens[i-1]; before.Kind {
			case Word:
				if !opensFreely(sql[before.Start:before.End]) {
					return false
				}
			case Name:
				return false
			}
		}
		if t.Kind != Word || i > 0 && tokens[i-1].Kind == Dot {
			continue
		}
		word := sql[t.Start:t.End]
		if i == 0 && !isWord(word, "select") && !isWord(word, "with") || writes(word) {
			return false
		}
	}
	return tokens[0].Kind == Word
}

func isWord(word, keyword string) bool { return len(word) == len(keyword) && equalFold(word, keyword) }

func equalFold(word, lowerCase string) bool {
	for i := range len(word) {
		b := word[i]
		if b-'A' < 26 {
			b |= 0x20
		}
		if b != lowerCase[i] {
			return false
		}
	}
	return true
}

// writes tells whether a keyword makes a query write, or lock what it reads.
func writes(word string) bool {
	var folded [8]byte
	if len(word) > len(folded) {
		return false
	}
	switch string(lower(folded[:len(word)], word)) {
	case "insert", "update", "delete", "merge", "replace", "into", "for", "lock", "share", "call", "do", "exec", "execute", "next":
		return true
	}
	return false
}

// opensFreely tells whether a word before a parenthesis is a keyword, or a function without an effect.
func opensFreely(word string) bool {
	const longest = len("generate_series")
	var folded [longest]byte
	if len(word) > longest {
		return false
	}
	switch string(lower(folded[:len(word)], word)) {
	case "select", "from", "where", "and", "or", "not", "in", "exists", "any", "all", "some", "on", "using", "over", "as", "by",
		"having", "when", "then", "else", "case", "limit", "offset", "union", "intersect", "except", "distinct", "join", "lateral",
		"filter", "group", "partition", "between", "like", "ilike", "is", "values", "row", "array", "interval", "escape", "rollup",
		"cube", "sets", "materialized", "recursive", "end", "collate", "regexp", "rlike", "div", "mod", "xor":
		return true
	case "count", "sum", "avg", "min", "max", "coalesce", "nullif", "greatest", "least", "abs", "ceil", "ceiling", "floor", "round",
		"trunc", "truncate", "power", "sqrt", "sign", "lower", "upper", "length", "char_length", "octet_length", "substr", "substring",
		"trim", "ltrim", "rtrim", "btrim", "lpad", "rpad", "concat", "concat_ws", "position", "instr", "strpos", "left", "right",
		"reverse", "repeat", "split_part", "cast", "convert", "extract", "date", "time", "datetime", "date_trunc", "date_part",
		"date_format", "strftime", "julianday", "now", "current_date", "timestampdiff", "datediff", "date_add", "date_sub", "year",
		"month", "day", "hour", "minute", "second", "age", "to_char", "to_date", "to_timestamp", "to_number", "if", "ifnull", "iif",
		"isnull", "hex", "md5", "unhex", "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead",
		"first_value", "last_value", "nth_value", "string_agg", "array_agg", "group_concat", "json_agg", "jsonb_agg", "bool_and",
		"bool_or", "every", "stddev", "variance", "total", "json_extract", "json_object", "json_array", "json_value", "json_each",
		"jsonb_each", "json_contains", "unnest", "generate_series", "typeof", "printf", "format", "quote_literal", "varchar", "char",
		"numeric", "decimal", "text", "integer", "bigint", "signed", "unsigned":
		return true
	}
	return false
}
