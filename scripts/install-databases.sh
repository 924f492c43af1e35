#!/usr/bin/env bash
# Installs the database servers that tests start for themselves, where it can:
# Debian and its children, as root or with sudo that asks for no password. Says
# plainly what is missing, and does not fail: tests without a server skip, or fail
# if TENANCY_TEST_REQUIRE=1. Debian may start servers of its own; no test uses them.
set -euo pipefail

has_postgres() {
	local dir
	[[ -n ${TENANCY_TEST_POSTGRES_DSN:-} ]] && return
	if [[ -n ${TENANCY_TEST_POSTGRES_BIN:-} ]]; then
		[[ -x $TENANCY_TEST_POSTGRES_BIN/postgres ]]
		return
	fi
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin \
		/usr/local/opt/postgresql*/bin /usr/local/pgsql/bin; do
		[[ -x $dir/postgres ]] && return
	done
	command -v postgres >/dev/null
}

has_mariadb() {
	local dir
	[[ -n ${TENANCY_TEST_MYSQL_DSN:-} ]] && return
	if [[ -n ${TENANCY_TEST_MARIADB_BIN:-} ]]; then
		[[ -x $TENANCY_TEST_MARIADB_BIN/mariadbd ]]
		return
	fi
	for dir in /usr/sbin /usr/local/sbin /usr/libexec /opt/homebrew/opt/mariadb*/bin \
		/usr/local/opt/mariadb*/bin /usr/local/mysql/bin; do
		[[ -x $dir/mariadbd ]] && return
	done
	command -v mariadbd >/dev/null
}

has_pgbouncer() {
	local dir
	if [[ -n ${TENANCY_TEST_PGBOUNCER_BIN:-} ]]; then
		[[ -x $TENANCY_TEST_PGBOUNCER_BIN/pgbouncer ]]
		return
	fi
	for dir in /usr/sbin /usr/bin /usr/local/sbin /usr/local/bin /opt/homebrew/bin; do
		[[ -x $dir/pgbouncer ]] && return
	done
	command -v pgbouncer >/dev/null
}

as_root() {
	if [[ $(id -u) == 0 ]]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

# install PACKAGE: without questions, and without an update of the package lists
# unless they do not know it or name a version that is gone.
install() {
	local get=(apt-get -q -y -o DPkg::Lock::Timeout=120)
	echo "installing $1"
	if apt-cache show "$1" >/dev/null 2>&1 &&
		as_root "${get[@]}" install --no-install-recommends "$1" </dev/null >"$log" 2>&1; then
		return
	fi
	as_root "${get[@]}" update </dev/null >"$log" 2>&1 &&
		as_root "${get[@]}" install --no-install-recommends "$1" </dev/null >"$log" 2>&1 && return
	tail -n 15 "$log" >&2
	return 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

missing=()
has_postgres || missing+=(postgresql)
has_mariadb || missing+=(mariadb-server)
has_pgbouncer || missing+=(pgbouncer)
if ((${#missing[@]} == 0)); then
	exit
fi

why=
if ! command -v apt-get >/dev/null; then
	why="this is not Debian or Ubuntu"
elif [[ $(id -u) != 0 ]] && ! sudo -n true 2>/dev/null; then
	why="that needs root, or sudo without a password"
else
	for package in "${missing[@]}"; do
		install "$package" || why="apt-get failed"
	done
fi

skipped() {
	echo "NOT INSTALLED: $1 ($why). Tests that need it will ${2}; to run them, install it, or set $3."
}
verdict="be skipped"
[[ ${TENANCY_TEST_REQUIRE:-} == 1 ]] && verdict="fail"
has_postgres || skipped PostgreSQL "$verdict" TENANCY_TEST_POSTGRES_DSN
has_mariadb || skipped MariaDB "$verdict" TENANCY_TEST_MYSQL_DSN
has_pgbouncer || skipped PgBouncer "$verdict" TENANCY_TEST_PGBOUNCER_BIN
