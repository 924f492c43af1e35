// Package faults puts a proxy between a test and its database server, and makes the
// network fail there: cut, slow, silent or reset connections.
//
// It is a module of its own, never released, because the proxy is toxiproxy's, run
// in process, and brings zerolog, Prometheus and others: users of the library, and
// those who run its tests, should not download them. Tests that need faults live in
// this module.
package faults
