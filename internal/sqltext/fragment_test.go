package sqltext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var everywhere = []Dialect{Postgres, MySQL, SQLite, Unknown}

func (d Dialect) label() string { return [...]string{"postgres", "mysql", "sqlite", "unknown"}[d] }

// verdict is what Fragment has to say of a text. An empty why means that the text passes.
type verdict struct {
	text, why string
	in        []Dialect
}

func ok(text string, in ...Dialect) verdict           { return verdict{text, "", in} }
func refused(text, why string, in ...Dialect) verdict { return verdict{text, why, in} }

func check(t *testing.T, p Place, verdicts []verdict) {
	t.Helper()
	for _, v := range verdicts {
		if v.in == nil {
			v.in = everywhere
		}
		for _, d := range v.in {
			t.Run(d.label()+" "+v.text, func(t *testing.T) {
				t.Parallel()
				require.Equal(t, v.why, d.Fragment(v.text, p))
			})
		}
	}
}

func TestOrdinaryFragments(t *testing.T) {
	t.Parallel()
	check(t, Expression, []verdict{
		ok(""), ok("name = ?"), ok("status IN (?) AND created_at > ?"), ok(longFragment),
		ok("id IN ?"), ok("id NOT IN @ids"), ok("name = @name AND age > 3"),
		ok("created_at DESC, id"), ok("count(*) > 1"), ok("count(DISTINCT name)"), ok("price * 2 - 1 / 3.5e-2 + .5 + 1. + 0xfF"),
		ok("CASE WHEN a THEN b ELSE c END"), ok("selected = 1 AND fromage = 2 AND tables = 3 AND _select = 4"),
		ok("name LIKE '%;%' AND x = 'SELECT 1 FROM b -- '"), ok("id = 1 FOR UPDATE"),
		ok("tags @> ARRAY['a', 'b'] AND tags[1] = 'a'", Postgres), ok("data #>> '{a,b}' = ? AND data ? 'k' AND data #- '{a}'", Postgres),
		ok("id = $1 AND x::text = ''", Postgres), ok("id = :id AND x = $x AND y = ?1", SQLite), ok("id = $1", Unknown),
		ok("größe > 1 AND größe IN (1)"), ok("price$ = 1", Postgres, MySQL, SQLite),
		ok("MATCH(a) AGAINST (? WITH QUERY EXPANSION)", MySQL), ok("MATCH(a) AGAINST (? IN BOOLEAN MODE)", MySQL),
		ok("position('a' IN name) > 0", Postgres, MySQL),
	})
}

func TestPairs(t *testing.T) {
	t.Parallel()
	check(t, Expression, []verdict{
		ok("((a) = (b))"),
		refused("(a = b", "unbalanced parenthesis"), refused("a = b)", "unbalanced parenthesis"),
		refused("1) OR (1", "unbalanced parenthesis"),
		ok("a = ')'"), ok(`a = ")"`),
		refused("a[1", "unbalanced bracket", Postgres, MySQL), refused("a]", "unbalanced bracket", Postgres, MySQL),
		refused("a = b; x", `";" ends the statement`), ok("a = ';'"),
	})
}

