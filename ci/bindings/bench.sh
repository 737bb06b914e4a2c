#!/usr/bin/env bash
# Measures the package of each language beside what its users would otherwise take: run it on a quiet
# machine. The figures go to <target directory>/bindings/.
set -euo pipefail
source "$(dirname "$0")/../steps.sh"

for language in python java node php; do
  steps_of "ci/bindings/$language.sh" bench
done
finish
