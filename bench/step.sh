#!/usr/bin/env bash
# One training step (batch 128, 2 threads), PyTorch and Gantry in turn.
#   step.sh [mlp28|dcgan28|dcgan64] [rounds=3]
# Prints a line for each measurement and the ratio of the medians. PyTorch's script keeps no moving average, so
# Gantry keeps none here.
set -euo pipefail
cd "$(dirname "$0")/.."
net=${1:-mlp28} rounds=${2:-3}
python=$(bench/setup.sh)
gantrain=$(mktemp -d)/gantrain
trap 'rm -rf "$(dirname "$gantrain")"' EXIT
go build -o "$gantrain" ./cmd/gantrain
preset=$(dirname "$gantrain")/$net.json
"$gantrain" presets "$net" | "$python" -c 'import json,sys; p = json.load(sys.stdin); p["recipe"].pop("ema", None); json.dump(p, sys.stdout)' >"$preset"
ms() { "$python" -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]] * 1e3)' "$1"; }
torch=() gantry=()
for ((i = 1; i <= rounds; i++)); do
	torch+=("$("$python" bench/train_torch.py "$net" 2 10 | ms seconds)")
	gantry+=("$("$gantrain" bench --preset "$preset" --batch 128 --threads 2 --seconds 10 --json | ms seconds_per_step)")
	printf 'round %d: PyTorch %.1f ms, Gantry %.1f ms\n' "$i" "${torch[-1]}" "${gantry[-1]}"
done
median() { printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"; }
awk -v t="$(median "${torch[@]}")" -v g="$(median "${gantry[@]}")" -v n="$net" \
	'BEGIN { printf "%s: PyTorch %.1f ms, Gantry %.1f ms, PyTorch/Gantry %.2f\n", n, t, g, t / g }'
