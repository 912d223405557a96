"""PyTorch's side of the comparison in train/torch_test.go: the same training from the same weights, latents and images.

    fixtures_torch.py DIR

DIR holds job.json {spec, recipe, steps} and, as little-endian float32: start.bin (the parameters of G and of D, in the order
of their layers, running statistics included), latents.bin [steps batch size] and reals.bin [steps batch C H W]. The script
writes losses.bin [steps 2] (L_D and L_G of each step) and end.bin: the parameters again, then for each trainable one of G and
of D Adam's exp_avg and exp_avg_sq, and what G in sampling mode (eval) makes of the first batch of latents.

The test runs it where GANTRY_PYTHON names a python that has torch; with UPDATE_GOLDEN=1 it also renews train/testdata."""
import json, os, sys
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F

dir = sys.argv[1]
job = json.load(open(os.path.join(dir, 'job.json')))
spec, recipe = job['spec'], job['recipe']
solver, batch = recipe['solver'], recipe['batch']
for key, want in dict(update='alternating', k=1, g_latents='same', g_loss='non_saturating').items():
    if recipe[key] != want: sys.exit('fixtures_torch: %s is %r, want %r' % (key, recipe[key], want))
if solver['type'] != 'adam': sys.exit('fixtures_torch: want the solver adam')
torch.set_num_threads(1)

def load(name): return np.fromfile(os.path.join(dir, name), '<f4')

class Maxout(nn.Linear):
    def __init__(self, n, units, pieces):
        super().__init__(n, units * pieces)
        self.pieces = pieces
    def forward(self, x): return super().forward(x).unflatten(1, (-1, self.pieces)).amax(2)

def net(layers, shape):
    seq, x = [], torch.zeros(1, *shape)
    for l in layers:
        t, n = l['type'], x.shape[1]
        def conv(kind, **more): return kind(n, l['channels'], l['kernel'], l['stride'], l.get('pad', 0), bias=l['bias'], **more)
        if t == 'linear': m = nn.Linear(n, l['units'])
        elif t == 'maxout': m = Maxout(n, l['units'], l['pieces'])
        elif t == 'conv': m = conv(nn.Conv2d)
        elif t == 'conv_transpose': m = conv(nn.ConvTranspose2d, output_padding=l.get('output_pad', 0))
        elif t == 'batch_norm': m = (nn.BatchNorm2d if x.dim() == 4 else nn.BatchNorm1d)(n, l['eps'], l['momentum'])
        elif t == 'relu': m = nn.ReLU()
        elif t == 'leaky_relu': m = nn.LeakyReLU(l['alpha'])
        elif t == 'tanh': m = nn.Tanh()
        elif t == 'sigmoid': m = nn.Sigmoid()
        elif t == 'upsample': m = nn.Upsample(scale_factor=l['factor'])
        elif t == 'global_avg_pool': m = nn.AdaptiveAvgPool2d(1)
        elif t == 'reshape': m = nn.Unflatten(1, l['shape'])
        elif t == 'flatten': m = nn.Flatten()
        else: sys.exit('fixtures_torch: no layer ' + t)
        with torch.no_grad(): x = m.eval()(x)
        seq.append(m.train())
    return nn.Sequential(*seq)

G = net(spec['generator'], [spec['inputs'][0]['size']])
D = net(spec['discriminator'], spec['sample']['shape'])
tensors = [t for m in (G, D) for k, t in m.state_dict().items() if not k.endswith('num_batches_tracked')]
start, at = load('start.bin'), 0
for t in tensors:
    t.copy_(torch.from_numpy(start[at:at + t.numel()]).view_as(t)); at += t.numel()
assert at == len(start), 'start.bin has %d elements, want %d' % (len(start), at)

def adam(m, lr): return torch.optim.Adam(m.parameters(), lr, (solver['beta1'], solver['beta2']), solver['eps'])
oG, oD = adam(G, solver['g_lr']), adam(D, solver['d_lr'])
zs = torch.from_numpy(load('latents.bin')).view(job['steps'], batch, -1)
xs = torch.from_numpy(load('reals.bin')).view(job['steps'], batch, *spec['sample']['shape'])
one, zero = torch.ones(batch, 1), torch.zeros(batch, 1)
losses = []
for z, x in zip(zs, xs):
    f = G(z)
    oD.zero_grad()
    a = recipe['d_loss_scale'] * F.binary_cross_entropy_with_logits(D(x), one)
    b = recipe['d_loss_scale'] * F.binary_cross_entropy_with_logits(D(f.detach()), zero)
    a.backward(); b.backward(); oD.step()
    oG.zero_grad()
    c = recipe['g_loss_scale'] * F.binary_cross_entropy_with_logits(D(f), one)
    c.backward(); oG.step()
    losses += [(a + b).item(), c.item()]

end = tensors + [o.state[p][k] for m, o in ((G, oG), (D, oD)) for p in m.parameters() for k in ('exp_avg', 'exp_avg_sq')] + [G.eval()(zs[0])]
np.array(losses, '<f4').tofile(os.path.join(dir, 'losses.bin'))
np.concatenate([t.detach().numpy().ravel() for t in end]).astype('<f4').tofile(os.path.join(dir, 'end.bin'))
