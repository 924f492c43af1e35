package rowsecurity

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

// samples are expressions of all common types, some of them with values that drivers stumble over.
var samples = []string{
	"true", "false", "1::smallint", "-2::int", "9223372036854775807::bigint", "1.5::real", "'NaN'::float8", "'-Infinity'::float8", "0.1::float8",
	"12345678901234567890.123450::numeric", "1.50::numeric(10,2)", "'NaN'::numeric", "19.99::money",
	"'text'::text", "'vc'::varchar(20)", "'vc'::varchar", "'c'::char(5)", `'x'::"char"`, "'name'::name", "'ä€𝄞'", "''",
	`'\xdeadbeef'::bytea`, `''::bytea`, "B'1011'::bit(4)", "B'1011'::varbit(9)",
	"DATE '2024-02-29'", "DATE 'infinity'", "DATE '-infinity'", "DATE '0044-03-15 BC'",
	"TIMESTAMP '2024-02-29 12:34:56.789012'", "TIMESTAMP 'infinity'", "TIMESTAMP '-infinity'", "TIMESTAMP(0) '2024-02-29 12:34:56'",
	"TIMESTAMPTZ '2024-02-29 12:34:56.789012+05:30'", "TIMESTAMPTZ 'infinity'", "TIMESTAMPTZ '-infinity'",
	"TIME '12:34:56.789'", "TIMETZ '12:34:56+02'", "INTERVAL '1 year 2 mons -3 days 04:05:06.789'", "INTERVAL '0'",
	"'7b9c6f2e-4c0f-4d8e-9f8a-3b6d5e4f3a2b'::uuid", `'{"a": [1, null]}'::json`, `'{"a": [1, null]}'::jsonb`, "'null'::jsonb", "'<a>1</a>'::xml",
	`'$.a[*]'::jsonpath`, "'192.168.0.1/24'::inet", "'::1'::inet", "'10.0.0.0/8'::cidr", "'08:00:2b:01:02:03'::macaddr",
	"'08:00:2b:01:02:03:04:05'::macaddr8",
	"'[1,10)'::int4range", "'empty'::int8range", "'(,5.5]'::numrange", "'[2024-01-01,infinity)'::daterange",
	"tstzrange('2024-01-01 00:00+00', NULL)", "'{[1,3),[5,7)}'::int4multirange",
	"ARRAY[1,NULL,3]", "ARRAY[[1,2],[3,4]]", `ARRAY['a','b"c',NULL,'']`, "ARRAY[]::text[]", "ARRAY[true,false]", "ARRAY[1.5,2.25]::numeric[]",
	"ARRAY['7b9c6f2e-4c0f-4d8e-9f8a-3b6d5e4f3a2b']::uuid[]", "ARRAY[TIMESTAMPTZ '2024-02-29 12:34:56Z']", `ARRAY['{"a":1}']::jsonb[]`,
	`ARRAY['\x01']::bytea[]`, "ARRAY[INTERVAL '1 day']",
	"'ok'::mood", "ARRAY['ok','bad']::mood[]", "5::positive", "ROW(1,'x')", "ROW(1,'x')::pair", "'(1,2)'::point", "'((0,0),(1,1))'::box",
	"'((0,0),(1,1),(2,0))'::polygon", "'<(0,0),1>'::circle", "'{1,2,3}'::line", "'[(0,0),(1,1)]'::lseg", "'((0,0),(1,1))'::path",
	"'a b:1A'::tsvector", "'a & b'::tsquery", "4294967295::oid", "'pg_class'::regclass", "'7'::xid", "'7'::cid", "'(0,1)'::tid", "'16/B374D848'::pg_lsn",
	"'1:2:'::pg_snapshot", "7::text::xid8", "NULL", "'abc'::bpchar", "pg_typeof(1)",
}

// The rows are those that pgx's driver gives: the same values, of the same Go types, and the same column types.
func TestRowsAreThoseOfPgx(t *testing.T) {
	dsn := testdb.Postgres(t)
	exec(t, open(t, dsn), "CREATE TYPE mood AS ENUM ('ok', 'bad')", "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
		"CREATE TYPE pair AS (a int, b text)")
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b := newBinder(t)
			var columns, nulls []string
			for i, s := range samples {
				columns = append(columns, fmt.Sprintf("%s AS c%d", s, i))
				nulls = append(nulls, fmt.Sprintf("CASE WHEN $1::int = 0 THEN %s END", s))
			}
			query := "SELECT " + strings.Join(columns, ", ") + " WHERE $1::int = 1 UNION ALL SELECT " + strings.Join(nulls, ", ") + " LIMIT 2"
			for _, query := range []string{"SELECT " + strings.Join(columns, ", "), query} {
				var args []any
				if strings.Contains(query, "$1") {
					args = []any{1}
				}
				plain, err := db.QueryContext(t.Context(), query, args...)
				require.NoError(t, err)
				want, wantTypes := all(t, plain)
				ours, err := b.Query(t.Context(), db, "a", query, args)
				require.NoError(t, err)
				got, gotTypes := all(t, ours)
				require.Len(t, got, len(want))
				for r := range want {
					for i := range want[r] {
						// By their text too: NaN is not itself.
						assert.Equal(t, fmt.Sprintf("%T %v", want[r][i], want[r][i]), fmt.Sprintf("%T %v", got[r][i], got[r][i]), samples[i])
					}
				}
				for i := range wantTypes {
					assert.True(t, reflect.DeepEqual(wantTypes[i], gotTypes[i]), "%s: %+v, %+v", samples[i], wantTypes[i], gotTypes[i])
				}
			}
		})
	}
}

func all(t *testing.T, rows *sql.Rows) (values [][]any, types []sql.ColumnType) {
	t.Helper()
	columns, err := rows.ColumnTypes()
	require.NoError(t, err)
	for _, c := range columns {
		types = append(types, *c)
	}
	for rows.Next() {
		row, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			dest[i] = &row[i]
		}
		require.NoError(t, rows.Scan(dest...))
		values = append(values, row)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	return values, types
}
