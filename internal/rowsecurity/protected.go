package rowsecurity

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// tableFacts asks what protects tables. $1 is a JSON array of their names, $2 the setting as a literal.
//
// A policy holds for a role that has the privileges of one of its roles; those of oid 0 hold for all. A policy is ours if
// each of its conditions reads the setting, in its own text or in that of a function that it calls.
// Source: PostgreSQL 15 src/backend/rewrite/rowsecurity.c check_role_for_policy, src/backend/utils/misc/rls.c
// check_enable_rls.
const tableFacts = `
SELECT t.name, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity,
	pg_has_role(current_user, c.relowner, 'USAGE') AS owned,
	EXISTS (SELECT FROM unnest(c.reloptions) AS o (option) WHERE lower(o.option) IN
		('security_invoker=true', 'security_invoker=on', 'security_invoker=yes', 'security_invoker=1')) AS invoker,
	current_setting('server_version_num')::int,
	p.any_permissive, p.foreign_permissive, p.ours_restrictive
FROM json_array_elements_text($1::json) WITH ORDINALITY AS t (name, nth)
JOIN pg_catalog.pg_class AS c ON c.oid = to_regclass(t.name)
CROSS JOIN LATERAL (
	SELECT coalesce(bool_or(f.polpermissive), false) AS any_permissive,
		coalesce(string_agg(quote_ident(f.polname), ', ' ORDER BY f.polname) FILTER (WHERE f.polpermissive AND NOT f.ours), '') AS foreign_permissive,
		coalesce(bool_or(NOT f.polpermissive AND f.polcmd = '*' AND f.ours), false) AS ours_restrictive
	FROM (
		SELECT pol.polname, pol.polpermissive, pol.polcmd,
			(pol.polqual IS NULL OR e.qual <> 'true' AND (reads.setting OR strpos(lower(e.qual), $2) > 0))
			AND (pol.polwithcheck IS NULL OR e.new <> 'true' AND (reads.setting OR strpos(lower(e.new), $2) > 0))
			AND coalesce(pol.polqual, pol.polwithcheck) IS NOT NULL AS ours
		FROM pg_catalog.pg_policy AS pol
		CROSS JOIN LATERAL (SELECT pg_get_expr(pol.polqual, pol.polrelid) AS qual, pg_get_expr(pol.polwithcheck, pol.polrelid) AS new) AS e
		CROSS JOIN LATERAL (
			SELECT coalesce(bool_or(strpos(lower(f.prosrc), $2) > 0), false) AS setting
			FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_proc AS f ON f.oid = d.refobjid
			WHERE d.classid = 'pg_catalog.pg_policy'::regclass AND d.objid = pol.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass
		) AS reads
		WHERE pol.polrelid = c.oid AND EXISTS (SELECT FROM unnest(pol.polroles) AS r (role)
			WHERE r.role = 0 OR pg_has_role(current_user, r.role, 'USAGE'))
	) AS f
) AS p
ORDER BY t.nth`

// CheckTables refuses tables that no policy protects from the role of the connection: those without row-level security,
// those whose policies do not hold for their owner, and those with a policy that lets other tenants' rows through. Views
// must run with the rights of who asks; else they show what their owner may see. Names are quoted, with a schema if need
// be. It returns those of tables that exist: others are no fault, their statement itself will fail. All faults are in one
// error.
func (b *Binder) CheckTables(ctx context.Context, conn interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, tables []string,
) (found []string, err error) {
	names, err := json.Marshal(tables)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	rows, err := conn.QueryContext(ctx, tableFacts, string(names), "'"+string(b.Setting)+"'")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var faults []error
	for rows.Next() {
		var t protection
		if err := rows.Scan(&t.name, &t.kind, &t.enabled, &t.forced, &t.owned, &t.invoker, &t.version,
			&t.anyPermissive, &t.foreign, &t.oursRestrictive); err != nil {
			return nil, err
		}
		found = append(found, t.name)
		faults = append(faults, t.faults(b.Setting)...)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, &FaultError{faults}
	}
	return found, nil
}

// protection is what is known of one table.
type protection struct {
	name, kind             string
	enabled, forced, owned bool
	invoker                bool
	version                int
	anyPermissive          bool
	foreign                string // permissive policies that do not read the setting
	oursRestrictive        bool
}

// The kinds of relations that can hold or show rows.
// Source: PostgreSQL 15 src/include/catalog/pg_class.h.
const (
	plainTable       = "r"
	partitionedTable = "p"
	view             = "v"
	materialized     = "m"
)

// invokerVersion is the first PostgreSQL whose views can run with the rights of who asks.
const invokerVersion = 150000

// faults returns what is wrong with the table, and what to run.
func (t protection) faults(s Setting) (faults []error) {
	switch {
	case t.kind == view && t.invoker:
		return nil
	case t.kind == view && t.version < invokerVersion:
		return []error{fmt.Errorf("view %s shows what its owner may see, and before PostgreSQL 15 there is no other way: query its tables", t.name)}
	case t.kind == view:
		return []error{fmt.Errorf("view %s shows what its owner may see: run ALTER VIEW %s SET (security_invoker = on)", t.name, t.name)}
	case t.kind == materialized:
		return []error{fmt.Errorf("materialized view %s holds rows of all tenants, and no policy can be put on it: query its tables", t.name)}
	case t.kind != plainTable && t.kind != partitionedTable:
		return []error{fmt.Errorf("%s is no table that PostgreSQL has policies for (kind %q)", t.name, t.kind)}
	}
	if !t.enabled {
		faults = append(faults, fmt.Errorf("table %s has no row-level security: run ALTER TABLE %s ENABLE ROW LEVEL SECURITY", t.name, t.name))
	}
	if t.owned && !t.forced {
		faults = append(faults, fmt.Errorf("policies of table %s do not hold for its owner, which the role is: run ALTER TABLE %s FORCE ROW LEVEL SECURITY",
			t.name, t.name))
	}
	if !t.anyPermissive {
		faults = append(faults, fmt.Errorf("table %s has no policy for the role, so that it sees no row: run CREATE POLICY %s ON %s USING (… %s …)",
			t.name, PolicyName, t.name, s.value()))
	} else if t.foreign != "" && !t.oursRestrictive {
		faults = append(faults, fmt.Errorf("table %s has policies that do not read %s and let rows of any tenant through (%s): "+
			"put %s into their USING and WITH CHECK, or run DROP POLICY … ON %s", t.name, s, t.foreign, s.value(), t.name))
	}
	return faults
}
