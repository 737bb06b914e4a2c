# To be sourced: runs steps one after the other, times them and counts them.
#
# A script that is called by another one adds its steps to the caller's; only the outermost prints
# the summary, whose last line is "N passed, N failed".

# The checkout, wherever the script was called from.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Everything temporary lies below one directory that goes when the outermost script ends.
if [ -z "${STEPS_DIR:-}" ]; then
  STEPS_DIR=$(mktemp -d)
  export STEPS_DIR
  STEPS_OWNER=$$
  touch "$STEPS_DIR/steps"
  trap 'rm -rf "$STEPS_DIR"' EXIT
fi

# step NAME COMMAND...: runs the command; a failure is remembered and the next step is taken.
step() {
  local name=$1 start=$SECONDS code=0
  shift
  printf '\n== %s\n' "$name"
  # Not as a condition: bash would ignore `set -e` inside a function that is one.
  set +e
  (set -e; "$@")
  code=$?
  set -e
  local word=passed
  [ "$code" -eq 0 ] || word=FAILED
  printf '== %s: %s, %s s\n' "$name" "$word" "$((SECONDS - start))"
  printf '%s\t%s\t%s\n' "$word" "$((SECONDS - start))" "$name" >>"$STEPS_DIR/steps"
}

# skip NAME WHY: says that a step could not be taken here. Never silent: it is in the summary.
skip() {
  printf '\n== %s: NOT RUN: %s\n' "$1" "$2"
  printf 'not run\t0\t%s (%s)\n' "$1" "$2" >>"$STEPS_DIR/steps"
}

# steps_of SCRIPT: the steps of another script, as if they stood here.
steps_of() {
  "$@" && return
  # A script also ends in failure because of a step that failed before it began.
  [ "$(failed_count)" -gt 0 ] || printf 'FAILED\t0\t%s\n' "$*" >>"$STEPS_DIR/steps"
}

failed_count() {
  grep -c '^FAILED' "$STEPS_DIR/steps" || true
}

# Whether a command is installed.
has() {
  command -v "$1" >/dev/null 2>&1
}

# Where cargo puts what it builds. Without cargo (an installation by root) the usual place.
target_dir() {
  if has cargo; then
    cargo metadata --format-version 1 --no-deps --locked 2>/dev/null |
      sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
  else
    printf '%s\n' "${CARGO_TARGET_DIR:-$PWD/target}"
  fi
}

# finish: the summary, and the script's exit code.
finish() {
  local failed
  failed=$(failed_count)
  if [ "${STEPS_OWNER:-}" = "$$" ]; then
    printf '\nWhat ran:\n'
    while IFS=$'\t' read -r word seconds name; do
      printf '  %-8s %4s s  %s\n' "$word" "$seconds" "$name"
    done <"$STEPS_DIR/steps"
    printf '\n%s passed, %s failed\n' "$(grep -c '^passed' "$STEPS_DIR/steps" || true)" "$failed"
  fi
  [ "$failed" -eq 0 ]
}
