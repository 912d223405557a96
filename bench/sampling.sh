#!/usr/bin/env bash
# One generator in Gantry, ONNX Runtime and OpenVINO, in turn: 1 and 64 images, 1 and 2 threads.
#   sampling.sh MODEL.onnx [rounds=3]
# Prints a table of medians, in ms.
set -euo pipefail
model=$(realpath "$1") rounds=${2:-3}
cd "$(dirname "$0")/.."
python=$(bench/setup.sh)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/ganinfer" ./cmd/ganinfer
for ((i = 1; i <= rounds; i++)); do
	for threads in 1 2; do
		"$dir/ganinfer" bench --model "$model" --batch 1,64 --threads "$threads" --json
		"$python" bench/infer_peers.py "$model" 1,64 "$threads"
	done
	echo "round $i of $rounds" >&2
done >"$dir/lines"
"$python" - "$dir/lines" <<'EOF'
import collections, json, statistics, sys
times = collections.defaultdict(list)
for line in open(sys.argv[1]):
    r = json.loads(line)
    times[r['batch'], r['threads'], r.get('peer', 'gantry').split()[0]].append(r.get('ms', r.get('p50_ms')))
print('| | Gantry | ONNX Runtime | OpenVINO | ONNX Runtime / Gantry |\n|---|---|---|---|---|')
for batch in 64, 1:
    for threads in 2, 1:
        ms = [statistics.median(times[batch, threads, peer]) for peer in ('gantry', 'onnxruntime', 'openvino')]
        row = ['%.3g ms' % t for t in ms] + ['%.2f' % (ms[1] / ms[0])]
        print(f'| {batch} image{"s"[:batch > 1]}, {threads} thread{"s"[:threads > 1]} |', ' | '.join(row), '|')
EOF
