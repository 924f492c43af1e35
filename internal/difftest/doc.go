// Package difftest holds the plugin to its main promise with random GORM chains:
// what a chain gives one tenant on a database that holds three is what plain GORM
// gives on a database that holds that tenant alone. Rows, order, RowsAffected, the
// class of the error, what is written back into the caller's structs and the
// tenant's rows afterwards are compared, and the rows of the other two must not
// have changed in a byte.
//
// A chain is made from bytes, each a choice, so that the native fuzzer can drive
// it (FuzzChains, on SQLite) as well as a seed (TestDifferential, on all
// databases), and so that a failure can be shrunk by setting bytes to 0, which is
// the simplest choice everywhere.
//
// A typed refusal in place of the result is right only where the chain asks for
// it: with SQL text that reaches other tables, or by pointing at rows of another
// tenant. The generator marks those steps. What else may differ, and why, is in
// accepted_test.go.
//
// TestFindsLeaks runs the chains against a naive plugin and demands that they find
// it out. Databases make coverage uncertain, so FuzzChains runs best with
// -fuzzminimizetime 10x; a failure is shrunk by TestDifferential alone.
//
// Environment:
//
//   - TENANCY_FUZZ_TIME bounds TestDifferential on each database (default 5s).
//   - TENANCY_FUZZ_SEED=seed:n runs the one chain that a failure has printed;
//     TENANCY_FUZZ_SEED=seed starts there.
//   - TENANCY_FUZZ_KEEP=1 goes on after a failure until the time is up.
package difftest
