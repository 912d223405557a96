"""Holds ganinfer against ONNX Runtime and onnx.checker on exported generators.

usage: roundtrip.py GANINFER MODEL.onnx...

Prints, for each model and batch size, the largest difference as a share of the
value range; exits with 1 if one is above 1e-5, the bound of the file format.
"""
import json
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

BATCHES, BOUND = (1, 2, 17, 256), 1e-5


def main():
    ganinfer, worst = sys.argv[1], 0.0
    for path in sys.argv[2:]:
        onnx.checker.check_model(path, full_check=True)
        meta = {p.key: p.value for p in onnx.load(path).metadata_props}
        lo, hi = json.loads(meta["gantry.range"])
        latent = json.loads(meta["gantry.latent"])
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (x,), (y,) = session.get_inputs(), session.get_outputs()
        assert x.shape[0] == y.shape[0] == "N", (x.shape, y.shape)
        for n in BATCHES:
            r = np.random.default_rng(n)
            shape = (n, latent["size"])
            z = r.uniform(*latent["bounds"], shape) if latent["distribution"] == "uniform" else r.standard_normal(shape)
            z = z.astype(np.float32)
            (want,) = session.run(None, {x.name: z})
            with tempfile.TemporaryDirectory() as d:
                np.save(f"{d}/z.npy", z)
                subprocess.run([ganinfer, "run", "--model", path, "--input", f"{x.name}={d}/z.npy", "--output", f"{y.name}={d}/out.npy"], check=True)
                got = np.load(f"{d}/out.npy")
            assert got.shape == want.shape, (got.shape, want.shape)
            share = float(np.abs(got.astype(np.float64) - want).max()) / (hi - lo)
            worst = max(worst, share)
            print(f"{path}: batch {n}: {share:.2g} of the range")
    if not worst <= BOUND:
        sys.exit(f"roundtrip: largest difference is {worst:.3g} of the range, want at most {BOUND:g}")


if __name__ == "__main__":
    main()