func TestStrings(t *testing.T) {
	t.Parallel()
	check(t, Expression, []verdict{
		ok("a = 'it''s'"), ok("a = ''"), ok("a = ''''"), ok("a = 'a\nb'"), ok(`a = 'a\b'`), ok(`a = '{\"a\":1}'`),
		refused("a = 'x", "unterminated string"), refused("a = 'x''", "unterminated string"),
		refused(`a = 'x\'`, "backslash before a quote"), refused(`a = 'x\' OR 1 --'`, "backslash before a quote"),
		refused(`a = 'x\\'`, "backslash before a quote"), refused(`a = 'x\''y'`, "backslash before a quote"),
		ok("a = E'x\\n'", Postgres), refused(`a = E'x\''`, "backslash before a quote", Postgres),
		refused("a = E'x'", "prefix before a string", Unknown), refused("a = q'[x'", "prefix before a string", Unknown),
		ok(`"a ""b""" = 1`), ok(`"select" = 1`), refused(`"a = 1`, "unterminated quoted name"),
		refused(`"a\" = 1`, "backslash before a quote"),
		ok("`select` = 1 AND `a``b`", MySQL, SQLite), refused("`a = 1", "unterminated quoted name", MySQL, SQLite),
		refused("`a` = 1", "\"`\" is no quote here", Postgres, Unknown),
		ok("[select] = 1", SQLite), ok("[a'b] = 1", SQLite), refused("[a = 1", "unterminated quoted name", SQLite),
		refused("[a'b] = 1", "unterminated string", Postgres, MySQL), refused("[a] = 1", `"[" is no quote here`, Unknown),
		ok("a = $$it's; (SELECT$$", Postgres), ok("a = $t$ $$ $T$ $t $t$", Postgres), ok("a = $é$'$é$", Postgres),
		refused("a = $$x", "unterminated dollar quote", Postgres), refused("a = $t$x$$", "unterminated dollar quote", Postgres),
		refused("a = $t", `"$" outside of a name`, Postgres), refused("a = $", `"$" outside of a name`, Postgres),
		refused("a = $$x$$", `"$" outside of a name`, MySQL, Unknown), refused("a = $1", `"$" outside of a name`, MySQL),
		ok("a$$ = 1", Postgres, MySQL, SQLite), refused("a$$'", "unterminated string", Postgres),
		refused("a$b", `"$" in a name`, Unknown),
		refused("$1$$'$$", "word directly after a placeholder", Postgres, Unknown), refused("$1union", "word directly after a placeholder", Postgres, Unknown),
		refused(`U&"d\0061t" = 1`, "Unicode escapes", Postgres, Unknown), refused("a = u&'x'", "Unicode escapes", Postgres, Unknown),
		ok("u&'1'", MySQL, SQLite), ok("u & 'x' AND xu&'x'", Postgres),
		refused("a = 'x\x00'", "NUL byte"), refused("a\x00", "NUL byte"), refused("a = '\xff'", "invalid UTF-8"), refused("\xc3", "invalid UTF-8"),
		refused("\v1", "unreadable character"), refused("\x7f", "unreadable character"), refused(`\Nunion`, "unreadable character"),
		refused("\uFEFFselect 1", "byte order mark"), ok("a = '\uFEFF\v\x7f'"), ok("\u00A0 = 1"),
	})
}

