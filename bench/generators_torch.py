"""Small generators as PyTorch users write them, exported by both of its exporters, with what PyTorch itself makes of them.

usage: generators_torch.py DIR

DIR/<name>/<exporter>-<opset>.onnx is a generator: by the TorchScript exporter at opsets 9 to 17, by the newest at its default,
18, and at the newest opset. DIR/<name>/<batch>/<value>.npy are its inputs, and outputs of PyTorch. The first dimension is symbolic, but in
"fused" generators, whose weights are in the batch: those are DIR/<name>/<batch>/<exporter>-<opset>.onnx. What cannot
be exported, beyond what FIRST and LAST say, is printed with the exporter's reason, and the script fails."""
import contextlib, io, logging, math, os, sys, warnings
import numpy as np, onnx, torch, torch.nn as nn, torch.nn.functional as F

BATCHES = 1, 3
SCRIPT, NEWEST = range(9, 18), 28

class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape
    def forward(self, x): return x.view(x.size(0), *self.shape)

class Residual(nn.Module):
    def __init__(self, *body):
        super().__init__()
        self.body = nn.Sequential(*body)
    def forward(self, x): return x + self.body(x)

def mlp():
    layers, n = [], 16
    for units in 32, 64:
        layers += [nn.Linear(n, units), nn.BatchNorm1d(units, 0.8), nn.LeakyReLU(0.2, inplace=True)]
        n = units
    return nn.Sequential(*layers, nn.Linear(n, 3 * 8 * 8), nn.Tanh(), Reshape(3, 8, 8))

def dcgan(nz=20, ngf=4):
    layers, n = [], nz
    for k, (stride, pad) in zip((8, 4, 2, 1), [(1, 0)] + 3 * [(2, 1)]):
        layers += [nn.ConvTranspose2d(n, ngf * k, 4, stride, pad, bias=False), nn.BatchNorm2d(ngf * k), nn.ReLU(True)]
        n = ngf * k
    return nn.Sequential(*layers, nn.ConvTranspose2d(n, 3, 4, 2, 1, bias=False), nn.Tanh())

class ConditionalNorm(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.norm, self.embed = nn.BatchNorm2d(channels, affine=False), nn.Embedding(classes, 2 * channels)
    def forward(self, x, label):
        gamma, beta = self.embed(label).chunk(2, 1)
        return self.norm(x) * gamma.view(-1, x.size(1), 1, 1) + beta.view(-1, x.size(1), 1, 1)

class ConditionalBlock(nn.Module):
    def __init__(self, n, m, classes, mode):
        super().__init__()
        self.n1, self.n2 = ConditionalNorm(n, classes), ConditionalNorm(m, classes)
        self.c1, self.c2, self.skip = nn.Conv2d(n, m, 3, 1, 1), nn.Conv2d(m, m, 3, 1, 1), nn.Conv2d(n, m, 1)
        self.up = nn.Upsample(scale_factor=2, mode=mode, **({} if mode == 'nearest' else {'align_corners': False}))
    def forward(self, x, label):
        h = self.c1(self.up(F.relu(self.n1(x, label))))
        return self.c2(F.relu(self.n2(h, label))) + self.skip(self.up(x))

class ResNet(nn.Module):
    def __init__(self, mode):
        super().__init__()
        self.fc = nn.Linear(16, 12 * 4 * 4)
        self.b1, self.b2 = ConditionalBlock(12, 8, 10, mode), ConditionalBlock(8, 6, 10, mode)
        self.out = nn.Sequential(nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 3, 3, 1, 1), nn.Tanh())
    def forward(self, z, label):
        return self.out(self.b2(self.b1(self.fc(z).view(z.size(0), 12, 4, 4), label), label))

