#!/usr/bin/env bash
# The crash campaign: every rung, then its figures.
#
#   ci/crash.sh          the whole of it, at most an hour on 2 cores; `make crash`
#   ci/crash.sh slice    a few minutes of it with fixed seeds; a part of `make test`
#   SOAK=1 ci/crash.sh   round after round with new seeds until it is stopped (Ctrl-C), then the sum
#
# WAL_CRASH_SEED sets the seed of the first round (of the clock unless set), RUNGS="kills disks" what
# is run, RESULTS where the log and the README of the results go (target/crash unless set).
set -euo pipefail
source "$(dirname "$0")/steps.sh"

scope=${1:-full}
# Seconds for each rung that goes on for as long as it is given; the others end by themselves. In the
# order in which the forms of the engine are built that they run on.
rungs=(
  "exhaustive 640"
  "random 500"
  "faults 300"
  "kills 260"
  "disks 350"
  "machines 80"
  "damage 0"
  "hostile 100"
  "environment 0"
  "schedules 180"
  "loom 40"
  "sanitizers 0"
  "planted 0"
)
# A round of a soak is short, so that each rung has its turn often.
soak_share=4

results=${RESULTS:-$(target_dir)/crash}
mkdir -p "$results"
tally=$results/tally
: >"$tally"
seed=${WAL_CRASH_SEED:-$(date +%s)}
started=$(date -u '+%Y-%m-%d %H:%M:%S UTC')
begun_at=$SECONDS
round=1
wanted() { [ -z "${RUNGS:-}" ] || [[ " $RUNGS " == *" $1 "* ]]; }

# The sum of a figure over all lines, or over those of one rung.
figure() {
  awk -v figure="$1" -v rung="${2:-}" '
    rung == "" || index($0, rung ": ") == 1 {
      sub(/^[^:]*: /, "")
      count = split($0, parts, ", ")
      for (at = 1; at <= count; at++) {
        cut = match(parts[at], / [0-9]+$/)
        if (cut && substr(parts[at], 1, cut - 1) == figure) sum += substr(parts[at], cut + 1)
      }
    }
    END { printf "%d", sum }' "$tally"
}

# One line for each rung: the sums of its figures over all rounds.
lines() {
  awk '
    {
      rung = $0
      sub(/: .*/, "", rung)
      if (!(rung in parts)) order[++rungs] = rung
      sub(/^[^:]*: /, "")
      count = split($0, parts_of_line, ", ")
      for (at = 1; at <= count; at++) {
        part = parts_of_line[at]
        if (match(part, / [0-9]+$/)) {
          name = substr(part, 1, RSTART - 1)
          if (!((rung, name) in sum)) parts[rung] = parts[rung] name "\n"
          sum[rung, name] += substr(part, RSTART + 1)
        } else if (match(part, /^[0-9.]+ s$/)) {
          seconds[rung] += part
        }
      }
    }
    END {
      for (number = 1; number <= rungs; number++) {
        rung = order[number]
        line = rung ": "
        count = split(parts[rung], names, "\n") - 1
        for (at = 1; at <= count; at++) line = line names[at] " " sum[rung, names[at]] ", "
        printf "%s%.0f s\n", line, seconds[rung]
      }
    }' "$tally"
}

# The rungs that ended badly without having counted a violation: a build, a panic, a time limit.
broken() {
  local count
  count=$(grep -c '^FAILED.*crash: ' "$STEPS_DIR/steps" || true)
  [ "$(figure violations)" -eq 0 ] || count=0
  printf '%s' "$count"
}

last_line() {
  printf 'crash states %s, kills %s, faults %s, violations %s, planted bugs caught %s of %s\n' \
    "$(figure states)" "$(figure kills)" "$(figure faults)" \
    "$(($(figure violations) + $(broken)))" \
    "$(figure 'planted bugs caught')" "$(figure 'planted bugs')"
}

# What was not done, or ended badly.
loudly() {
  awk -F '\t' '$1 != "passed" && $3 ~ /^crash: / { print $1 ": " substr($3, 8) }' "$STEPS_DIR/steps"
}

# What was run, where, for how long, and what came of it.
readme() {
  echo "# Results of the crash campaign"
  echo
  echo "Begun $started, $((SECONDS - begun_at)) s, $round round(s), first seed $seed."
  echo "Commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(rustc --version)."
  echo "$(uname -sr) on $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)."
  echo
  printf 'Each line is a rung with the sums of its rounds; docs/TESTING.md says what each does.\n'
  echo
  echo '```'
  lines
  loudly
  last_line
  echo '```'
}

report() {
  readme >"$results/README.md"
  printf '\nThe rungs (%s s in all, %s):\n' "$((SECONDS - begun_at))" "$results/README.md"
  lines | sed 's/^/  /'
  loudly | sed 's/^/  /'
  last_line
  [ "$(($(figure violations) + $(broken)))" -eq 0 ]
}

rung() {
  local name=$1 seconds=$2
  [ -z "${SOAK:-}" ] || seconds=$((seconds / soak_share))
  export WAL_CRASH_TALLY=$tally WAL_CRASH_SECONDS=$seconds
  export WAL_CRASH_SEED=$((seed + round - 1))
  # A rung says what it could not do in a line of its own; it is repeated at the end.
  step "crash: $name" bash -c '
    set -o pipefail
    "ci/crash/$1.sh" "$2" 2>&1 | tee "$STEPS_DIR/output"' rung "$name" "$scope"
  sed -n 's/.*NOT RUN: //p' "$STEPS_DIR/output" | sort -u | while read -r line; do
    printf 'not run\t0\tcrash: %s: %s\n' "$name" "$line" >>"$STEPS_DIR/steps"
  done
}

# The forms of the engine that the rungs run on, ahead of them. The first rungs of a slice use one
# processor: the forms of the later ones are built beside them, and noted in a directory that build.sh
# looks into. A build that fails is told by the rung that needs it, which builds again.
builds() {
  if [ "$scope" != slice ]; then
    step "crash: build" ci/crash/build.sh simulate plain shuttle loom
    return
  fi
  local ahead=$STEPS_DIR/ahead form
  mkdir -p "$ahead"
  step "crash: build" bash -c 'ci/crash/build.sh simulate && touch "$1"' build "$ahead/simulate"
  for form in plain shuttle loom; do
    ci/crash/build.sh "$form" && touch "$ahead/$form"
  done >"$STEPS_DIR/builds" 2>&1 &
  echo $! >"$ahead/pid"
  export WAL_CRASH_AHEAD=$ahead
}

one_round() {
  local entry
  for entry in "${rungs[@]}"; do
    if wanted "${entry%% *}"; then
      rung "${entry%% *}" "${entry##* }"
    fi
  done
}

ci/setup.sh crash
[ -n "${RUNGS:-}" ] || builds
if [ -n "${SOAK:-}" ]; then
  trap 'trap - INT TERM; report; exit' INT TERM
  while true; do
    one_round
    report || exit 1
    round=$((round + 1))
  done
fi
one_round
wait
[ ! -s "$STEPS_DIR/builds" ] || cat "$STEPS_DIR/builds"
report
