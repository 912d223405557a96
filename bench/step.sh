#!/usr/bin/env bash
# One training step (batch 128, 2 threads), PyTorch and Gantry in turn.
#   step.sh [mlp28] [rounds=3]
# Prints a line for each measurement and the ratio of the medians.
set -euo pipefail
cd "$(dirname "$0")/.."
net=${1:-mlp28} rounds=${2:-3}
python=$(bench/setup.sh)
torch=() gantry=()
for ((i = 1; i <= rounds; i++)); do
	torch+=("$("$python" bench/train_torch.py "$net" 2 10 | "$python" -c 'import json,sys; print(json.load(sys.stdin)["seconds"] * 1e3)')")
	gantry+=("$(go test -run '^$' -bench "BenchmarkStep/$net\$" -benchtime 3s ./train | awk '/^BenchmarkStep/ {print $3 / 1e6; exit}')")
	printf 'round %d: PyTorch %.1f ms, Gantry %.1f ms\n' "$i" "${torch[-1]}" "${gantry[-1]}"
done
median() { printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"; }
awk -v t="$(median "${torch[@]}")" -v g="$(median "${gantry[@]}")" -v n="$net" \
	'BEGIN { printf "%s: PyTorch %.1f ms, Gantry %.1f ms, PyTorch/Gantry %.2f\n", n, t, g, t / g }'
