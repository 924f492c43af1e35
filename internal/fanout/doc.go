// Package fanout runs one SELECT in several placements at once: it makes the text that each is asked of the text of the whole,
// and describes to the package merge how the answers become the one that a single database with all the rows would give. What
// it cannot show to be exact is an [*Unmergeable].
//
// What the caller has seen to: each row of the answer, or that a group is made of, comes from the rows of one placement
// ([github.com/gormtenancy/tenancy/sqlproof.Keys], Apart), and no row is in two.
//
// How the text of a placement is made:
//
//   - Rows: the text stays as it is. LIMIT becomes the sum of OFFSET and LIMIT, and what ORDER BY sorts by, if it is not
//     selected, becomes one more column at the end, which is not given.
//   - Groups: ORDER BY, HAVING, LIMIT and DISTINCT are left out, as they are for the groups of all placements. AVG becomes SUM
//     and COUNT; the argument of a DISTINCT aggregate becomes one more key of GROUP BY.
//
// The text is put together of pieces of the original and read again: its conditions and joins must be the old ones.
//
// Names are the difficult part: whether one is that of a column or an alias depends on which columns the tables have. Where it
// matters, the databases are asked, as they are for the collations of columns whose text is compared.
package fanout
