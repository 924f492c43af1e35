package benchmarks

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	// usualProcesses is how many processes measure. Within one, the rounds agree to half a percent, but two processes of
	// one binary differ by up to 4 % in all their rounds: in the seeds of their maps, and in where things lie in memory.
	usualProcesses = 9
	// rounds of each contest in a process.
	rounds = 9

	tableEnv = "TENANCY_BENCH_TABLE"
	childEnv = "TENANCY_BENCH_CHILD" // the file in which a process leaves its findings
)

// findings are the results of one process: of each family on each backend, one for each statement.
type findings map[string][]result

func (f findings) of(kind family, on backend) []result { return f[kind.name+"/"+on.name] }

// TestTable prints, in Markdown, what the plugin costs. It is no test of anything.
func TestTable(t *testing.T) {
	if path := os.Getenv(childEnv); path != "" {
		leave(t, path)
		return
	}
	processes, err := strconv.Atoi(os.Getenv(tableEnv))
	if err != nil || processes < 1 {
		t.Skip("set " + tableEnv + "=1 to print the table")
	}
	if processes == 1 {
		processes = usualProcesses
	}
	all := make([]findings, processes)
	for i := range all {
		all[i] = child(t)
	}
	for _, kind := range families() {
		fmt.Print(table(kind, all))
	}
}

// leave measures everything and leaves it in a file.
func leave(t *testing.T, path string) {
	t.Helper()
	found := findings{}
	for _, kind := range families() {
		for _, on := range kind.backends {
			t.Run(kind.name+"/"+on.name, func(t *testing.T) {
				found[kind.name+"/"+on.name] = measure(t, kind, on)
			})
		}
	}
	data, err := json.Marshal(found)
	check(t, err)
	check(t, os.WriteFile(path, data, 0o600))
}

// child has another process measure everything.
func child(t *testing.T) findings {
	t.Helper()
	path := filepath.Join(t.TempDir(), "findings.json")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTable$")
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(path)
	check(t, err)
	var found findings
	check(t, json.Unmarshal(data, &found))
	return found
}

// measure returns the result of each statement of the family on a backend.
func measure(t *testing.T, kind family, on backend) []result {
	t.Helper()
	var results []result
	s := kind.open(t, on)
	for _, st := range kind.statements {
		c, found := newContest(t, s, st), result{}
		for range rounds {
			found.add(c.round())
		}
		found.weigh(c)
		results = append(results, found)
	}
	return results
}

// table shows, of each statement, the median of what the processes found, and from where to where their middle half goes.
func table(kind family, all []findings) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n| %s | on | ratio | allocations | bytes | noise |\n|---|---|--:|--:|--:|--:|\n", kind.title)
	for _, on := range kind.backends {
		for i, st := range kind.statements {
			var plugin, noise spread
			var last result
			for _, found := range all {
				if results := found.of(kind, on); results != nil {
					last = results[i]
					plugin, noise = append(plugin, last.Plugin.median()), append(noise, last.Noise.median())
				}
			}
			if plugin == nil {
				continue // there is no such server
			}
			fmt.Fprintf(&out, "| %s | %s | %s | %.0f %+.0f | %.0f %+.0f | %s |\n", st.title, on.name,
				plugin, last.Plain.Allocs, last.Extra.Allocs, last.Plain.Bytes, last.Extra.Bytes, noise)
		}
	}
	return out.String()
}