func TestComments(t *testing.T) {
	t.Parallel()
	check(t, Expression, []verdict{
		ok("a = 1 -- it's (\n AND b", Postgres, MySQL, SQLite), ok("a = 1 -- x\r\n", Postgres, MySQL, SQLite),
		refused("a = 1 --", "comment up to the end", Postgres, MySQL, SQLite), refused("a = 1 -- x", "comment up to the end", Postgres, MySQL, SQLite),
		refused("a = 1 -- x\n", `"--" is a comment for some databases`, Unknown),
		refused("-- \r SELECT 1\n", "carriage return in a comment", Postgres, MySQL, SQLite),
		ok("a--1", MySQL), ok("a--é", MySQL), refused("a--'", "unterminated string", MySQL), refused("a--'\n", "unterminated string", MySQL),
		refused("a--\x01'", "comment up to the end", MySQL), refused("a--\x7f'", "comment up to the end", MySQL),
		refused("a--1", "comment up to the end", Postgres, SQLite), refused(`a--\`, "unreadable character", MySQL),
		ok("a = 1 # it's (\n", MySQL), refused("a # b", "comment up to the end", MySQL), ok("a # b", Postgres),
		refused("a # b\n", `"#" is a comment for some databases`, SQLite, Unknown),
		ok("a /* it's; SELECT ( */ = 1"), ok("a /**/ = 1"), ok("/*+ hint(a) */ a"), ok("a / b"), ok("a - b"), ok("a -/**/- b"),
		refused("a /* b", "unterminated comment"), refused("a /*/", "unterminated comment"),
		ok("a /* /* */ ' */ = 1", Postgres), refused("a /* /* */", "unterminated comment", Postgres),
		refused("a /* /* */", "comment in a comment", MySQL, SQLite, Unknown),
		refused("/*!50000 SELECT */", "comment that is code"), refused("/*M! SELECT */", "comment that is code"), refused("/*m!SELECT*/", "comment that is code"),
		ok("/* !x */ /*M*/ a"), refused("/*+ x('*/') */", "quote in a hint"), refused("a */ b", `"*/" without "/*"`), ok("a */* b */c"),
	})
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	check(t, Expression, []verdict{
		refused("1union", "word directly after a number"), refused("1.union", "word directly after a number"),
		refused("1e0union", "word directly after a number"), refused(".5union", "word directly after a number"),
		refused("1e", "word directly after a number"), refused("0x1g", "word directly after a number"), refused("1$$", "word directly after a number"),
		refused("1..union", `"UNION" reads a table`), refused("1e+", "word directly after a number"), ok("1E+5 AND 1.5.5"),
		refused("t.1select", "word directly after a number"),
	})
}

func TestKeywords(t *testing.T) {
	t.Parallel()
	for reason, words := range map[string]string{
		"reads a table":       "SELECT TABLE FROM JOIN STRAIGHT_JOIN UNION INTERSECT EXCEPT HANDLER COPY",
		"begins a query":      "WITH",
		"makes a table":       "VALUES",
		"writes to a table":   "INTO DELETE MERGE INSERT TRUNCATE",
		"changes the schema":  "DROP ALTER CREATE GRANT",
		"runs something else": "EXECUTE CALL",
		"ends the expression": "WHERE RETURNING",
	} {
		for w := range strings.FieldsSeq(words) {
			why := `"` + w + `" ` + reason
			mixed := w[:1] + strings.ToLower(w[1:])
			check(t, Expression, []verdict{
				refused(w+" x", why), refused("a = 1 "+mixed+" b", why), refused("a/**/"+strings.ToLower(w), why),
				refused("o. "+w, why), refused(".."+w, why), refused(w+".5", why),
				refused("é"+w+"é", `"`+w+`" in a name that is not ASCII`),
				refused("a é"+w, `"`+w+`" in a name that is not ASCII`),
				ok("o." + w + " = 1"), ok(w + ".x = 1"), ok("x" + w + " + " + w + "x + _" + w), ok("a = '" + w + " x'"), ok(`"` + w + `" = 1`), ok(`"o".` + w),
			})
		}
	}
	check(t, Expression, []verdict{
		refused("(SELECT 1)", `"SELECT" reads a table`), refused("ARRAY(TABLE b)", `"TABLE" reads a table`),
		ok("INSERT(a, 1, 2, b) = 1"), ok("REPLACE(a, 'b', 'c')"), ok("TRUNCATE(a, 2)"), ok("LEFT(a, 1) = RIGHT(b, 1)"),
		refused("INSERT (a)", `"INSERT" writes to a table`),
		ok("VALUES(a) + 1", MySQL), ok("VALUES(`a`)", MySQL), refused("VALUES(1)", `"VALUES" makes a table`, MySQL),
		refused("VALUES(a, b)", `"VALUES" makes a table`, MySQL), refused("VALUES (a)", `"VALUES" makes a table`, MySQL),
		refused("VALUES(a)", `"VALUES" makes a table`, Postgres, SQLite, Unknown),
		ok("a::timestamp WITH TIME ZONE", Postgres, MySQL, SQLite), ok("CAST(a AS time WITH time zone)"), ok("a WITHOUT x"), ok("p WITHIN GROUP (ORDER BY a)"),
		ok("a IS JSON WITH UNIQUE KEYS"), refused("a WITH ORDINALITY", `"WITH" begins a query`), refused("WITH time AS (", `"WITH" begins a query`),
		refused("WITH", `"WITH" begins a query`),
		ok("FOR UPDATE"), refused("UPDATE a", `"UPDATE" writes to a table`), refused(" /* */ update a", `"UPDATE" writes to a table`),
		ok("sum(a) FILTER (WHERE b)"), ok("json_value(a, b RETURNING int)"), refused("a) WHERE (b", "unbalanced parenthesis"),
		ok("a ORDER BY b LIMIT 1"),
	})
}

func TestFrom(t *testing.T) {
	t.Parallel()
	check(t, Expression, []verdict{
		ok("a IS DISTINCT FROM b"), ok("a is not distinct /* */ from b"), ok("(a IS DISTINCT FROM b) = (c IS DISTINCT FROM d)"),
		ok("EXTRACT(YEAR FROM a)"), ok("extract (year FROM a)"), ok("substring(a FROM 1 FOR 2)"), ok("SUBSTR(a FROM 1)"),
		ok("trim(BOTH 'x' FROM a)"), ok("overlay(a PLACING b FROM 1)"), ok("extract(year FROM trim(a FROM (b)))"), ok("extract((a) FROM b)"),
		refused("a FROM b", `"FROM" reads a table`), refused("(a FROM b)", `"FROM" reads a table`),
		refused("lower(a FROM b)", `"FROM" reads a table`), refused("extract((a FROM b))", `"FROM" reads a table`),
		refused("extract(a) FROM b", `"FROM" reads a table`), refused("o.extract(a FROM b)", `"FROM" reads a table`), refused(`"extract"(a FROM b)`, `"FROM" reads a table`),
		refused("o.distinct FROM b", `"FROM" reads a table`), refused("a distinct FROM b", `"FROM" reads a table`),
		refused("o.is DISTINCT FROM b", `"FROM" reads a table`), refused("a IS DISTINCT x FROM b", `"FROM" reads a table`),
		refused("a IS DISTINCT (FROM b)", `"FROM" reads a table`), refused("a IS NOT NOT DISTINCT FROM b", `"FROM" reads a table`),
		ok("extract(" + strings.Repeat("(", 63) + "1" + strings.Repeat(")", 63) + " FROM b)"),
		refused("extract("+strings.Repeat("(", 64)+"1"+strings.Repeat(")", 64)+" FROM b)", `"FROM" reads a table`),
	})
}

func TestMembership(t *testing.T) {
	t.Parallel()
	strict := []Dialect{SQLite, Unknown}
	const why = `"IN" without a parenthesis reads a table`
	check(t, Expression, []verdict{
		refused("id IN b", why, strict...), refused("id IN main.b", why, strict...), refused(`id NOT IN "b"`, why, strict...),
		refused("id IN 'b'", why, strict...), refused("id in/**/b", why, strict...), refused("id IN", why, strict...),
		refused("id IN [b]", why, SQLite), refused("id IN `b`", why, SQLite), refused("id IN json_each(x)", why, strict...),
		ok("id IN (1)"), ok("id IN(1)"), ok("id IN ?"), ok("id IN @ids"), ok("id IN :ids"), ok("id IN $ids", SQLite), ok("o.in = 1"),
	})
	check(t, Expression, []verdict{
		refused("$a(')", "parenthesis directly after a parameter", SQLite), refused("@a(') (SELECT 1)", "parenthesis directly after a parameter", strict...),
		refused(":a::b(')", "parenthesis directly after a parameter", strict...), ok("@a (1)", strict...), ok("@(1)", strict...),
		ok("a::numeric(10,2)", Postgres),
	})
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	for f := range strings.FieldsSeq(`query_to_xml query_to_xmlschema query_to_xml_and_xmlschema table_to_xml table_to_xmlschema
		schema_to_xml schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema cursor_to_xml cursor_to_xmlschema
		dblink dblink_exec crosstab crosstab2 connectby xpath_table ts_stat ts_rewrite pg_read_file pg_read_binary_file pg_ls_dir
		pg_stat_file pg_file_write pg_logical_slot_peek_binary_changes get_raw_page lo_get lo_export lo_import loread lowrite
		load_file sys_exec sys_eval load_extension readfile writefile fts3_tokenizer edit eval`) {
		why := `"` + strings.ToUpper(f) + `" reads what its argument names`
		check(t, Expression, []verdict{
			refused(f+"('x')", why), refused("a = "+strings.ToUpper(f)+" ('x')", why), refused(f+"/**/('x')", why),
			refused("pg_catalog."+f+"('x')", why), refused(`"`+f+`"('x')`, why), refused(`s."`+f+`" ('x')`, why),
			refused("`"+f+"`('x')", why, MySQL, SQLite), refused("["+f+"]('x')", why, SQLite),
			refused("('x')."+f, why), refused(`('x'). "`+f+`"`, why),
			ok(f + " = 1"), ok("o." + f + " = 1"), ok("my_" + f + "(1)"), ok(`"` + f + `" = 1`),
		})
	}
	check(t, Expression, []verdict{
		refused("set_config('search_path', 'b', true)", `"SET_CONFIG" changes the session`),
		refused("currval('s')", `"CURRVAL" tells of other statements or tenants`), refused("last_insert_id()", `"LAST_INSERT_ID" tells of other statements or tenants`),
		refused("has_table_privilege(a, b)", `"HAS_TABLE_PRIVILEGE" reads what its argument names`),
		ok("nextval('s')"), ok("xpath('/a', b)"), ok("current_setting('x')"), ok("(x).f"), ok("(x).größe"),
		refused("LÓAD_FILE('x')", "function with a name that is not ASCII"), refused(`"größe"('x')`, "function with a name that is not ASCII"),
		ok(strings.Repeat("a", 100) + "(1)"),
	})
}

func TestAssignment(t *testing.T) {
	t.Parallel()
	check(t, Assignment, []verdict{
		ok("a + 1"), ok("COALESCE(a, b)"), ok("ARRAY[a, 'b']", Postgres), ok("a IS DISTINCT FROM b"), ok("extract(year FROM a)"),
		ok("array_agg(a ORDER BY b LIMIT 1)"), ok("'a, b'"), ok("o.order"),
		refused("x, tenant_id = 'b'", `"," begins another assignment`), refused("(a), b", `"," begins another assignment`),
		refused("ARRAY[a], b", `"," begins another assignment`, Postgres), refused("a, b]", `"," begins another assignment`, Postgres),
		refused("ARRAY[a", "unbalanced bracket", Postgres),
		refused("a WHERE b", `"WHERE" ends the expression`), refused("a RETURNING b", `"RETURNING" ends the expression`),
		refused("a ORDER BY b", `"ORDER" ends the expression`), refused("a LIMIT 1", `"LIMIT" ends the expression`),
		refused("a FROM b", `"FROM" reads a table`), refused("o.distinct FROM b", `"FROM" reads a table`),
	})
	check(t, Expression, []verdict{ok("a, b"), ok("a ORDER BY b"), ok("a LIMIT 1")})
}

func TestFragmentDoesNotAllocate(t *testing.T) {
	for _, d := range everywhere {
		for _, text := range []string{longFragment, "o.is = 1 AND a IS DISTINCT FROM b AND extract(year FROM c) IN (1, 2) AND größe = '\\n' /* x */"} {
			require.Empty(t, d.Fragment(text, Expression))
			require.Zero(t, testing.AllocsPerRun(10, func() { d.Fragment(text, Expression) }))
		}
	}
}

func TestDialectOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, Postgres, DialectOf("postgres"))
	require.Equal(t, MySQL, DialectOf("mysql"))
	require.Equal(t, SQLite, DialectOf("sqlite"))
	require.Equal(t, Unknown, DialectOf("sqlserver"))
	require.Equal(t, Unknown, DialectOf(""))
	require.NotEmpty(t, Dialect(200).Fragment("`a`", Expression))
}
