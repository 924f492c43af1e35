#!/usr/bin/env bash
# Runs each fuzz target of the tree for FUZZTIME. All run, even when one fails.
set -euo pipefail
fuzztime=${FUZZTIME:-20s}
output=$(mktemp)
trap 'rm -f "$output"' EXIT

fuzz() { # fuzz FOLDER TARGET
	(cd "$1" && go test -run '^$' -fuzz "^$2\$" -fuzztime "$fuzztime" .) 2>&1 | tee "$output"
}

failed=()
while IFS=: read -r file target; do
	dir=$(dirname "$file")
	echo "--- $dir $target"
	fuzz "$dir" "$target" && continue
	# A worker that is busy when time runs out can be reported as a failure
	# (golang/go#75804). A finding has an input; this has none, so try once more.
	if grep -q 'context deadline exceeded' "$output" && ! grep -q 'Failing input' "$output"; then
		echo "--- $dir $target, again: no failing input, only out of time"
		fuzz "$dir" "$target" && continue
	fi
	failed+=("$dir $target")
done < <(find . \( -name '.?*' -o -name testdata -o -path ./bin -o -path ./tools \) -prune -o -name '*_test.go' -print0 |
	xargs -0 -r grep -oHE '^func Fuzz[A-Za-z0-9_]*\(' | sed -E 's/func (Fuzz[A-Za-z0-9_]*)\($/\1/' | sort)

if ((${#failed[@]} > 0)); then
	printf 'FAIL: %s\n' "${failed[@]}" >&2
	exit 1
fi
