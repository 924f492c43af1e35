// Package shardtest holds statements over many shards to the promise that they
// give what one database with all the rows would give. Random GORM chains run
// through the plugin on random rows that are spread over placements, and through
// plain GORM on one database that has all of them. Rows, their order where one is
// asked for, RowsAffected, and after a write all rows and the placement of each are
// compared.
//
// A typed refusal in place of an answer is right, but is counted: the share of
// answers may not fall. Without OnAllShards a statement that binds no key must be
// refused, and any other must give the same, or be refused.
//
// Environment:
//
//   - TENANCY_FUZZ_TIME is for how long chains of fresh seeds run on each layout.
//   - TENANCY_FUZZ_SEED=seed:n runs the one chain that a failure has printed.
package shardtest
