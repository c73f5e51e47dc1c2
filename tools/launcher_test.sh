#!/usr/bin/env bash
# Tests ./dmsim itself: a copy of it in a folder with spaces in its name, among stand-ins for cmake,
# ninja, dpkg-query and apt-get that note each call. Ends with `N passed, N failed`.
set -uo pipefail
source_top=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
top="$work/a tree"
bin="$work/bin"
passed=0
failed=0

expect() {  # SENTENCE ACTUAL WANTED
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'failed: %s\n  wanted: %s\n  found:  %s\n' "$1" "$3" "$2"
  fi
}

mkdir -p "$top/tools" "$top/cli" "$top/cmake" "$bin" "$work/elsewhere"
cp "$source_top/dmsim" "$top/"
cp "$source_top/tools/setup.sh" "$source_top/tools/packages.txt" "$top/tools/"
touch "$top/CMakeLists.txt" "$top/CMakePresets.json" "$top/cli/CMakeLists.txt" "$top/cli/main.cc" "$top/cli/old.cc"

# Only what is linked here is on the PATH of the launcher.
for tool in bash env readlink dirname cat grep awk find mktemp mkdir flock cksum mv rm nproc id sleep head touch chmod tr; do
  ln -s "$(command -v "$tool")" "$bin/$tool"
done
stand_in() { cat >"$bin/$1" && chmod +x "$bin/$1"; }
stand_in cmake <<'S'
#!/usr/bin/env bash
echo cmake >>"$CALLS"
while [ $# -gt 0 ]; do [ "$1" = -B ] && dir=$2; shift; done
mkdir -p "$dir" && touch "$dir/build.ninja" && echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" >"$dir/CMakeCache.txt"
S
stand_in ninja <<'S'
#!/usr/bin/env bash
echo ninja >>"$CALLS"
[ -n "${NINJA_FAILS:-}" ] && { echo "FAILED: main.o"; echo "main.cc:1: error: planted"; exit 1; }
sleep 0.2
mkdir -p "$2/cli"
printf '#!/usr/bin/env bash\nprintf "<%%s>" "$@"\nexit ${PROGRAM_EXIT:-0}\n' >"$2/cli/dmsim"
chmod +x "$2/cli/dmsim"
S
stand_in dpkg-query <<'S'
#!/usr/bin/env bash
shift 3
for package in "$@"; do [ "$package" = "${ABSENT:-}" ] || echo "$package installed"; done
S
stand_in apt-get <<'S'
#!/usr/bin/env bash
echo "apt-get $*" >>"$CALLS"
exit 100
S
stand_in sudo <<'S'
#!/usr/bin/env bash
exec "$@"
S

export CALLS="$work/calls"
launch() {  # sets out, err, code, calls
  : >"$CALLS"
  out=$(cd "$work/elsewhere" && env -u DMSIM_PACKAGES PATH="$bin" "${launcher:-$top/dmsim}" "$@" 2>"$work/err")
  code=$?
  err=$(cat "$work/err")
  calls=$(tr '\n' ' ' <"$CALLS")
}

launch run "two words" ''
expect "the program gets the arguments as they are" "$out" '<run><two words><>'
expect "the first call configures and builds" "$calls" "cmake ninja "
expect "the first call ends as the program does" "$code" 0
launch list
expect "nothing is built when nothing has changed" "$calls" ""
expect "nothing is said when nothing has changed" "$err" ""
PROGRAM_EXIT=5 launch list
expect "the program's exit code is the launcher's" "$code" 5
sleep 0.05
echo changed >"$top/cli/main.cc"
launch list
expect "a changed source is built, without configuring again" "$calls" "ninja "
sleep 0.05
rm "$top/cli/old.cc"
launch list
expect "a source that went away is noticed" "$calls" "ninja "
ln -s "$top/dmsim" "$work/link"
launcher="$work/link" launch list
expect "it finds its tree through a symbolic link" "$code$calls" 0

touch "$top/cli/main.cc"
NINJA_FAILS=1 launch list
expect "a failed build ends with 2" "$code" 2
expect "a failed build writes nothing to stdout" "$out" ""
expect "a failed build shows the compiler's error" "$(grep -c planted "$work/err")" 1
launch list
expect "after a failed build the next call builds again" "$calls" "ninja "

touch "$top/cli/main.cc"
ABSENT=cmake launch list
expect "a failing apt-get ends with 2" "$code" 2
expect "a missing package is named with its reason" "$(grep -c 'cmake  *configures the build' "$work/err")" 1
expect "what apt-get could not do is said" "$(grep -c 'apt-get' <<<"$err" | grep -vc '^0')" 1
expect "apt-get is asked, ninja is not" "$(grep -c ninja "$CALLS")$(grep -c 'apt-get.*cmake' "$CALLS" | grep -vc '^0')" 01

: >"$CALLS"
for _ in 1 2 3; do (cd "$work/elsewhere" && PATH="$bin" "$top/dmsim" x >>"$work/many" 2>/dev/null) & done
wait
expect "three at once build once" "$(cat "$CALLS")" "ninja"
expect "three at once all run" "$(cat "$work/many")" "<x><x><x>"

mv "$top" "$work/moved tree"
top="$work/moved tree"
launch list
expect "a tree that was moved is configured afresh" "$calls" "cmake ninja "

rm "$bin/apt-get" "$bin/dpkg-query"
touch "$top/cli/main.cc"
launch list
expect "a system without apt ends with 2" "$code" 2
expect "a system without apt is told what to do" "$(grep -c 'DMSIM_PACKAGES=skip' "$work/err")" 1
DMSIM_PACKAGES=skip; export DMSIM_PACKAGES
out=$(cd "$work" && PATH="$bin" "$top/dmsim" y 2>/dev/null)
expect "DMSIM_PACKAGES=skip goes on without apt" "$out" "<y>"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
