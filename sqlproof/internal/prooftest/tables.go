// Package prooftest has what the tests of the analyzers share.
package prooftest

import (
	"strings"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// Tables are tables of an application, for tests.
type Tables map[string]sqlproof.Table

var _ sqlproof.Tables = Tables{}

// Table implements [sqlproof.Tables].
func (t Tables) Table(_, name string) sqlproof.Table { return t[strings.ToLower(name)] }

// Confined implements [sqlproof.Tables].
func (t Tables) Confined(name string) bool { return t[strings.ToLower(name)].Class >= sqlproof.Owned }

// Generation implements [sqlproof.Tables].
func (Tables) Generation() uint64 { return 1 }

// Own adds tables with a tenant column tenant_id of text.
func (t Tables) Own(names ...string) Tables {
	for _, name := range names {
		t[name] = sqlproof.Table{Class: sqlproof.Owned, Name: name, Column: "tenant_id", Type: "text", Text: true}
	}
	return t
}

// Open adds tables that belong to nobody.
func (t Tables) Open(names ...string) Tables {
	for _, name := range names {
		t[name] = sqlproof.Table{Class: sqlproof.Open, Name: name}
	}
	return t
}

// Link adds a join table, whose columns are named after its ends: tag_id for tags.
func (t Tables) Link(name, a, b string) Tables {
	end := func(of string) sqlproof.End {
		return sqlproof.End{Columns: []string{strings.TrimSuffix(of, "s") + "_id"}, Keys: []string{"id"}, Parent: t[of]}
	}
	t[name] = sqlproof.Table{Class: sqlproof.Link, Name: name, Ends: &[]sqlproof.End{end(a), end(b)}}
	return t
}
