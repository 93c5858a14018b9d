# shellcheck shell=bash
# lib.sh: what scripts/test, scripts/demo and the benchmarks share: set-up
# from a bare Debian or Ubuntu, a private copy of the server, throwaway
# clusters, and the clean-up of all that.  Sourced by bash.
#
# Nothing is installed into the system but packages of the distribution: the
# server's files are copied to a temporary directory (50 MB, a second), the
# extension is built and installed there, and the directory goes away at the
# end, whichever way the end comes.
#
# Environment:
#	PG_CONFIG        pg_config of the server to use (default: the newest of
#	                 PostgreSQL 15-18 found)
#	RVD_NO_INSTALL=1 do not install packages, say what is missing
#	RVD_KEEP=1       keep the temporary directory, say where it is

RVD_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RVD_STARTED=$SECONDS
RVD_TMP=
RVD_CLUSTERS=()
RVD_VERSIONS="18 17 16 15"
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGOPTIONS PGSERVICE PGDATA

say()
{
	printf '==> [%3d s] %s\n' $((SECONDS - RVD_STARTED)) "$*" >&2
}

die()
{
	printf 'ERROR: %s\n' "$1" >&2
	shift
	[ $# -eq 0 ] || printf '       %s\n' "$@" >&2
	exit 1
}

# ---- the end -----------------------------------------------------------------

rvd_cleanup()
{
	local status=$? data

	set +eu
	trap - EXIT INT TERM HUP
	for data in "${RVD_CLUSTERS[@]}"; do
		[ -f "$data/postmaster.pid" ] || continue
		rvd_as "$RVD_BIN/pg_ctl" -D "$data" -m immediate -w stop \
			>/dev/null 2>&1
	done
	if [ -n "$RVD_TMP" ] && [ -d "$RVD_TMP" ]; then
		if [ -n "${RVD_KEEP:-}" ]; then
			say "kept: $RVD_TMP"
		else
			rm -rf "$RVD_TMP"
		fi
	fi
	exit $status
}

rvd_tmp()
{
	[ -z "$RVD_TMP" ] || return 0
	trap rvd_cleanup EXIT
	trap 'say interrupted; exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	# sockets live below it, and their paths must stay under 107 bytes
	RVD_TMP=$(mktemp -d /tmp/ruvector_dag.XXXXXX) ||
		die "cannot make a directory in /tmp"
	chmod 755 "$RVD_TMP"
	if [ "$(id -u)" -eq 0 ]; then
		chown "$RVD_USER:" "$RVD_TMP"
	fi
}

# ---- who runs the server -----------------------------------------------------

# The server refuses to run as root: then it is postgres's, else one's own.
rvd_pick_user()
{
	if [ "$(id -u)" -ne 0 ]; then
		RVD_USER=$(id -un)
	elif id postgres >/dev/null 2>&1; then
		RVD_USER=postgres
	else
		die "this is root, and there is no user postgres to run a server as" \
			"useradd --system postgres, or run this as another user"
	fi
}

# Run a command as that user, in the temporary directory unless cd'ed below it.
rvd_as()
{
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
	else
		HOME=$RVD_TMP setpriv --reuid="$RVD_USER" --regid="$RVD_USER" \
			--init-groups "$@"
	fi
}

# ---- packages ----------------------------------------------------------------

# Is that pg_config's installation complete: server and files to build with?
rvd_complete()
{
	[ -x "$1" ] && [ -x "$("$1" --bindir)/postgres" ] &&
		[ -f "$("$1" --pgxs)" ] && [ -f "$("$1" --includedir-server)/postgres.h" ]
}

# Sets PG_CONFIG and RVD_MAJOR if there is a usable server.
rvd_find_server()
{
	local v found

	if [ -n "${PG_CONFIG:-}" ]; then
		found=$(command -v "$PG_CONFIG") || die "PG_CONFIG=$PG_CONFIG: no such program"
		rvd_complete "$found" ||
			die "PG_CONFIG=$PG_CONFIG: server or its development files are missing there"
		PG_CONFIG=$found
	else
		for v in $RVD_VERSIONS; do
			if rvd_complete "/usr/lib/postgresql/$v/bin/pg_config"; then
				PG_CONFIG=/usr/lib/postgresql/$v/bin/pg_config
				break
			fi
		done
		if [ -z "${PG_CONFIG:-}" ]; then
			found=$(command -v pg_config) && rvd_complete "$found" || return 1
			PG_CONFIG=$found
		fi
	fi
	RVD_MAJOR=$("$PG_CONFIG" --version | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
	case " $RVD_VERSIONS " in
		*" $RVD_MAJOR "*) ;;
		*) die "$("$PG_CONFIG" --version) at $PG_CONFIG: 15, 16, 17 or 18 is needed" ;;
	esac
}

