package testdb

import (
	"errors"
	"syscall"
	"testing"
)

// restartable is a server that a test ends and starts again, as it likes. It keeps
// its port and its data.
type restartable struct {
	server     *server
	stopSignal syscall.Signal
}

// Kill ends the server as a crash does: SIGKILL to it and its children. When Kill
// returns, all are gone.
func (r restartable) Kill(t testing.TB) {
	t.Helper()
	if err := r.server.kill(); err != nil {
		t.Fatal(err)
	}
}

// Stop ends the server without waiting for its clients, and returns when it is gone.
// Without a server Stop does nothing.
func (r restartable) Stop(t testing.TB) {
	t.Helper()
	r.server.end(r.stopSignal)
}

// Start starts the server, after Kill or Stop, on its port and with its data, and
// returns when it answers.
func (r restartable) Start(t testing.TB) {
	t.Helper()
	if err := r.server.launch(); err != nil {
		t.Fatal(r.server.withLog(err))
	}
}

// Pause turns the server into a black hole: its processes stand still, its
// connections stay open, new ones are accepted by the kernel, and nothing answers.
// On other systems than Linux it skips the test.
func (r restartable) Pause(t testing.TB) {
	t.Helper()
	if err := r.server.pause(); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("processes are paused on Linux only")
	} else if err != nil {
		t.Fatal(err)
	}
}

// Resume lets the server go on. Without a Pause it does nothing. Kill, Stop and the
// end of the test resume by themselves, the end of the test's process too.
func (r restartable) Resume(t testing.TB) {
	t.Helper()
	r.server.resume()
}
