#!/usr/bin/env bash
# Runs the test suite of GORM with the plugin in it, and compares with the same
# suite without it:
#
#	scripts/gorm-suite/run.sh CHECKOUT MODE [TEST FLAGS]
#
# CHECKOUT is a working tree of GORM at the version that go.mod requires; nothing
# in it is changed. GORM_DIALECT (sqlite, postgres, mysql) and GORM_DSN say where
# the tests run, as in GORM's own tests_all.sh; their tables are dropped. MODE is
#
#	global     no table belongs to tenants: the plugin only passes on
#	confining  a table that the suite does not use belongs to tenants, so that
#	           all text is read
#	tenant     every model of the suite has a tenant, and so has every context
#	proven     the same, and SQL is read, so that raw SQL is confined and not refused
#
# It fails if a test ends differently and expected.txt does not say so, or if
# expected.txt says so and it does not. KEEP=folder keeps the logs there.
set -euo pipefail
export LC_ALL=C
if (($# < 2)) || [[ ! $2 =~ ^(global|confining|tenant|proven)$ ]]; then
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
gorm=$(cd "$1" && pwd)
mode=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
dialect=${GORM_DIALECT:-sqlite}
export GORM_DIALECT=$dialect TENANCY_MODE=$mode

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "${KEEP:-$work/logs}" "$work/tests"
logs=$(cd "${KEEP:-$work/logs}" && pwd)

# Sleeps for 40 seconds to see entries of the cache of *gorm.PreparedStmtDB expire.
# With the plugin it cannot find that cache, and its own recover makes that a pass.
never=TestPreparedStmtLruFromTransaction

# The module of the suite, with the plugin among its requirements.
cp "$gorm/tests/go.mod" "$work/suite.mod"
go mod edit -go="$(cd "$root" && go list -m -f '{{.GoVersion}}')" \
	-require=github.com/gormtenancy/tenancy@v0.0.0 -replace="github.com/gormtenancy/tenancy=$root" \
	-replace="gorm.io/gorm=$gorm" "$work/suite.mod"

# The files of the suite that are other ones with the plugin.
replace=("$gorm/tests/tenancy_test.go" "$here/testdata/tenancy_test.go")
for file in "$gorm"/tests/*_test.go; do
	grep -q '^package tests_test' "$file" || continue
	changed=$work/tests/$(basename "$file")
	sed -E 's/^func OpenTestConnection\(/func openWithoutPlugin(/' "$file" >"$changed"
	if [[ $mode =~ ^(tenant|proven)$ ]]; then
		sed -i -E 's/\bcontext\.(Background|TODO)\(\)/suiteContext(&)/g' "$changed"
	fi
	cmp -s "$file" "$changed" || replace+=("$file" "$changed")
done
if [[ $mode =~ ^(tenant|proven)$ ]]; then
	awk '/^type [A-Za-z]+ struct [{]$/ { model = 1 }
		model && /^}/ { print "\tTenantID string `gorm:\"size:63\" tenancy:\"tenant\"`"; model = 0 }
		{ print }' "$gorm/utils/tests/models.go" >"$work/models.go"
	replace+=("$gorm/utils/tests/models.go" "$work/models.go")
fi
{
	printf '{"Replace": {'
	printf '%s' "$(printf '"%s": "%s",' "${replace[@]}" | sed 's/,$//')"
	printf '}}\n'
} >"$work/overlay.json"

build() { # build NAME [FLAGS]
	(cd "$gorm/tests" && go test -c -vet=off -mod=mod -modfile="$work/suite.mod" -o "$work/$1" "${@:2}" .)
}

# run NAME [FLAGS] writes how each test ended to NAME.txt. A test that panics takes
# the whole run with it, so it is left out the next time.
run() {
	local name=$1 log=$logs/$1.log skip=$never tmp test
	shift
	: >"$work/panicked"
	while :; do
		tmp=$(mktemp -d -p "$work") # of SQLite's file
		(cd "$gorm/tests" && TMPDIR=$tmp "$work/$name" -test.v -test.timeout=10m -test.skip="^($skip)\$" "$@") >"$log" 2>&1 || true
		rm -rf "$tmp"
		test=$(awk '/^=== (RUN|CONT|NAME) / { test = $3 } /^(panic|fatal error): / { sub("/.*", "", test); print test; exit }' "$log")
		[[ -n $test ]] || break
		cp "$log" "$logs/$name-$test.log"
		echo "$test PANIC" >>"$work/panicked"
		skip="$skip|$test"
	done
	sed -nE 's/^--- (PASS|FAIL|SKIP): ([^ ]+) .*/\2 \1/p' "$log" | sort -u - "$work/panicked" >"$logs/$name.txt"
	if ! grep -q ' PASS$' "$logs/$name.txt"; then
		tail -n 20 "$log" >&2
		exit 1
	fi
	printf '%-9s %s: %d pass, %d fail, %d skip\n' "$name" "$dialect" "$(grep -c ' PASS$' "$logs/$name.txt")" \
		"$(grep -cE ' (FAIL|PANIC)$' "$logs/$name.txt")" "$(grep -c ' SKIP$' "$logs/$name.txt")"
}

build baseline
build "$mode" -overlay="$work/overlay.json"
run baseline "$@"
run "$mode" "$@"

# Both ways: a test that is only in one of the files ended as "-" in the other.
join -a 1 -a 2 -e - -o 0,1.2,2.2 "$logs/baseline.txt" "$logs/$mode.txt" >"$work/both.txt"
awk -v mode="$mode" -v dialect="$dialect" '
	FILENAME ~ /expected\.txt$/ {
		if ($0 ~ /^(#|$)/) next
		if (("," $1 "," ~ "," mode "," || $1 == "all") && ("," $2 "," ~ "," dialect "," || $2 == "all")) {
			kind[$3] = why[$3] = $4
			if (NF > 4 && match($0, /^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /)) why[$3] = why[$3] ": " substr($0, RLENGTH + 1)
		}
		next
	}
	$2 != $3 && ($1 in kind) { printf "expected   %s %s, was %s (%s)\n", $1, $3, $2, why[$1]; next }
	$2 != $3 { printf "UNEXPECTED %s %s, was %s\n", $1, $3, $2 }
	$2 == $3 && ($1 in kind) && kind[$1] != "flaky" { printf "UNEXPECTED %s %s, as without the plugin, but expected.txt lists it\n", $1, $3 }
' "$here/expected.txt" "$work/both.txt" | sort | tee "$work/differences.txt"

# What the tests said that ended in an unexpected way.
while read -r _ test _; do
	for log in "$logs/$mode.log" "$logs/$mode-$test.log"; do
		[[ -f $log ]] || continue
		printf '\n--- %s\n' "$test"
		sed -n "/^=== RUN   $test\$/,/^--- [A-Z]*: $test /p" "$log" | grep -vE '^=== (RUN|NAME)' | cut -c 1-500 | head -n 40
	done
done < <(grep '^UNEXPECTED' "$work/differences.txt")
! grep -q '^UNEXPECTED' "$work/differences.txt"
