#!/usr/bin/env bash
# Installs the peers that Gantry is measured against into a virtual environment: PyTorch, ONNX Runtime, OpenVINO,
# ONNX (checker and node tests).  setup.sh [DIR]  (default ~/.cache/gantry-peers); prints the python to use.
# Where PyPI is out of reach: apt-get install python3-torch python3-onnx, and the npm package onnxruntime-node.
set -euo pipefail
dir=${1:-$HOME/.cache/gantry-peers}
if [[ ! -x $dir/bin/python ]]; then python3 -m venv "$dir"; fi
"$dir/bin/python" -m pip install -q --disable-pip-version-check -r "$(dirname "$0")/requirements.txt" openvino >&2   # large: some GB
cc -O2 -pthread "$(dirname "$0")/fma_peak.c" -o "$dir/bin/fma_peak"
cc -O2 "$(dirname "$0")/copy_bandwidth.c" -o "$dir/bin/copy_bandwidth"
cc -O2 -pthread -mamx-tile -mamx-bf16 "$(dirname "$0")/amx_peak.c" -o "$dir/bin/amx_peak" 2>/dev/null || true
echo "$dir/bin/python"