class SelfAttention(nn.Module):
    def __init__(self, n):
        super().__init__()
        conv = lambda a, b: nn.utils.spectral_norm(nn.Conv2d(a, b, 1, bias=False))
        self.theta, self.phi, self.g, self.o = conv(n, n // 8), conv(n, n // 8), conv(n, n // 2), conv(n // 2, n)
        self.gamma = nn.Parameter(torch.tensor(0.7))
    def forward(self, x):
        n, c, h, w = x.shape
        theta, phi, g = self.theta(x), F.max_pool2d(self.phi(x), 2), F.max_pool2d(self.g(x), 2)
        theta, phi, g = theta.view(-1, c // 8, h * w), phi.view(-1, c // 8, h * w // 4), g.view(-1, c // 2, h * w // 4)
        beta = F.softmax(torch.bmm(theta.transpose(1, 2), phi), -1)
        return self.gamma * self.o(torch.bmm(g, beta.transpose(1, 2)).view(-1, c // 2, h, w)) + x

def sagan():
    up = lambda a, b: [nn.utils.spectral_norm(nn.ConvTranspose2d(a, b, 4, 2, 1)), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(nn.Linear(16, 32 * 4 * 4), Reshape(32, 4, 4), *up(32, 16), SelfAttention(16), *up(16, 8), nn.Conv2d(8, 3, 3, 1, 1), nn.Tanh())

def pixel_norm(x): return x * torch.rsqrt(torch.mean(x ** 2, dim=1, keepdim=True) + 1e-8)

class Mapping(nn.Module):
    def __init__(self, n, layers=3):
        super().__init__()
        self.net = nn.Sequential(*[m for _ in range(layers) for m in (nn.Linear(n, n), nn.LeakyReLU(0.2))])
        self.register_buffer('average', torch.randn(n) / 4)
    def forward(self, z, psi=0.7): return self.average + psi * (self.net(pixel_norm(z)) - self.average)

def statistics_norm(x):
    flat = x.view(*x.size()[:2], -1)
    mean, std = flat.mean(dim=2), (flat.var(dim=2) + 1e-5).sqrt()
    return (x - mean.view(*mean.size(), 1, 1)) / std.view(*std.size(), 1, 1)

class AdaIN(nn.Module):
    def __init__(self, channels, style, norm):
        super().__init__()
        self.norm, self.style = norm, nn.Linear(style, 2 * channels)
    def forward(self, x, w):
        s, b = self.style(w).unsqueeze(2).unsqueeze(3).chunk(2, dim=1)
        return (1 + s) * self.norm(x) + b

class StyleGAN(nn.Module):
    """Two inputs of noise; one more, drawn, whose strength is 0 as before training."""
    def __init__(self):
        super().__init__()
        self.mapping, self.constant = Mapping(16), nn.Parameter(torch.randn(1, 8, 4, 4))
        self.convs = nn.ModuleList([nn.Conv2d(8, 8, 3, 1, 1) for _ in range(3)])
        self.norms = nn.ModuleList([AdaIN(8, 16, n) for n in (nn.InstanceNorm2d(8), statistics_norm, statistics_norm)])
        self.strength, self.untrained = nn.Parameter(torch.randn(1, 8, 1, 1)), nn.Parameter(torch.zeros(1, 8, 1, 1))
        self.rgb = nn.Conv2d(8, 3, 1)
    def forward(self, z, noise4, noise8):
        w = self.mapping(z)
        x = self.constant.expand(z.shape[0], -1, -1, -1)
        for conv, norm, noise in zip(self.convs, self.norms, (noise4, noise8, None)):
            if noise is noise8: x = F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False)
            x = conv(x) + (self.untrained * torch.randn_like(x) if noise is None else self.strength * noise)
            x = norm(F.leaky_relu(x, 0.2), w)
        return self.rgb(x)

def upfirdn2d(x, f, up=1, down=1, pad=(0, 0, 0, 0), gain=1):
    n, c, h, w = x.shape[0], *map(int, x.shape[1:])  # the TorchScript exporter wants sizes of filters and images fixed
    x = F.pad(x.reshape(n, c, h, 1, w, 1), [0, up - 1, 0, 0, 0, up - 1]).reshape(n, c, h * up, w * up)
    x = F.pad(x, [max(p, 0) for p in pad])
    x = x[:, :, max(-pad[2], 0): int(x.shape[2]) - max(-pad[3], 0), max(-pad[0], 0): int(x.shape[3]) - max(-pad[1], 0)]
    f = (f * gain).to(x.dtype)[None, None].repeat(c, 1, 1, 1)
    return F.conv2d(x, f, groups=c)[:, :, ::down, ::down]

class ModulatedConv(nn.Module):
    def __init__(self, n, m, style, size, up=1, demodulate=True, fused=False):
        super().__init__()
        self.affine, self.weight = nn.Linear(style, n), nn.Parameter(torch.randn(m, n, size, size))
        self.bias, self.up, self.demodulate, self.fused = nn.Parameter(torch.randn(m)), up, demodulate, fused
        nn.init.ones_(self.affine.bias)
        f = torch.tensor([1., 3., 3., 1.])
        self.register_buffer('filter', f.outer(f) / f.sum() ** 2)
    def forward(self, x, w, noise=None):
        n, (m, c, size, _) = int(x.shape[0]) if self.fused else x.shape[0], self.weight.shape
        s = self.affine(w) / math.sqrt(c * size * size)
        weight = self.weight[None] * s.reshape(n, 1, -1, 1, 1)
        d = (weight.square().sum(dim=[2, 3, 4]) + 1e-8).rsqrt() if self.demodulate else None
        if self.fused:
            if d is not None: weight = weight * d.reshape(n, -1, 1, 1, 1)
            x, groups = x.reshape(1, -1, *x.shape[2:]), n
        else:
            x, weight, groups = x * s.reshape(n, -1, 1, 1), self.weight, 1
        if self.up > 1:
            if self.fused: weight = weight.transpose(1, 2).reshape(n * c, m, size, size)
            else: weight = weight.transpose(0, 1)
            x = F.conv_transpose2d(x, weight, stride=2, groups=groups)
            x = upfirdn2d(x, self.filter, pad=(1, 1, 1, 1), gain=4)
        else:
            x = F.conv2d(x, weight.reshape(n * m, c, size, size) if self.fused else weight, padding=size // 2, groups=groups)
        if self.fused: x = x.reshape(n, m, *x.shape[2:])
        elif d is not None: x = x * d.reshape(n, -1, 1, 1)
        if noise is not None: x = x + noise
        x = x + self.bias.reshape(1, -1, 1, 1)
        return (F.leaky_relu(x, 0.2) * math.sqrt(2)).clamp(-256, 256) if self.demodulate else x

class StyleGAN2(nn.Module):
    def __init__(self, fused):
        super().__init__()
        self.mapping, self.constant = Mapping(16), nn.Parameter(torch.randn(8, 4, 4))
        self.c1 = ModulatedConv(8, 8, 16, 3, fused=fused)
        self.c2, self.c3 = ModulatedConv(8, 6, 16, 3, up=2, fused=fused), ModulatedConv(6, 6, 16, 3, fused=fused)
        self.rgb1, self.rgb2 = (ModulatedConv(k, 3, 16, 1, demodulate=False, fused=fused) for k in (8, 6))
        self.register_buffer('noise', torch.randn(8, 8))
    def forward(self, z):
        w = self.mapping(z).unsqueeze(1).repeat([1, 5, 1])
        if not self.training: w = torch.cat([w[:, :3].lerp(torch.zeros_like(w[:, :3]), 0.1), w[:, 3:]], 1)
        x = self.constant.unsqueeze(0).repeat([z.shape[0], 1, 1, 1])
        x = self.c1(x, w[:, 0])
        image = upfirdn2d(self.rgb1(x, w[:, 1]), self.c1.filter, up=2, pad=(2, 1, 2, 1), gain=4)
        x = self.c3(self.c2(x, w[:, 2], self.noise * 0.3), w[:, 3])
        return image + self.rgb2(x, w[:, 4])

class ByEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 10)
        self.net = nn.Sequential(nn.Linear(26, 64), nn.LeakyReLU(0.2), nn.Dropout(0.4), nn.Linear(64, 64), nn.Tanh())
    def forward(self, z, label):
        x = self.net(torch.cat((self.embed(label), z), -1))
        return x.view(x.size(0), -1).view(x.size(0), *(1, 8, 8))

class ByOneHot(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = dcgan(30)
    def forward(self, z, label):
        return self.net(torch.cat([z, F.one_hot(label, 10).float()], 1)[:, :, None, None])

class Attention(nn.Module):
    def __init__(self, n, heads, fused):
        super().__init__()
        self.qkv, self.out, self.heads, self.fused = nn.Linear(n, 3 * n), nn.Linear(n, n), heads, fused
    def forward(self, x):
        b, t, n = x.shape
        q, k, v = self.qkv(x).reshape(b, t, 3, self.heads, n // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused: x = F.scaled_dot_product_attention(q, k, v)
        else: x = (q @ k.transpose(-2, -1) * (n // self.heads) ** -0.5).softmax(-1) @ v
        return self.out(x.transpose(1, 2).reshape(b, t, n))

class Transformer(nn.Module):
    def __init__(self, fused, n=16):
        super().__init__()
        self.fc, self.position = nn.Linear(16, 16 * n), nn.Parameter(torch.randn(1, 16, n))
        block = lambda k: nn.Sequential(Residual(nn.LayerNorm(k), Attention(k, 2, fused)),
            Residual(nn.LayerNorm(k), nn.Linear(k, 4 * k), nn.GELU(), nn.Linear(4 * k, k)))
        self.b1, self.b2, self.out = block(n), block(n // 4), nn.Conv2d(n // 4, 3, 1)
    def forward(self, z):
        x = self.b1(self.fc(z).view(z.shape[0], 16, -1) + self.position)
        b, t, c = x.size()
        x = F.pixel_shuffle(x.permute(0, 2, 1).view(b, c, 4, 4), 2)
        x = self.b2(x.view(b, c // 4, 64).permute(0, 2, 1))
        return torch.tanh(self.out(x.permute(0, 2, 1).view(-1, c // 4, 8, 8)))

def super_resolution():
    up = lambda: [nn.Conv2d(8, 32, 3, 1, 1), nn.PixelShuffle(2), nn.PReLU(8)]
    return nn.Sequential(nn.Conv2d(3, 8, 9, 1, 4), nn.PReLU(), Residual(nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.PReLU(), nn.Conv2d(8, 8, 3, 1, 1)),
                         *up(), *up(), nn.Conv2d(8, 3, 9, 1, 4), nn.Tanh())

def group_norm():
    block = lambda: Residual(nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv2d(8, 8, 3, 1, 1), nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 8, 3, 1, 1))
    return nn.Sequential(nn.Linear(16, 128), Reshape(8, 4, 4), block(), nn.Upsample(scale_factor=2), block(), nn.Conv2d(8, 3, 3, 1, 1))

def translation():
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, 6, 7), nn.InstanceNorm2d(6), nn.ReLU(True), nn.Conv2d(6, 12, 3, 2, 1), nn.InstanceNorm2d(12, affine=True), nn.ReLU(True)]
    layers += [Residual(nn.ReflectionPad2d(1), nn.Conv2d(12, 12, 3), nn.InstanceNorm2d(12), nn.ReLU(True), nn.Dropout(0.5), nn.ReplicationPad2d(1), nn.Conv2d(12, 12, 3), nn.InstanceNorm2d(12))]
    return nn.Sequential(*layers, nn.ConvTranspose2d(12, 6, 3, 2, 1, output_padding=1), nn.InstanceNorm2d(6), nn.ReLU(True), nn.ReflectionPad2d(3), nn.Conv2d(6, 3, 7), nn.Tanh())

class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        block = lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ELU())
        self.d1, self.d2, self.mid, self.u2, self.u1, self.out = block(3, 4), block(4, 8), block(8, 8), block(16, 4), block(8, 4), nn.Conv2d(4, 3, 1)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.Hardswish(), nn.Conv2d(2, 8, 1), nn.Hardsigmoid())
    def forward(self, photo):
        a = self.d1(photo)
        b = self.d2(F.max_pool2d(a, 2))
        m = self.mid(F.avg_pool2d(b, 3, 2, 1))
        m = m * self.gate(m)
        x = self.u2(torch.cat([F.interpolate(m, size=b.shape[2:], mode='nearest'), b], 1))
        x = self.u1(torch.cat([F.interpolate(x, size=a.shape[2:], mode='bilinear', align_corners=True), a], 1))
        return torch.sigmoid(self.out(x))

def audio():
    return nn.Sequential(nn.Linear(16, 64), Reshape(16, 4), nn.ReLU(), nn.ConvTranspose1d(16, 8, 25, 4, 11, output_padding=1), nn.SELU(),
                         nn.Conv1d(8, 8, 5, padding=4, dilation=2), nn.BatchNorm1d(8), nn.Softplus(), nn.ConvTranspose1d(8, 1, 25, 4, 11, output_padding=1), nn.Tanh())

def voxels():
    return nn.Sequential(Reshape(16, 1, 1, 1), nn.ConvTranspose3d(16, 8, 4, bias=False), nn.BatchNorm3d(8), nn.ReLU(), nn.ConvTranspose3d(8, 4, 4, 2, 1), nn.ELU(0.5),
                         nn.Conv3d(4, 4, 3, padding=1), nn.AvgPool3d(2, 1), nn.MaxPool3d(2, 1, 1), nn.Conv3d(4, 1, 3), nn.BatchNorm3d(1), nn.Sigmoid())

class Tricks(nn.Module):
    """What comes up in code of generators beside layers: masks, statistics, positions, choices."""
    def forward(self, z):
        n, c = z.shape
        z = z / z.norm(dim=1, keepdim=True).clamp(min=1e-6) * math.sqrt(c)
        z = torch.where(z.abs() > 1.5, z.sign() * 1.5, z)
        top = torch.topk(z, 4, dim=1)[0]
        x = z.view(n, 4, 4)
        x = x + torch.einsum('bij,bkj->bik', x, x) * torch.tril(torch.ones(4, 4))
        t = torch.arange(c, dtype=torch.float32) / c
        wave = torch.stack([torch.sin(2 * math.pi * t), torch.cos(2 * math.pi * t)]).unsqueeze(0).expand(n, -1, -1)
        x = torch.cat([x.flatten(1), (x.std(dim=1, unbiased=False) + x.amax(2)).cumsum(1), top], 1).unsqueeze(1)
        x = F.mish(x) + F.celu(x, 0.5) + F.gelu(x, approximate='tanh') - F.log_softmax(x, -1) * (x < x.mean(-1, keepdim=True)).float()
        x = x.masked_fill(torch.eq(x.argmax(-1, keepdim=True), 3), 0.25)
        return torch.cat([x[..., ::2], x[..., :-12:1], wave.reshape(n, 1, -1)[:, :, 4:28]], -1).pow(2).sqrt().add(torch.floor(x.min())).squeeze(1)

def latent(*shape): return lambda n, r: torch.from_numpy(r.standard_normal((n, *shape)).astype(np.float32))
def label(n, r): return torch.from_numpy(r.integers(0, 10, n))

GENERATORS = {  # name: (make, inputs)
    'mlp': (mlp, {'z': latent(16)}),
    'dcgan': (dcgan, {'z': latent(20, 1, 1)}),
    'resnet-nearest': (lambda: ResNet('nearest'), {'z': latent(16), 'label': label}),
    'resnet-bilinear': (lambda: ResNet('bilinear'), {'z': latent(16), 'label': label}),
    'sagan': (sagan, {'z': latent(16)}),
    'stylegan': (StyleGAN, {'z': latent(16), 'noise4': latent(1, 4, 4), 'noise8': latent(1, 8, 8)}),
    'stylegan2': (lambda: StyleGAN2(False), {'z': latent(16)}),
    'stylegan2-fused': (lambda: StyleGAN2(True), {'z': latent(16)}),
    'embedding': (ByEmbedding, {'z': latent(16), 'label': label}),
    'one-hot': (ByOneHot, {'z': latent(20), 'label': label}),
    'transformer': (lambda: Transformer(False), {'z': latent(16)}),
    'transformer-sdpa': (lambda: Transformer(True), {'z': latent(16)}),
    'super-resolution': (super_resolution, {'photo': latent(3, 6, 5)}),
    'group-norm': (group_norm, {'z': latent(16)}),
    'translation': (translation, {'photo': latent(3, 12, 8)}),
    'u-net': (UNet, {'photo': latent(3, 12, 8)}),
    'audio': (audio, {'z': latent(16)}),
    'voxels': (voxels, {'z': latent(16)}),
    'tricks': (Tricks, {'z': latent(16)}),
}

# The first opset at which the TorchScript exporter can write a generator, if it is not the oldest. Bilinear images of opsets 9 and 10 have
# other coordinates than PyTorch's: the exporter writes them, with a warning.
FIRST = {'transformer-sdpa': 14, 'u-net': 11, 'tricks': 12, 'resnet-bilinear': 11, 'stylegan': 11}

# The last opset of the newest exporter, if it is not the newest: what it cannot convert, such as Gelu, it leaves in a file of opset 18, which is
# invalid.
LAST = {'transformer': 25, 'transformer-sdpa': 25, 'tricks': 25}

def make(name):
    torch.manual_seed(1)
    g, inputs = GENERATORS[name]
    g = g()
    for p in g.parameters():
        if p.dim() == 1: p.data.add_(torch.randn_like(p) * 0.1)
    for m in g.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm): m.momentum = None  # statistics are the mean of those of all batches
    r = np.random.default_rng(0)
    with torch.no_grad():
        for _ in range(20): g.train()(*[f(16, r) for f in inputs.values()])  # running statistics and spectral norms as after training
    return g.eval(), inputs

def export(g, args, names, path, opset, script, fixed):
    """Exports g, quietly. Returns the first line of what the exporter says when it cannot."""
    often = dict(input_names=list(names), output_names=['image'], opset_version=opset)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            if script: torch.onnx.export(g, args, path, dynamo=False, dynamic_axes=None if fixed else {k: {0: 'N'} for k in [*names, 'image']}, **often)
            else: torch.onnx.export(g, args, path, dynamo=True, external_data=False, dynamic_shapes=None if fixed else tuple({0: torch.export.Dim('N')} for _ in names), **often)
        at = [o.version for o in onnx.load(path).opset_import if o.domain == '']
        if at != [opset]: return 'the file is of opset %s' % at
    except Exception as e:
        return (str(e).strip().split('\n')[0] or type(e).__name__)[:200]

def main():
    dir, failed = sys.argv[1], 0
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    logging.disable(logging.WARNING)
    for name in GENERATORS:
        g, inputs = make(name)
        fixed = name.endswith('fused')
        os.makedirs(os.path.join(dir, name))
        for n in BATCHES:
            r = np.random.default_rng(n)
            args = tuple(f(n, r) for f in inputs.values())
            d = os.path.join(dir, name, str(n))
            os.makedirs(d)
            with torch.no_grad(): y = g(*args)
            for k, x in [*zip(inputs, args), ('image', y)]: np.save(os.path.join(d, k + '.npy'), x.numpy())
            if fixed or n == BATCHES[-1]:
                for script, opset in [(True, o) for o in SCRIPT] + [(False, o) for o in (18, LAST.get(name, NEWEST))]:
                    path = os.path.join(d if fixed else os.path.dirname(d), '%s-%d.onnx' % ('script' if script else 'dynamo', opset))
                    if script and opset < FIRST.get(name, 0): continue
                    why = export(g, args, inputs, path, opset, script, fixed)
                    if why:
                        print('%s: %s exporter, opset %d: %s' % (name, 'TorchScript' if script else 'newest', opset, why))
                        failed += 1
    if failed: sys.exit('generators_torch: %d exports failed' % failed)

if __name__ == '__main__': main()
