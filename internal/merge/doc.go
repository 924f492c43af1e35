// Package merge makes one answer of the answers of several shards: the one that a single database with all the rows would
// give. It knows neither GORM nor SQL text nor pools. The caller has sent each shard a query that a [Description] fits; what
// cannot be merged exactly is an [*UnmergeableError].
//
// What each shard must be asked:
//
//   - ORDER BY as in the whole, by columns that the answer has. Those that were added for this alone stand at the end, and
//     [Description.Visible] or [Description.Hidden] cuts them off.
//   - LIMIT: offset and limit of the whole together, and no OFFSET. Neither where groups are merged.
//   - DISTINCT as in the whole.
//   - Aggregates, with the keys of GROUP BY among the columns: COUNT, SUM, MIN and MAX as they are; AVG as SUM and COUNT of its
//     argument; DISTINCT ones as their argument, which then is one more column to group by. No HAVING.
//
// What is taken for granted, since the drivers do not tell:
//
//   - Text is UTF-8 in the database, and compares by the [Collation] that is given.
//   - SQLite's times, which are text, are written in one format and zone.
//   - Sources are sorted as they were asked to be. Where one is seen not to be, the rows are refused: MySQL, for one, looks at
//     the first 1024 bytes of a text alone (max_sort_length).
//
// The answer of a shard is read by a goroutine of its own into a buffer that is bounded. The goroutines end with the answer,
// with the first failure, and with the context.
package merge
