package testdb

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	workPrefix     = "tenancydb-" // + pid + random: what one process has running
	templatePrefix = "tenancydb-template-"
)

// work is what this process has: its folder and its servers.
var work struct {
	sync.Mutex
	dir     string
	servers []*server
	over    bool
}

// track notes a server that runs, unless the tests are over.
func track(s *server) bool {
	work.Lock()
	defer work.Unlock()
	if work.over {
		return false
	}
	if !slices.Contains(work.servers, s) { // it may have been stopped in between
		work.servers = append(work.servers, s)
	}
	return true
}

func untrack(s *server) {
	work.Lock()
	defer work.Unlock()
	work.servers = slices.DeleteFunc(work.servers, func(o *server) bool { return o == s })
}

// shutdown stops all servers and removes the folder of this process.
func shutdown() {
	work.Lock()
	work.over = true
	servers, dir := slices.Clone(work.servers), work.dir
	work.Unlock()
	var wg sync.WaitGroup
	for _, s := range servers {
		wg.Go(s.remove)
	}
	wg.Wait()
	if dir != "" {
		_ = os.RemoveAll(dir) // what stays is swept by the next process
	}
}

// newServerDir returns a new folder for a server of the account.
func newServerDir(kind string, acct account) (string, error) {
	work.Lock()
	defer work.Unlock()
	if work.dir == "" {
		sweep()
		dir, err := os.MkdirTemp(baseDir(), fmt.Sprintf("%s%d-", workPrefix, os.Getpid()))
		if err != nil {
			return "", err
		}
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the server's user must get through
			return "", err
		}
		work.dir = dir
	}
	dir, err := os.MkdirTemp(work.dir, kind[:2])
	if err != nil {
		return "", err
	}
	return dir, acct.chown(dir)
}

// baseDir is where temporary folders go: memory if there is plenty, since to create
// a database is to create 300 files. Not [testing.TB.TempDir], which the server's
// user cannot enter, and not where a socket's path, of at most 103 bytes, would
// become too long.
var baseDir = sync.OnceValue(func() string {
	base := os.TempDir()
	if memory := memoryDir(); memory != "" && os.Getenv("TMPDIR") == "" {
		base = memory
	}
	if len(base) > 40 {
		return "/tmp"
	}
	for dir := base; os.Geteuid() == 0 && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
	}
	return base
})

// left returns what test processes have, or have left, that match: templates too,
// and wherever baseDir has led them.
func left(pattern string) []string {
	var paths []string
	bases := []string{baseDir(), os.TempDir(), "/tmp", "/dev/shm"}
	slices.Sort(bases)
	for _, base := range slices.Compact(bases) {
		found, _ := filepath.Glob(filepath.Join(base, workPrefix+pattern)) // a folder whose name is no pattern has none
		paths = append(paths, found...)
	}
	return paths
}

// sweep removes what processes that are gone have left, and old templates.
func sweep() {
	oldest := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	for _, path := range left("*") {
		date, template := strings.CutPrefix(filepath.Base(path), templatePrefix)
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), workPrefix), "-")
		pid, err := strconv.Atoi(owner)
		if template && date < oldest || err == nil && !alive(pid) {
			_ = os.RemoveAll(path) // another user's folder is his to sweep
		}
	}
}
