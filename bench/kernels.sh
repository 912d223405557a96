#!/usr/bin/env bash
# Matrix products (float32, 1 and 2 threads), OpenBLAS and Gantry in turn.
#   kernels.sh [rounds=3] [tier=avx512|avx2]
# Prints a table of GFLOP/s: the median and the best of the rounds, in each of which the
# fastest of many calls counts, and the ratio of the medians. GANTRY_PYTHON names a Python with numpy.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-3} tier=${2:-$(grep -qw avx512dq /proc/cpuinfo && echo avx512 || echo avx2)}
python=${GANTRY_PYTHON:-$(bench/setup.sh)}
read -r load _ </proc/loadavg
[[ $load == 0.[0-4]* ]] || echo "kernels.sh: the load average is $load: other programs will spoil the times on 2 threads" >&2
declare -A peer ours
names=()
for ((i = 1; i <= rounds; i++)); do
	while read -r name rate; do
		[[ -n ${peer[$name]:-} ]] || names+=("$name")
		peer[$name]+="$rate "
	done < <("$python" bench/openblas.py 1,2)
	while read -r name rate; do
		ours[$name]+="$rate "
	done < <(go test -run '^$' -bench "GemmPeers/$tier/" -benchtime 1s ./internal/kernel |
		awk '/^BenchmarkGemmPeers/ { sub(/^[^\/]*\/[^\/]*\//, "", $1); sub(/-[0-9]+$/, "", $1); for (i = 3; i < NF; i += 2) if ($(i+1) == "GFLOP/s") print $1, $i }')
done
printf '| product | threads | OpenBLAS: median (best) | Gantry: median (best) | ratio |\n|---|---|---|---|---|\n'
sorted() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -g; }
median() { sorted "$1" | sed -n "$(((rounds + 1) / 2))p"; }
for name in "${names[@]}"; do
	awk -v name="${name%/*}" -v threads="${name#*=}" -v p="$(median "${peer[$name]}")" -v pb="$(sorted "${peer[$name]}" | tail -1)" \
		-v g="$(median "${ours[$name]}")" -v gb="$(sorted "${ours[$name]}" | tail -1)" \
		'BEGIN { printf "| %s | %s | %.0f (%.0f) | %.0f (%.0f) | %.2f |\n", name, threads, p, pb, g, gb, g / p }'
done
