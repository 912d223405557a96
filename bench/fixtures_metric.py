"""The side of numpy, scipy and prdc of the comparison in train/metric/peers_test.go: the same metrics of the same vectors.

    fixtures_metric.py DIR

DIR holds job.json, a list of {metric, dim, sets, ...}: sets names files of vectors of dim float32 each. The script writes
results.json, a list of what each metric is, by name.

The test runs it where GANTRY_PYTHON names a python that has scipy and prdc; with UPDATE_GOLDEN=1 it also renews
train/metric/testdata."""
import contextlib, io, json, os, sys
import numpy as np, scipy.linalg, scipy.special, prdc

dir = sys.argv[1]

def log_likelihood(x, samples, sigma):
    out = []
    for v in x:
        e = -((samples - v)**2).sum(1) / (2 * sigma**2)
        out.append(scipy.special.logsumexp(e) - np.log(len(samples)) - samples.shape[1] * np.log(sigma * np.sqrt(2 * np.pi)))
    return np.array(out)

def parzen(job, samples, validation, test):
    sigmas = np.logspace(-1, 0, 10)
    means = [log_likelihood(validation, samples, s).mean() for s in sigmas]
    best = int(np.argmax(means))
    ll = log_likelihood(test, samples, sigmas[best])
    return dict(sigma=sigmas[best], validation=means[best], test=ll.mean(), test_std_err=ll.std() / np.sqrt(len(ll)))

def frechet(job, a, b):
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(ca @ cb)
    return dict(frechet=((a.mean(0) - b.mean(0))**2).sum() + np.trace(ca) + np.trace(cb) - 2 * np.trace(root.real))

def kid(job, x, y):
    def kernel(a, b): return (a @ b.T / a.shape[1] + 1)**3
    def discrepancy(x, y):
        m = len(x)
        xx, yy = kernel(x, x), kernel(y, y)
        return (xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)) / (m * (m - 1)) - 2 * kernel(x, y).mean()
    values = [discrepancy(x[i], y[j]) for i, j in job['subsets']]
    return dict(kid=np.mean(values), std=np.std(values))

def neighbours(job, real, fake):
    with contextlib.redirect_stdout(io.StringIO()): return prdc.compute_prdc(real, fake, job['k'])

results = []
for job in json.load(open(os.path.join(dir, 'job.json'))):
    sets = [np.fromfile(os.path.join(dir, s), '<f4').reshape(-1, job['dim']).astype(np.float64) for s in job['sets']]
    r = dict(parzen=parzen, frechet=frechet, kid=kid, prdc=neighbours)[job['metric']](job, *sets)
    results.append({k: float(v) for k, v in r.items()})
json.dump(results, open(os.path.join(dir, 'results.json'), 'w'))
