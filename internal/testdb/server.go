package testdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A server is one database server in a folder of its own.
type server struct {
	kind       string
	bin        string // folder of its programs
	acct       account
	stopSignal syscall.Signal        // also what it gets when this process dies
	fill       func(s *server) error // makes its data; nil: it has none
	configure  func(s *server) error // what must be written before each start; may be nil
	command    func(s *server) []string
	ping       func(ctx context.Context, s *server) error

	dir    string
	port   int
	proc   *os.Process
	done   chan struct{} // closed when the process has ended
	paused *pause        // nil: it runs
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }
func (s *server) log() string  { return filepath.Join(s.dir, "log") }

// start gives the server a folder with data and starts it on a port that it gets
// from port. Any other process may take that port first, so it asks again.
func (s *server) start(port func() (int, error)) (err error) {
	if s.dir, err = newServerDir(s.kind, s.acct); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.remove()
		}
	}()
	if s.fill != nil {
		if err = s.fill(s); err != nil {
			return err
		}
	}
	for range 5 {
		if s.port, err = port(); err != nil {
			return err
		}
		if err = s.launch(); err == nil {
			return nil
		}
		if err = s.withLog(err); !strings.Contains(err.Error(), "Address already in use") {
			return err
		}
	}
	return err
}

// withLog adds the server's log to the reason why it did not start.
func (s *server) withLog(err error) error {
	log, _ := os.ReadFile(s.log()) // no log: nothing to add
	return fmt.Errorf("%s did not start: %w\n%s", s.kind, err, log)
}

// launch starts the process and waits until it answers.
func (s *server) launch() error {
	if s.configure != nil {
		if err := s.configure(s); err != nil {
			return err
		}
	}
	if err := s.spawn(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := s.ping(ctx, s)
		if err == nil {
			if !track(s) {
				s.stop()
				return errors.New("the tests are over")
			}
			return nil
		}
		select {
		case <-s.done:
			return errors.New("it ended at once")
		case <-ctx.Done():
			s.stop()
			return fmt.Errorf("no answer within %v: %w", startTimeout, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// spawn starts the process from a goroutine that keeps its thread until the
// process has ended: the kernel sends the parent-death signal when the *thread*
// that started it ends, and Go ends idle threads of its own accord.
func (s *server) spawn() error {
	started := make(chan error)
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		lockThread()
		cmd, out, err := s.cmd(s.log(), s.stopSignal, s.command(s)...)
		if err == nil {
			err = cmd.Start()
			s.proc = cmd.Process
		}
		started <- err
		if err == nil {
			_ = cmd.Wait() // its end is all that matters, its log says why
		}
		if out != nil {
			_ = out.Close()
		}
	}()
	return <-started
}

// stop ends the process and waits for its end.
func (s *server) stop() { s.end(s.stopSignal) }

// end sends the signal, which asks the process to end, and waits until it has.
func (s *server) end(signal syscall.Signal) {
	if s.proc == nil {
		return
	}
	s.resume()                // a process that is paused hears no signal
	_ = s.proc.Signal(signal) // fails when it has ended already
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		_ = s.proc.Kill()
		<-s.done
	}
}

// remove ends the process and removes its files.
func (s *server) remove() {
	s.stop()
	untrack(s)
	_ = os.RemoveAll(s.dir) // what stays is swept by the next process
}

// run runs a program to its end, as the server's user.
func (s *server) run(args ...string) error {
	defer lockThread()()
	name := filepath.Join(s.dir, "out")
	cmd, out, err := s.cmd(name, syscall.SIGKILL, args...)
	if err != nil {
		return err
	}
	defer out.Close() //nolint:errcheck // written by the child
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(name) // no output: nothing to add
		return fmt.Errorf("%s: %w\n%s", filepath.Base(args[0]), err, text)
	}
	return nil
}

// cmd returns a command that gets the signal when the calling thread ends. Its
// output goes to a file: a pipe would be kept open by grandchildren and block Wait.
func (s *server) cmd(output string, death syscall.Signal, args ...string) (*exec.Cmd, io.Closer, error) {
	out, err := os.Create(output)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	cmd.Env = []string{"LC_ALL=C", "HOME=" + s.dir, "PATH=" + s.bin + ":/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.SysProcAttr = processAttributes(s.acct, death)
	return cmd, out, nil
}

// initialData: one initialisation at a time, the others copy its result.
var initialData sync.Mutex

// fromTemplate makes the data folder: a copy of a template that processes share, or
// else a fresh one. A template serves for a day; nothing that tidies folders of
// temporary files has eaten parts of it by then.
func (s *server) fromTemplate(initialize func(data string) error) error {
	program, err := os.Stat(s.command(s)[0])
	if err != nil {
		return err
	}
	template := filepath.Join(baseDir(), fmt.Sprintf("%s%s-%s-%d-%x", templatePrefix, time.Now().UTC().Format(time.DateOnly),
		s.kind, s.acct.uid, program.ModTime().UnixNano()))
	initialData.Lock()
	defer initialData.Unlock()
	if !s.acct.owns(template) {
		fresh := filepath.Join(s.dir, "template")
		if err := initialize(fresh); err != nil {
			return err
		}
		if os.Rename(fresh, template) != nil { // another process was first, or it is somebody's folder
			return os.Rename(fresh, s.data())
		}
	}
	if s.run("cp", "-a", template, s.data()) == nil {
		return nil
	}
	if err := os.RemoveAll(s.data()); err != nil {
		return err
	}
	return initialize(s.data())
}

// ping connects and asks for nothing.
func ping(ctx context.Context, driver, dsn string) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // only its answer matters
	return db.PingContext(ctx)
}

// freePort returns a port of 127.0.0.1 that was free a moment ago.
func freePort() (int, error) {
	var c net.ListenConfig
	l, err := c.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // nothing was accepted
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("no TCP address: %v", l.Addr())
	}
	return addr.Port, nil
}

// steadyPort returns a free port below those that Linux gives to outgoing
// connections (32768 and up). So nobody's connection takes it while the server is
// down, and no client that dials it then is connected to itself.
func steadyPort() (int, error) {
	const first, count = 10000, 20000
	var c net.ListenConfig
	var err error
	for range 20 {
		var number [2]byte
		_, _ = rand.Read(number[:]) // never fails
		port := first + int(binary.BigEndian.Uint16(number[:]))%count
		var l net.Listener
		if l, err = c.Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// Port returns a port of 127.0.0.1 for a listener that a test closes and opens again.
func Port(t testing.TB) int {
	t.Helper()
	port, err := steadyPort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// findPrograms returns the folder that holds the server program: the one that the
// environment names, or else the highest version in the first pattern that
// matches, or else one of the PATH.
func findPrograms(env, program string, patterns ...string) string {
	if dir := os.Getenv(env); dir != "" {
		patterns = []string{dir}
	} else if path, err := exec.LookPath(program); err == nil {
		patterns = append(patterns, filepath.Dir(path))
	}
	for _, pattern := range patterns {
		dirs, _ := filepath.Glob(pattern) // a folder whose name is no pattern is not found
		slices.SortFunc(dirs, func(a, b string) int {
			if len(a) != len(b) {
				return len(b) - len(a) // 15 before 9
			}
			return strings.Compare(b, a)
		})
		for _, dir := range dirs {
			if findProgram(program, dir) != "" {
				return dir
			}
		}
	}
	return ""
}

// findProgram returns the program's path in the first of the folders that has it.
func findProgram(program string, dirs ...string) string {
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	return ""
}