# Prints the packages that are missing for $1 (demo or test), but the server.
rvd_missing_tools()
{
	command -v gcc >/dev/null || echo gcc
	echo '#include <stdio.h>' | gcc -E -xc - >/dev/null 2>&1 || echo libc6-dev
	command -v make >/dev/null || echo make
	command -v python3 >/dev/null || echo python3
	command -v setpriv >/dev/null || echo util-linux
	if [ "$1" = test ]; then
		[ -f /usr/include/cmocka.h ] ||
			echo '#include <cmocka.h>' |
			gcc -E -include stdarg.h -include stddef.h -include setjmp.h \
				-include stdint.h -xc - >/dev/null 2>&1 || echo libcmocka-dev
		perl -MIPC::Run -e1 2>/dev/null || echo libipc-run-perl
		perl -MTest::More -e1 2>/dev/null && command -v prove >/dev/null || echo perl
	fi
}

# BLAS is for the learner only; nothing fails without it.
rvd_wanted()
{
	ls /usr/include/*/cblas*.h /usr/include/cblas*.h >/dev/null 2>&1 ||
		echo libopenblas-dev
}

rvd_may_install()
{
	[ -z "${RVD_NO_INSTALL:-}" ] && command -v apt-get >/dev/null || return 1
	if [ "$(id -u)" -eq 0 ]; then
		RVD_SUDO=()
	elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null &&
		sudo -v; }; then
		RVD_SUDO=(sudo)
	else
		return 1
	fi
}

rvd_apt()
{
	"${RVD_SUDO[@]}" env DEBIAN_FRONTEND=noninteractive \
		DEBCONF_NONINTERACTIVE_SEEN=true UCF_FORCE_CONFFOLD=1 \
		NEEDRESTART_MODE=l apt-get -qq -y -o Dpkg::Use-Pty=0 \
		-o Dpkg::Options::=--force-confold \
		-o Dpkg::Options::=--force-confdef "$@" </dev/null
}

# rvd_optional PROGRAM-OR-FILE PACKAGE: is it there, or to be had?  What only
# makes the tests more thorough; nothing fails for want of it.
rvd_optional()
{
	command -v "$1" >/dev/null && return 0
	[ ! -e "$1" ] || return 0
	rvd_may_install && apt-cache show "$2" >/dev/null 2>&1 &&
		say "installing $2" &&
		rvd_apt install --no-install-recommends "$2" >/dev/null 2>&1 && return 0
	say "no $2 here, and it cannot be installed: tests that want it are left out"
	return 1
}

# The distribution's newest server that we can use.
rvd_available_version()
{
	local v

	for v in $RVD_VERSIONS; do
		case $(LC_ALL=C apt-cache policy "postgresql-server-dev-$v" 2>/dev/null) in
			*'Candidate: '[0-9]*)
				echo "$v"
				return 0
				;;
		esac
	done
	return 1
}

# A version whose server is there already, lacking its development files only.
rvd_installed_version()
{
	local v

	for v in $RVD_VERSIONS; do
		if [ -x "/usr/lib/postgresql/$v/bin/postgres" ]; then
			echo "$v"
			return 0
		fi
	done
	return 1
}

rvd_install()
{
	local kind=$1 missing wanted version conf log

	missing=$(rvd_missing_tools "$kind" | tr '\n' ' ')
	if rvd_find_server; then
		[ -n "$missing" ] || { rvd_pick_user; return 0; }
	fi
	if ! rvd_may_install; then
		version=$(rvd_installed_version || rvd_available_version || echo 17)
		[ -n "${PG_CONFIG:-}" ] ||
			missing="postgresql-$version postgresql-server-dev-$version $missing"
		die "these packages are missing, and this may not install them: $missing" \
			"(not root, no sudo, no apt-get, or RVD_NO_INSTALL is set)" \
			"Debian or Ubuntu, as root:" \
			"  apt-get install --no-install-recommends $missing" \
			"A server of your own build: PG_CONFIG=/path/to/bin/pg_config $0"
	fi

	log=$(mktemp)
	say "package lists (apt-get update)"
	rvd_apt update >"$log" 2>&1 ||
		{ tail -20 "$log" >&2; die "apt-get update failed"; }
	if [ -z "${PG_CONFIG:-}" ]; then
		version=$(rvd_installed_version || rvd_available_version) ||
			die "this distribution has no PostgreSQL 15-18" \
				"add PostgreSQL's own repository and start again:" \
				"  apt-get install postgresql-common" \
				"  /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh"
		missing="postgresql-$version postgresql-server-dev-$version $missing"

		# a server package makes and starts a cluster unless told not to
		conf=/etc/postgresql-common/createcluster.conf
		if [ ! -e $conf ]; then
			say "writing $conf: no default cluster"
			"${RVD_SUDO[@]}" mkdir -p /etc/postgresql-common
			echo 'create_main_cluster = false' |
				"${RVD_SUDO[@]}" tee $conf >/dev/null
		fi
	fi
	wanted=$(rvd_wanted)
	if [ -n "$wanted" ] && ! apt-cache show "$wanted" >/dev/null 2>&1; then
		wanted=
	fi
	say "installing $missing$wanted (some minutes on a bare machine)"
	# shellcheck disable=SC2086
	rvd_apt install --no-install-recommends $missing $wanted >"$log" 2>&1 ||
		{ tail -30 "$log" >&2; die "apt-get install $missing failed"; }
	rm -f "$log"

	rvd_find_server || die "installed $missing, but still no complete server found"
	missing=$(rvd_missing_tools "$kind" | tr '\n' ' ')
	[ -z "$missing" ] || die "still missing after installation: $missing"
	rvd_pick_user
}

# ---- a private server with the extension -------------------------------------

# Copy the server below RVD_TMP.  It finds its files relative to itself.
rvd_private_server()
{
	local root=$RVD_TMP/pg bin dir

	bin=$("$PG_CONFIG" --bindir)
	for dir in "$bin" "$("$PG_CONFIG" --pkglibdir)" "$("$PG_CONFIG" --sharedir)"; do
		[ -d "$root$dir" ] && continue	# share and lib may be one directory
		mkdir -p "$root$dir"
		cp -RL "$dir/." "$root$dir/"
	done
	for dir in "$("$PG_CONFIG" --includedir)" "$("$PG_CONFIG" --includedir-server)" \
		"$("$PG_CONFIG" --libdir)"; do
		[ -e "$root$dir" ] && continue
		mkdir -p "$(dirname "$root$dir")"
		ln -s "$dir" "$root$dir"
	done
	if [ "$(id -u)" -eq 0 ]; then
		chown -R "$RVD_USER:" "$root"
	fi
	RVD_BIN=$root$bin
	RVD_PG_CONFIG=$RVD_BIN/pg_config
	case $("$RVD_PG_CONFIG" --pkglibdir) in
		"$root"/*) ;;
		*) die "$PG_CONFIG: this server cannot be run from a copy" ;;
	esac
	export PATH=$RVD_BIN:$PATH
}

# rvd_make NAME TARGET...: make in the private source tree NAME.
rvd_make()
{
	local dir=$RVD_TMP/$1

	shift
	(cd "$dir" && rvd_as make -s -j"$(nproc)" with_llvm=no \
		PG_CONFIG="$RVD_PG_CONFIG" "$@")
}

# rvd_build NAME [VARIABLE=VALUE]...: copy the sources to a private tree,
# build there, install into the private server.
rvd_build()
{
	local name=$1 dir=$RVD_TMP/$1 log=$RVD_TMP/$1.log

	shift
	mkdir "$dir"
	(cd "$RVD_ROOT" && tar -cf - --exclude=./.git --exclude=./build \
		--exclude='*.o' --exclude='*.bc' --exclude='*.so' \
		--exclude='*.gc??' --exclude=./tmp_check --exclude=__pycache__ .) |
		tar -C "$dir" --no-same-owner -xf -
	if [ "$(id -u)" -eq 0 ]; then
		chown -R "$RVD_USER:" "$dir"
	fi
	if ! rvd_make "$name" "$@" all >"$log" 2>&1 ||
		! rvd_make "$name" "$@" install >>"$log" 2>&1; then
		tail -40 "$log" >&2
		return 1
	fi
}

# All of the above.  $1: demo or test.
rvd_setup()
{
	rvd_install "$1"
	if [ "$1" = test ]; then
		rvd_optional "$("$PG_CONFIG" --pkglibdir)/pg_qualstats.so" \
			"postgresql-$RVD_MAJOR-pg-qualstats" || true
	fi
	rvd_tmp
	say "building for $("$PG_CONFIG" --version); the server will run as $RVD_USER"
	rvd_private_server
	rvd_build src || die "the build failed"
}

# ---- throwaway clusters --------------------------------------------------------

# Memory for shared_buffers: a quarter of what is free, 128 MB to 1 GB.
rvd_shared_buffers()
{
	local mb

	mb=$(awk '/^MemAvailable:/ {print int($2 / 1024 / 4)}' /proc/meminfo)
	[ "$mb" -le 1024 ] || mb=1024
	[ "$mb" -ge 128 ] || mb=128
	echo "${mb}MB"
}

# rvd_cluster NAME [LINE...]: make and start one with those lines added to
# postgresql.conf; sets RVD_HOST and RVD_PORT.  Unix socket only, so that any
# port is free.
rvd_cluster()
{
	local name=$1 dir=$RVD_TMP/$1 log=$RVD_TMP/$1/log

	shift
	say "starting cluster $name"
	rvd_as mkdir "$dir"
	(cd "$RVD_TMP" && rvd_as "$RVD_BIN/initdb" -D "$dir/data" -U postgres -A trust \
		-E UTF8 --locale=C -N) >"$RVD_TMP/initdb.log" 2>&1 ||
		{ cat "$RVD_TMP/initdb.log" >&2; die "initdb failed"; }
	RVD_HOST=$dir
	RVD_PORT=$((54320 + ${#RVD_CLUSTERS[@]}))
	RVD_CLUSTERS+=("$dir/data")
	{
		cat <<-CONF
			listen_addresses = ''
			unix_socket_directories = '$dir'
			port = $RVD_PORT
			fsync = off
			full_page_writes = off
			max_wal_size = 4GB
			log_line_prefix = '%m [%p] %q%a '
		CONF
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | rvd_as tee -a "$dir/data/postgresql.conf" >/dev/null
	(cd "$RVD_TMP" && rvd_as "$RVD_BIN/pg_ctl" -D "$dir/data" -l "$log" -w -t 60 \
		start) >/dev/null ||
		{ tail -20 "$log" >&2; die "cluster $name did not start"; }
}

# Connection string of a database of the cluster started last.
rvd_url()
{
	echo "host=$RVD_HOST port=$RVD_PORT user=postgres dbname=$1"
}
