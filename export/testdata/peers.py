"""Checks exported generators with onnx and ONNX Runtime.

usage: peers.py DIR...

Each DIR holds model.onnx and, for some batch sizes n, raw float32 files z-n,
graph-n and infer-n: latents, and what the sampling graph and infer made of them.
Prints one JSON object per DIR: the largest differences from ONNX Runtime.
"""
import glob
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime


def main():
    for folder in sys.argv[1:]:
        path = os.path.join(folder, "model.onnx")
        model = onnx.load(path)
        onnx.checker.check_model(path, full_check=True)
        onnx.checker.check_model(model, full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        (x,), (y,) = session.get_inputs(), session.get_outputs()
        result = {
            "opset": [[o.domain, o.version] for o in model.opset_import],
            "ir": model.ir_version,
            "input": [x.name, x.type, x.shape],
            "output": [y.name, y.type, y.shape],
            "ops": [n.op_type for n in model.graph.node],
            "metadata": sorted(p.key for p in model.metadata_props),
            "batches": {},
        }
        for z_path in glob.glob(os.path.join(folder, "z-*")):
            n = int(z_path.rsplit("-", 1)[1])
            z = np.fromfile(z_path, "<f4").reshape(n, -1)
            (got,) = session.run(None, {x.name: z})
            assert list(got.shape) == [n] + y.shape[1:], got.shape
            diffs = {}
            for who in ("graph", "infer"):
                want = np.fromfile(os.path.join(folder, f"{who}-{n}"), "<f4").reshape(got.shape)
                diffs[who] = float(np.abs(got - want).max())
            result["batches"][str(n)] = diffs
        print(json.dumps(result))


if __name__ == "__main__":
    main()
