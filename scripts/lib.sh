# What the scripts share; each sources it first. It brings them to the project's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(g++ cmake ninja-build ccache python3 libasio-dev libcereal-dev libfmt-dev libxxhash-dev
  catch2 libcli11-dev nlohmann-json3-dev strace)

# Prints one line on what is the matter, and ends.
die() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit "${2:-1}"
}

step() { printf '%s\n' "$1"; }

# usage_or_go SUMMARY ARGUMENTS…: the scripts take no arguments but --help.
usage_or_go() {
  local summary=$1 argument
  shift
  [[ $# -gt 0 ]] || return 0
  for argument in "$@"; do
    [[ $argument == --help || $argument == -h ]] ||
      die "unknown argument '$argument'; see scripts/$(basename "$0") --help" 2
  done
  printf 'usage: scripts/%s\n%s\n' "$(basename "$0")" "$summary"
  exit 0
}

# make_folder DIR
make_folder() {
  { mkdir -p "$1" && [[ -w $1 ]]; } 2>/dev/null || die "cannot write in $PWD/$1"
}

# install_missing PACKAGES…: does nothing, and asks nobody, where all are there.
install_missing() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    die "this system has no apt-get; install what Debian calls: $*. Then: cmake --preset release"
  fi
  local missing=() package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0

  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null || die "not root and no sudo; install as root: ${missing[*]}"
    as_root=(sudo)
  fi
  step "installing: ${missing[*]}"
  make_folder build
  local log=build/install.log apt=(env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -y -q
    -o Acquire::Retries=2 -o DPkg::Lock::Timeout=120)
  # Lists that are old but still good must not stop an installation: only its own result counts.
  "${as_root[@]}" "${apt[@]}" update >"$log" 2>&1 || true
  "${as_root[@]}" "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$log" 2>&1 ||
    die "cannot install ${missing[*]}: $(why_not_installed "$log") (see $log)"
}

# Why apt-get failed, in one line. A package that it does not know may only stand in lists that it
# could not fetch.
why_not_installed() {
  local log=$1 why
  why=$(grep -m1 '^E:' "$log" || true)
  if [[ -z $why || $why == *'Unable to locate'* || $why == *'no installation candidate'* ]]; then
    why=$(grep -m1 -E '^[WE]: Failed to fetch' "$log" || printf '%s' "$why")
  fi
  [[ -n $why ]] || why=$(tail -n 1 "$log")
  sed -E 's/^[WE]: //; s/^Failed to fetch [^ ]+ +(.+)/the network: \1/' <<<"$why"
}

# bar TEXT: reads lines and draws a bar from the `n/m` that each begins with; without a terminal,
# silent.
bar() {
  local line done_ all width=30 filled
  while IFS= read -r line; do
    [[ -t 1 && $line =~ ^[[:space:]\[]*([0-9]+)/([0-9]+) ]] || continue
    done_=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
    filled=$((all > 0 ? width * done_ / all : width))
    printf '\r  %-8s [%s%s] %d/%d ' "$1" "$(printf '%*s' "$filled" '' | tr ' ' '#')" \
      "$(printf '%*s' $((width - filled)) '' | tr ' ' '.')" "$done_" "$all"
  done
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
}

# configure_preset PRESET [--fresh]: only where that has not been done, or afresh.
configure_preset() {
  local dir=build/$1
  if [[ $# -eq 1 && $dir/build.ninja -nt CMakePresets.json ]]; then return; fi
  step "configuring $dir"
  make_folder "$dir"
  cmake --preset "$@" >"$dir/configure.log" 2>&1 ||
    die "cannot configure $dir: $(why_not_configured "$dir/configure.log") (see $dir/configure.log)"
}

# CMake's first error, in one line; else the last line.
why_not_configured() {
  awk '/^CMake Error/ { found = 1; if (/:$/) next }
    found && NF == 0 && text != "" { exit }
    found { text = text " " $0 }
    NF { last = $0 }
    END { $0 = text != "" ? text : last; $1 = $1; print }' "$1"
}

# build_preset PRESET [TARGET]
build_preset() {
  local dir=build/$1 target=("${@:2}")
  step "building ${target[*]:-everything} in $dir"
  NINJA_STATUS='[%f/%t] ' cmake --build "$dir" -j "$(nproc)" ${target:+--target "${target[@]}"} \
    2>&1 | tee "$dir/build.log" | bar build || {
    sed -n '/^FAILED:/,$p' "$dir/build.log" | head -n 40 >&2
    die "the build failed (see $dir/build.log)"
  }
}

# test_preset PRESET [CTEST ARGUMENTS…]: ends with ctest's own summary.
test_preset() {
  local dir=build/$1 failed=0
  shift
  step "testing $dir"
  ctest --test-dir "$dir" -j "$(nproc)" --no-tests=error --output-on-failure "$@" \
    2>&1 | tee "$dir/test.log" | bar tests || failed=1
  if [[ $failed -ne 0 ]]; then
    sed -nE '/\*\*\*(Failed|Timeout|Exception|Not Run)/,/^ *Start /p' "$dir/test.log" |
      head -n 60 >&2
    sed -n '/^The following tests FAILED/,$p' "$dir/test.log" >&2
  fi
  sed -nE 's/^\s+[0-9]+ - (.*) \(Skipped\)$/skipped: \1/p' "$dir/test.log"
  grep -E '^[0-9]+% tests passed|^No tests' "$dir/test.log" || true
  return $failed
}
