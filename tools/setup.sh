# Shared by ./dmsim and ./check (sourced; `top` is the top of the source tree).
#
# Promises: says what it does and why on stderr, never on stdout; does nothing when nothing is to be
# done; two of them never build at once; every failure is one clear message and exit code 2.

say() { printf 'dmsim: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

# The environment of a build holds nothing that would make it another build.
clean_env() { env -u CC -u CXX -u CFLAGS -u CXXFLAGS -u CPPFLAGS -u LDFLAGS "$@"; }

packages_of() {  # GROUP...: package names
  local group package why
  while read -r group package why; do
    case " $* " in *" $group "*) printf '%s\n' "$package" ;; esac
  done < <(grep -v '^#' "$top/tools/packages.txt")
}

missing_packages() {  # PACKAGE...: those that are not installed
  local installed package
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null) || true
  for package in "$@"; do
    case $'\n'"$installed"$'\n' in
      *$'\n'"$package installed"$'\n'*) ;;
      *) printf '%s\n' "$package" ;;
    esac
  done
}

apt_get() {
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "not root, and there is no sudo; as root: apt-get install -y $missing_line"
    root=(sudo)
  fi
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2
}

# Installs what is missing of the groups named. DMSIM_PACKAGES=skip leaves that to you.
ensure_packages() {
  [ "${DMSIM_PACKAGES:-}" = skip ] && return 0
  local wanted missing missing_line package
  mapfile -t wanted < <(packages_of "$@")
  if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    local name=unknown
    [ -r /etc/os-release ] && name=$(. /etc/os-release && printf '%s' "${PRETTY_NAME:-${ID:-unknown}}")
    die "this system ($name) has no apt: dmsim is built on Debian 12. Install the counterparts of" \
        "'${wanted[*]}' yourself and call again with DMSIM_PACKAGES=skip"
  fi
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ "${#missing[@]}" -eq 0 ] && return 0
  missing_line="${missing[*]}"
  say "${#missing[@]} Debian packages are missing and will be installed:"
  for package in "${missing[@]}"; do
    awk -v p="$package" '!/^#/ && $2 == p { w = ""; for (i = 3; i <= NF; i++) w = w " " $i
      printf "dmsim:   %-22s%s\n", p, w }' "$top/tools/packages.txt" >&2
  done
  # A fresh machine has no package lists, one that was used may have old ones.
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
    apt_get update || die "apt-get update failed (no network?); needed: $missing_line"
  fi
  apt_get install -y --no-install-recommends "${missing[@]}" || {
    say "trying again with fresh package lists"
    apt_get update || die "apt-get update failed (no network?); needed: $missing_line"
    apt_get install -y --no-install-recommends "${missing[@]}" ||
      die "apt-get could not install: $missing_line"
  }
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ "${#missing[@]}" -eq 0 ] || die "apt-get said it succeeded, but these are still missing: ${missing[*]}"
}

# Holds the lock of the build folder in fd 9 until release_lock.
take_lock() {
  mkdir -p "$top/build" || die "cannot create $top/build"
  exec 9>"$top/build/.lock" || die "cannot write to $top/build"
  flock -n 9 || { say "another build is running here, waiting for it"; flock 9; }
}
release_lock() { exec 9>&-; }

# True when no source, and no folder of sources (a file that came or went), is newer than `stamp`.
sources_older_than() {  # STAMP
  [ -e "$1" ] || return 1
  local newer folders=() folder
  for folder in "$top"/*/CMakeLists.txt; do
    case $folder in "$top"/build/*) ;; *) folders+=("${folder%/*}") ;; esac
  done
  newer=$(find "${folders[@]}" "$top/cmake" "$top/CMakeLists.txt" "$top/CMakePresets.json" -newer "$1" \
    \( -type d -o -name '*.cc' -o -name '*.h' -o -name '*.c' -o -name '*.S' -o -name '*.cmake' \
    -o -name CMakeLists.txt -o -name CMakePresets.json \) -print -quit) || return 1
  [ -z "$newer" ]
}

# Configures build/PRESET if that has not been done (for this folder), with the options given.
configure() {  # PRESET OPTION...
  local preset=$1 dir="$top/build/$1" launcher=""
  shift
  if command -v ccache >/dev/null 2>&1; then
    launcher=ccache
    export CCACHE_SLOPPINESS=pch_defines,time_macros  # else it refuses what uses a precompiled header
  fi
  # Compared as text: spaces in paths, a tree that was moved, a ccache that came or went.
  local wanted
  wanted="$top|$launcher|$*|$(cksum <"$top/CMakePresets.json")"
  if [ -e "$dir/build.ninja" ] && [ "$(cat "$dir/.configured" 2>/dev/null)" = "$wanted" ]; then
    return 0
  fi
  if [ -e "$dir/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$top" "$dir/CMakeCache.txt"; then
    rm -rf "$dir"
  fi
  rm -f "$dir/CMakeCache.txt"  # a preset may name another compiler by now
  mkdir -p "$dir"
  (cd "$top" && clean_env cmake --preset "$preset" -B "$dir" "-DCMAKE_CXX_COMPILER_LAUNCHER=$launcher" \
    "-DCMAKE_C_COMPILER_LAUNCHER=$launcher" "$@") >"$dir/configure.log" 2>&1 || {
    cat "$dir/configure.log" >&2
    return 1
  }
  printf '%s' "$wanted" >"$dir/.configured"
}

# Builds TARGET... (none: all) in build/PRESET. What failed goes to stderr.
build() {  # PRESET TARGET...
  local dir="$top/build/$1" status=0
  shift
  clean_env NINJA_STATUS='[%f/%t] ' ninja -C "$dir" -j "$(nproc)" "$@" >"$dir/build.log" 2>&1 || status=$?
  [ "$status" -eq 0 ] && return 0
  # From the first failure on: what was built before it is of no interest.
  awk '/^FAILED:|^ninja: error|CMake Error/ { seen = 1 } seen' "$dir/build.log" | head -n 200 >&2
  return 1
}
