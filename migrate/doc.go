// Package migrate brings the schemas of all tenants to the version that a program needs, wherever the tenants are: in shared
// tables, in schemas and in databases of their own.
//
//	runner, err := migrate.New(migrate.Config{DB: db, Catalog: c, Steps: steps, Models: []any{&Order{}}})
//	report, err := runner.Run(ctx)
//	fmt.Println(report)
//
// What is migrated is a place: one that tenants share is migrated once, and so is one that no tenant is in yet. At each, under
// a lock that other migrators respect, the steps that it does not have are run, then GORM's AutoMigrate of the models, then
// Config.After; the catalog notes the version, the fingerprint of the models, or what failed. A place that fails does not stop
// the others, unless Canary or StopAt says so. Run again, it goes on where it was, after a kill too: each place keeps its own
// table of versions.
//
// A program that needs a version opens its catalog with [Runner.Target]: tenants whose place is behind are then
// tenancy.ErrTenantUnavailable until they have been migrated.
//
// # Steps
//
// Steps are files of goose's (github.com/pressly/goose), such as 00003_add_totals.sql, and Go functions. They name no schema: in
// one of the tenant's own, it is the one that the connection looks into, and on PostgreSQL the only one. So types and functions
// of extensions are written with their schema there. What a step sets on its connection is gone before the next one.
//
// Each step runs on a connection of its own, which is taken out of the pool, and closed afterwards. When it is lost, the place
// has failed: no other connection takes over in the middle, for it would look elsewhere. A Go step without a transaction has
// this connection too, so it must not use a second one beside an open transaction or open rows. A step that leaves a transaction
// open, or autocommit off with something uncommitted, is a [StepError]: before the next step is begun, and before the catalog is
// told, another connection must see that it was done.
//
// A step that meets the lock timeout or a deadlock is tried again where nothing of it can have stayed: on PostgreSQL and SQLite
// if it runs in a transaction, on SQLite also if it is a single statement. MySQL commits with each statement that changes a
// table, so there the single statement is tried again, and after a deadlock a step of one statement. Give each statement a step
// of its own on MySQL, so that a step that fails has done nothing, and write CREATE TABLE IF NOT EXISTS: a process can be killed
// when the table is there and the step not noted. A step that PostgreSQL runs without a transaction, such as
// CREATE INDEX CONCURRENTLY, is not tried again, as what it began may have stayed.
//
// # Limits
//
//   - Fingerprints have no order. Without steps, the program that migrates last decides what the models of a place are; with
//     them, a place whose version is ahead is left alone.
//   - Steps are not run backwards.
//   - A tenant that is being created or dropped at the moment is left to who does that: its place is not begun, which is no
//     failure.
//   - Each pool keeps three connections for each place that is being migrated in it; all Runners of the process take turns for
//     them. Who holds one connection of the same pool and waits for another one, as the locks of a catalog do whose master is
//     given by the same *sql.DB, is not counted: give the catalog a pool of its own.
//   - On SQLite the lock timeout holds for steps; AutoMigrate waits as long as the connection's busy_timeout says.
//   - Places with a suffix of tables are refused, as GORM's Migrator does not make them.
//   - PostgreSQL behind a pooler that gives connections out by transaction is refused: connect directly.
//
// # Why goose
//
// Its Provider takes a file system and a pool and has no globals, runs SQL and Go alike, and understands what SQL files of
// migrations have in them: functions in dollar quotes, several statements, steps outside a transaction. atlas plans changes
// from a description of the schema, which is another task, and needs its program or a much larger module.
package migrate
