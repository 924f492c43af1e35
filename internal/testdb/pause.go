package testdb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A pause keeps the processes of a server stopped. Whoever is stopped hears neither
// the signal that ends it nor the one of its parent's death, so a process of its own
// wakes them: when it is told to, or when this one has died.
type pause struct {
	pids  []int
	waker *exec.Cmd
	input io.WriteCloser // the processes to wake; they are woken at its end
}

// wake reads processes, and at the end of its input lets them go on.
const wake = `while read -r pid; do pids="$pids $pid"; done; kill -CONT $pids`

// pause stops the server's process and its children, as they stand.
func (s *server) pause() error {
	if s.paused != nil {
		return nil
	}
	waker, out, err := s.cmd(filepath.Join(s.dir, "waker"), 0, "sh", "-c", wake)
	if err != nil {
		return err
	}
	defer out.Close() //nolint:errcheck // written by the child
	ownSession(waker)
	input, err := waker.StdinPipe()
	if err != nil {
		return err
	}
	if err := waker.Start(); err != nil {
		return err
	}
	s.paused = &pause{waker: waker, input: input}
	if s.paused.pids, err = freeze(s.proc.Pid, func(pid int) error {
		_, err := fmt.Fprintln(input, pid)
		return err
	}); err != nil {
		s.resume()
	}
	return err
}

// resume ends a pause; without one it does nothing.
func (s *server) resume() {
	if s.paused == nil {
		return
	}
	_ = s.paused.input.Close() // it has been written
	_ = s.paused.waker.Wait()  // fails when one of the processes is gone
	s.paused = nil
}

// kill ends the process and its children the hard way, as a crash does, and waits
// until all are gone: PostgreSQL does not start on data that a process still has.
func (s *server) kill() error {
	if s.proc == nil {
		return nil
	}
	select {
	case <-s.done:
		return nil
	default:
	}
	if err := s.pause(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	var pids []int // where they are not known, children end when they miss their parent
	if s.paused != nil {
		pids = s.paused.pids
	}
	_ = s.proc.Kill() // fails when it has ended
	for _, pid := range pids {
		if child, err := os.FindProcess(pid); err == nil {
			_ = child.Kill() // likewise
			_ = child.Release()
		}
	}
	s.resume()
	<-s.done
	for start := time.Now(); len(pids) > 0; time.Sleep(time.Millisecond) {
		if gone(pids[0]) {
			pids = pids[1:]
		} else if time.Since(start) > startTimeout {
			return fmt.Errorf("%s: process %d outlives SIGKILL", s.kind, pids[0])
		}
	}
	return nil
}
