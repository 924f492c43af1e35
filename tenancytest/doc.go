// Package tenancytest holds the suites that show that an application, with its database and its configuration of GORM,
// keeps tenants apart: the same that this project runs on SQLite, PostgreSQL and MariaDB.
//
// [TestIsolation] makes two databases. One holds the rows of tenants A and B and has the plugin; the other, called alone,
// holds the rows of A only and is used by plain GORM. Most cases run the same GORM calls on both and demand the same
// results and the same rows of A afterwards: so what is refused or filtered too much fails as surely as what leaks. In the
// shared database the rows of B are compared, all of them, before and after each case. The remaining cases are refusals:
// calls that plain GORM would let through, and that must end in a typed error.
//
// Natural keys are equal in both tenants, and so are primary keys where the models allow it, so rows carry a mark that
// says whose they are.
package tenancytest
