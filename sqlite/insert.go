package sqlite

import "gorm.io/gorm/clause"

const insertClause = "INSERT"

// buildInsert writes INSERT as GORM itself does (gorm.io/gorm v1.31.2,
// clause/insert.go, Insert.Build), to the table the statement names.
//
// The driver's builder writes stmt.Table instead. For a qualified name that is
// only the last part: DB.Table (chainable_api.go) and a model's TableName
// (statement.go, ParseWithSpecialTableName) put the whole name in
// stmt.TableExpr, which is where SELECT, UPDATE and DELETE read it. SQLite then
// resolves the bare name to main, or to the first attached database with such
// a table: another tenant's, and no error.
func buildInsert(c clause.Clause, builder clause.Builder) {
	c.Build(builder)
}
