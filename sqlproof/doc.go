// Package sqlproof reads one SQL statement, shows of each reference to a tenant's table that it is bound to the tenant, or
// splices in the condition that binds it, and refuses what it can do neither for.
//
// An [Analyzer] reads the text: there is one for each dialect, in a package of its own, which alone imports that
// dialect's parser. It is guarded by a lexer of this project's own, which refuses what parsers, databases and their modes
// do not agree on. What comes out is a [Statement], the same for all dialects: its query blocks, the tables that each
// reads and how they are joined, and the conditions on them as far as they matter. Whatever the analyzer does not know is
// an error.
//
// A [Prover] asks two questions of each reference to a tenant's table. Does a condition that every row of it must meet
// equate its tenant column with a value, or with a column that is bound already? If not, where in the text would such a
// condition stand: in WHERE, in the ON of the outer join whose rows it restricts, or around the table itself? The
// condition is spliced in there, and the text is otherwise left as it was, comments and hints included. Then the new text
// is read again: its tree must be the old one and the added conditions, and all of it must be proven without help. So a
// mistake in the analyzer, in the splice or in the parser ends in a refusal.
//
// A statement that passes becomes a [Plan], which holds for every tenant: the text to send, where in the arguments the
// tenant's value goes, and which arguments must be the tenant's. Plans are cached by text. Where a tenant's tables are in a
// schema of its own, or have a suffix behind their names, [Plan.At] says what the text is there.
//
// Of tables with a shard key, [Plan.Keys] say which keys the rows can have that the statement touches: for each set of
// arguments a list, or that it can be any. A set can be too large, where a condition is not understood, and is never too
// small. They say too whether the statement may run in several placements, each with its own rows.
//
// The idea to add the tenant to the text that an application wrote is old (Citus and Vitess do it within a server,
// go-gorm/sharding in the client); to prove the result by reading it again is this package's.
package sqlproof
