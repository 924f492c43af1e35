package mysql

import (
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// What the parser would take too long for, or too much of the stack: it goes back and tries again where INTERVAL and
// JSON_VALUE are in one another, and joins two literals, or a table and all others, anew with each that comes. No statement
// is near these bounds, and MySQL itself joins no more than 61 tables.
const (
	mostCases     = 1000
	mostJoins     = 1000
	mostIntervals = 8 // but for INTERVAL 1 DAY
	mostValues    = 3
	mostLiterals  = 64
	deepestExpr   = 2000
	longestChain  = 20_000 // of AND or OR
)

// guard says why a text must not reach the parser, beyond what the lexer says.
func guard(sql string, tokens []sqltext.Token) (at int, why string) {
	if i := strings.Index(sql, "/*T!"); i >= 0 {
		return i, "a comment that is code for some databases"
	}
	var cases, joins, intervals, literals int
	var values []int16 // the parentheses around each JSON_VALUE that is open
	for i, t := range tokens {
		text := sql[t.Start:t.End]
		if t.Kind == sqltext.Literal || t.Kind == sqltext.Name && text[0] == '"' {
			literals++
		} else {
			literals = 0
		}
		for len(values) > 0 && t.Depth <= values[len(values)-1] && t.Kind != sqltext.Open {
			values = values[:len(values)-1]
		}
		switch {
		case literals > mostLiterals:
			return int(t.Start), "too many strings in a row"
		case t.Kind == sqltext.Operator && (text == "{" || text == "}"):
			return int(t.Start), "an escape of ODBC's, {…}"
		case t.Kind != sqltext.Word:
			continue
		case strings.EqualFold(text, "case"):
			cases++
		case strings.EqualFold(text, "join"):
			if joins++; i > 0 && strings.EqualFold(sql[tokens[i-1].Start:tokens[i-1].End], "full") {
				return int(tokens[i-1].Start), "FULL JOIN, of which MySQL makes a table by the name of FULL"
			}
		case strings.EqualFold(text, "straight_join"):
			joins++
		case strings.EqualFold(text, "interval"):
			if i+2 >= len(tokens) || !isOperand(tokens[i+1]) || tokens[i+2].Kind != sqltext.Word {
				intervals++
			}
		case strings.EqualFold(text, "json_value"):
			values = append(values, t.Depth)
		}
		if cases > mostCases || joins > mostJoins || intervals > mostIntervals || len(values) > mostValues {
			return int(t.Start), "too many " + strings.ToUpper(text)
		}
	}
	return 0, ""
}

// isOperand tells whether a token is all of an operand that the parser need not try to read in two ways.
func isOperand(t sqltext.Token) bool {
	return t.Kind == sqltext.Number || t.Kind == sqltext.Mark || t.Kind == sqltext.Literal
}
