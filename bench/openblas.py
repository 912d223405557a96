"""OpenBLAS's float32 matrix product, as numpy calls it: the fastest of many calls.
openblas.py [threads=1,2] [seconds=1] [MxNxK ...]   (defaults 1024x1024x1024 2048x2048x2048 128x1024x784)
One line for each product and number of threads:  MxNxK/threads=T GFLOP/s"""
import os, subprocess, sys, time
threads, seconds = (sys.argv[1:] + ['1,2'])[0].split(','), float((sys.argv[2:] + ['1'])[0])
shapes = sys.argv[3:] or ['1024x1024x1024', '2048x2048x2048', '128x1024x784']

if os.environ.get('OPENBLAS_NUM_THREADS') != ','.join(threads):  # OpenBLAS reads it once, when it is loaded
    for t in threads:
        subprocess.run([sys.executable, __file__, t, str(seconds), *shapes], check=True, env=os.environ | {'OPENBLAS_NUM_THREADS': t})
    sys.exit()

import numpy as np
blas = np.show_config(mode='dicts')['Build Dependencies']['blas']
if 'openblas' not in blas['name'].lower(): sys.exit(f"openblas: numpy uses {blas['name']}, want OpenBLAS; python -m pip install numpy brings it")
print(f"numpy {np.__version__}, OpenBLAS {blas['version']}", file=sys.stderr)
for shape in shapes:
    m, n, k = map(int, shape.split('x'))
    r = np.random.default_rng(0)
    a, b, c = r.random((m, k), np.float32) - .5, r.random((k, n), np.float32) - .5, np.empty((m, n), np.float32)
    best, calls, end = 1e9, 0, time.perf_counter() + seconds
    while calls < 5 or time.perf_counter() < end:
        t = time.perf_counter(); np.matmul(a, b, out=c); best = min(best, time.perf_counter() - t); calls += 1
    print(f'{shape}/threads={threads[0]} {2 * m * n * k / best / 1e9:.1f}', flush=True)
