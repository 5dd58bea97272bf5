#!/usr/bin/env bash
# Instructions per call of each kernel of benches/kernels: a figure that noise does not move.
# Needs valgrind. Usage: bench/callgrind.sh [part of a kernel's name]
set -euo pipefail
cd "$(dirname "$0")/.."

# Each kernel runs this often, and then twice as often: the difference is without start and end.
# A whole number of groups of 60 frames, so that both have keyframes in proportion.
TIMES=240

program=$(cargo bench --quiet -p bench --bench instructions --no-run --message-format json |
    sed -n 's/.*"executable":"\([^"]*instructions[^"]*\)".*/\1/p')

instructions() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

"$program" | grep -F -- "${1:-}" | while read -r kernel; do
    once=$(instructions "$kernel" "$TIMES")
    twice=$(instructions "$kernel" $((2 * TIMES)))
    printf '%-28s %10d instructions\n' "$kernel" $(((twice - once) / TIMES))
done
