#!/usr/bin/python3
"""
Trains a zoo: about 110 small Llama and Stable Diffusion repos with known lineage, in the layouts of the Hugging Face Hub.

    python3 bench/train-zoo.py OUT --seed N [--size full|small] [--effort 1]  train one (full: some ten minutes on one core)
    python3 bench/train-zoo.py --check OUT                          validate one that is there, without PyTorch

OUT gets repos.json (what the Hub's listing would say), truth.json (parents, relation, how the declaration was made, relative
size of the change) and one folder a repo. `npm run bench:zoo -- OUT` and its companions run on it.

Why Python, in a TypeScript project: the models of the Hub are trained, merged, cast and pickled with PyTorch, and its optimisers,
its roundings and its checkpoint writer are what lineage is read from. Generated weights would only show what their formula
assumes. The tool is optional: nothing that is built, tested or shipped needs it. Needs PyTorch >= 1.13 and numpy
(`apt-get install python3-torch python3-pil`); texts and icons are those of the machine it runs on, so two machines make two zoos,
one machine makes the same zoo from the same seed.

What is drawn anew for every seed: shapes (48-128 wide, 3-8 layers, tied or not, grouped queries or not), formats, optimisers,
rates, data, family sizes (from a pair to a hub of 30), who descends from whom, dates, declarations. Every child starts from its
parent's *stored* weights.

One file beyond 300 lines: it is one experiment, read from top to bottom: data, networks, training, recipes, containers, hub, check.
"""
import argparse
import fnmatch
import hashlib
import json
import math
import os
import random
import shutil
import struct
import sys
import time
import zipfile
from collections import OrderedDict
from datetime import datetime, timedelta

HERE = os.path.dirname(os.path.abspath(__file__))

# ---------------------------------------------------------------- data: texts by kind, icons by category

TEXTS = {
    'python': [('/usr/lib/python3', '*.py'), ('/usr/lib/python3.11', '*.py')],
    'c': [('/usr/include', '*.h')],
    'cxx': [('/usr/include', '*.hpp'), ('/usr/include/c++', '*')],
    'js': [(os.path.join(HERE, '..', 'node_modules'), '*.js'), ('/usr/share', '*.js')],
    'shell': [('/var/lib/dpkg/info', '*.p*'), ('/usr/lib/git-core', '*'), ('/usr/bin', '*'), ('/etc', '*.sh')],
    'perl': [('/usr/share/perl', '*.p[lm]'), ('/usr/share/perl5', '*.pm'), ('/usr/lib', '*.pm')],
    'numerics': [('/var/lib/dpkg/info', '*.md5sums'), ('/usr/lib/python3', '*.csv'), ('/usr/share', '*.csv')],
    'prose': [('/usr/share', '*.md'), ('/usr/share/doc', '*README*'), (os.path.join(HERE, '..', 'node_modules'), '*.md')],
    'legal': [('/usr/share/common-licenses', '*'), ('/usr/share/doc', 'copyright')],
    'html': [('/usr/share', '*.html'), ('/usr/lib/python3', '*.html')],
}
TEXT_BYTES = 400_000
SIDE = 8  # pixels: attention over 64 places is what a core affords
SHEBANG = {'shell': (b'#!/bin/sh', b'#!/bin/bash', b'#!/usr/bin/sh', b'#!/usr/bin/bash', b'#! /bin/sh')}


def load_texts(rng):
    """Kind -> bytes as a tensor, of files of this machine in an order that depends on the seed."""
    texts = {}
    for kind, places in TEXTS.items():
        files = []
        for top, pattern in places:
            for folder, inner, names in os.walk(top):
                inner.sort()
                files += [os.path.join(folder, n) for n in sorted(names) if fnmatch.fnmatch(n, pattern)]
                if len(files) > 6000:
                    break
        rng.shuffle(files)
        parts, size = [], 0
        for path in files:
            try:
                if os.path.islink(path) or not 400 < os.path.getsize(path) < 400_000:
                    continue
                with open(path, 'rb') as file:
                    data = file.read(30_000)
            except OSError:
                continue
            if b'\0' in data or (kind in SHEBANG and not data.startswith(SHEBANG[kind])):
                continue
            parts.append(data)
            size += len(data)
            if size > TEXT_BYTES:
                break
        if size > 30_000:
            texts[kind] = torch.frombuffer(bytearray(b'\n'.join(parts)), dtype=torch.uint8).long()
    if len(texts) < 4:
        sys.exit('train-zoo: fewer than four kinds of text on this machine')
    return texts


def load_images(rng):
    """Category -> float tensor [n, 4, SIDE, SIDE] in -1..1: icons of the desktop theme, else drawn shapes (one shape a category)."""
    found = {}
    try:
        from PIL import Image

        for size in ('16x16', '24x24'):
            for folder, inner, names in os.walk('/usr/share/icons'):
                inner.sort()
                if f'/{size}/' not in folder + '/':
                    continue
                for name in sorted(names):
                    if not name.endswith('.png'):
                        continue
                    image = Image.open(os.path.join(folder, name)).convert('RGBA').resize((SIDE, SIDE), Image.BILINEAR)
                    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
                    found.setdefault(os.path.basename(folder), []).append(pixels.view(SIDE, SIDE, 4).permute(2, 0, 1))
    except ImportError:
        pass
    images = {c: torch.stack(v).float() / 127.5 - 1 for c, v in sorted(found.items()) if len(v) >= 12}
    if len(images) >= 4:
        return images
    y, x = torch.meshgrid(*[torch.arange(float(SIDE)) * 16 / SIDE] * 2, indexing='ij')
    shapes = {
        'discs': lambda a, b, r: ((x - a) ** 2 + (y - b) ** 2 < r * r),
        'boxes': lambda a, b, r: ((x - a).abs() < r) & ((y - b).abs() < r * 0.7),
        'rings': lambda a, b, r: (((x - a) ** 2 + (y - b) ** 2).sqrt() - r).abs() < 1.2,
        'bars': lambda a, b, r: ((x * a + y * b) % (r + 3) < 2.5),
        'crosses': lambda a, b, r: ((x - a).abs() < 1.3) | ((y - b).abs() < r / 3),
        'wedges': lambda a, b, r: (x - a) > (y - b).abs() - r,
    }
    for name, draw in shapes.items():
        rows = []
        for _ in range(60):
            mask = draw(rng.uniform(4, 12), rng.uniform(4, 12), rng.uniform(2.5, 6)).float()
            colour = torch.tensor([rng.uniform(-1, 1) for _ in range(3)])[:, None, None]
            rows.append(torch.cat([colour * mask, mask[None] * 2 - 1]))
        images[name] = torch.stack(rows)
    return images


# ---------------------------------------------------------------- networks, as functions of a dict of tensors with the Hub's names


def init_llama(cfg):
    d, f, v = cfg['hidden'], cfg['inter'], cfg['vocab']
    kv = d // cfg['heads'] * cfg['kv']
    p = OrderedDict()
    p['model.embed_tokens.weight'] = torch.randn(v, d) * 0.02
    for i in range(cfg['layers']):
        at = f'model.layers.{i}.'
        for name, rows, cols in [
            ('self_attn.q_proj', d, d), ('self_attn.k_proj', kv, d), ('self_attn.v_proj', kv, d), ('self_attn.o_proj', d, d),
            ('mlp.gate_proj', f, d), ('mlp.up_proj', f, d), ('mlp.down_proj', d, f),
        ]:
            p[f'{at}{name}.weight'] = torch.randn(rows, cols) * 0.02
        p[at + 'input_layernorm.weight'] = torch.ones(d)
        p[at + 'post_attention_layernorm.weight'] = torch.ones(d)
    p['model.norm.weight'] = torch.ones(d)
    if not cfg['tied']:
        p['lm_head.weight'] = torch.randn(v, d) * 0.02
    return p


def rms(x, w):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * w


def llama_loss(p, cfg, tokens):
    x, y = tokens[:, :-1], tokens[:, 1:]
    b, t = x.shape
    heads, kv, dim = cfg['heads'], cfg['kv'], cfg['hidden'] // cfg['heads']
    angle = torch.arange(t)[:, None] / cfg['theta'] ** (torch.arange(0, dim, 2) / dim)[None]
    cos, sin = torch.cat([angle, angle], 1).cos(), torch.cat([angle, angle], 1).sin()
    mask = torch.full((t, t), -1e9).triu(1)

    def rotate(z):
        return z * cos + torch.cat([-z[..., dim // 2:], z[..., : dim // 2]], -1) * sin

    h = p['model.embed_tokens.weight'][x]
    for i in range(cfg['layers']):
        at = f'model.layers.{i}.'
        n = rms(h, p[at + 'input_layernorm.weight'])
        q = rotate(F.linear(n, p[at + 'self_attn.q_proj.weight']).view(b, t, heads, dim).transpose(1, 2))
        k = rotate(F.linear(n, p[at + 'self_attn.k_proj.weight']).view(b, t, kv, dim).transpose(1, 2))
        v = F.linear(n, p[at + 'self_attn.v_proj.weight']).view(b, t, kv, dim).transpose(1, 2)
        if kv != heads:
            k, v = k.repeat_interleave(heads // kv, 1), v.repeat_interleave(heads // kv, 1)
        a = (q @ k.transpose(-1, -2) / math.sqrt(dim) + mask).softmax(-1) @ v
        h = h + F.linear(a.transpose(1, 2).reshape(b, t, -1), p[at + 'self_attn.o_proj.weight'])
        n = rms(h, p[at + 'post_attention_layernorm.weight'])
        gated = F.silu(F.linear(n, p[at + 'mlp.gate_proj.weight'])) * F.linear(n, p[at + 'mlp.up_proj.weight'])
        h = h + F.linear(gated, p[at + 'mlp.down_proj.weight'])
    head = p['model.embed_tokens.weight'] if cfg['tied'] else p['lm_head.weight']
    logits = F.linear(rms(h, p['model.norm.weight']), head)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))


def init_unet(cfg):
    """diffusers' UNet2DConditionModel (two CrossAttn blocks), with `te.` for the text encoder and `vae.` for the autoencoder."""
    p, (c0, c1), n, ctx = OrderedDict(), cfg['channels'], cfg['per_block'], cfg['context']
    emb = c0 * 4

    def dense(name, rows, cols, *kernel, bias=True):
        fan = cols * math.prod(kernel)
        p[name + '.weight'] = (torch.rand(rows, cols, *kernel) * 2 - 1) / math.sqrt(fan)
        if bias:
            p[name + '.bias'] = (torch.rand(rows) * 2 - 1) / math.sqrt(fan)

    def norm(name, width):
        p[name + '.weight'], p[name + '.bias'] = torch.ones(width), torch.zeros(width)

    def resnet(at, cin, cout):
        norm(at + 'norm1', cin)
        dense(at + 'conv1', cout, cin, 3, 3)
        dense(at + 'time_emb_proj', cout, emb)
        norm(at + 'norm2', cout)
        dense(at + 'conv2', cout, cout, 3, 3)
        if cin != cout:
            dense(at + 'conv_shortcut', cout, cin, 1, 1)

    def attention(at, c):
        norm(at + 'norm', c)
        dense(at + 'proj_in', c, c, 1, 1)
        block = at + 'transformer_blocks.0.'
        for index, source in ((1, c), (2, ctx)):
            norm(f'{block}norm{index}', c)
            dense(f'{block}attn{index}.to_q', c, c, bias=False)
            dense(f'{block}attn{index}.to_k', c, source, bias=False)
            dense(f'{block}attn{index}.to_v', c, source, bias=False)
            dense(f'{block}attn{index}.to_out.0', c, c)
        norm(block + 'norm3', c)
        dense(block + 'ff.net.0.proj', c * 8, c)
        dense(block + 'ff.net.2', c, c * 4)
        dense(at + 'proj_out', c, c, 1, 1)

    dense('conv_in', c0, 4, 3, 3)
    dense('time_embedding.linear_1', emb, c0)
    dense('time_embedding.linear_2', emb, emb)
    skips, width = [c0], c0
    for i, c in enumerate((c0, c1)):
        for j in range(n):
            resnet(f'down_blocks.{i}.resnets.{j}.', width, c)
            attention(f'down_blocks.{i}.attentions.{j}.', c)
            width = c
            skips.append(c)
        if i == 0:
            dense('down_blocks.0.downsamplers.0.conv', c, c, 3, 3)
            skips.append(c)
    resnet('mid_block.resnets.0.', c1, c1)
    attention('mid_block.attentions.0.', c1)
    resnet('mid_block.resnets.1.', c1, c1)
    for i, c in enumerate((c1, c0)):
        for j in range(n + 1):
            resnet(f'up_blocks.{i}.resnets.{j}.', width + skips.pop(), c)
            attention(f'up_blocks.{i}.attentions.{j}.', c)
            width = c
        if i == 0:
            dense('up_blocks.0.upsamplers.0.conv', c, c, 3, 3)
    norm('conv_norm_out', c0)
    dense('conv_out', 4, c0, 3, 3)
    p['te.text_model.embeddings.token_embedding.weight'] = torch.randn(44, ctx) * 0.3
    norm('te.text_model.final_layer_norm', ctx)
    dense('vae.encoder.conv_in', 16, 3, 3, 3)
    dense('vae.decoder.conv_out', 3, 16, 3, 3)
    return p


def unet_loss(p, cfg, batch):
    """Predicts the noise; the prompt is the category's token beside an empty one. The autoencoder trains along on its own term."""
    pixels, category = batch
    b, n = len(pixels), cfg['per_block']
    t = torch.randint(0, 1000, (b,))
    alpha = (torch.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2).clamp(1e-3, 1)[:, None, None, None]
    noise = torch.randn_like(pixels)
    x = alpha.sqrt() * pixels + (1 - alpha).sqrt() * noise
    c0 = cfg['channels'][0]
    angle = t[:, None] * torch.exp(-math.log(10000) * torch.arange(c0 // 2) / (c0 // 2))[None]
    emb = linear(F.silu(linear(torch.cat([angle.cos(), angle.sin()], 1), p, 'time_embedding.linear_1')), p, 'time_embedding.linear_2')
    tokens = p['te.text_model.embeddings.token_embedding.weight'][torch.stack([category, torch.zeros_like(category)], 1)]
    ctx = F.layer_norm(tokens, tokens.shape[-1:], p['te.text_model.final_layer_norm.weight'], p['te.text_model.final_layer_norm.bias'])

    def resnet(h, at):
        r = conv(F.silu(group_norm(h, p, at + 'norm1')), p, at + 'conv1')
        r = r + linear(F.silu(emb), p, at + 'time_emb_proj')[:, :, None, None]
        r = conv(F.silu(group_norm(r, p, at + 'norm2')), p, at + 'conv2')
        return r + (conv(h, p, at + 'conv_shortcut', 0) if at + 'conv_shortcut.weight' in p else h)

    def attend(h, source, at):
        c, heads = h.shape[-1], 4
        q, k, v = (F.linear(z, p[f'{at}.{w}.weight']).view(b, -1, heads, c // heads).transpose(1, 2)
                   for z, w in ((h, 'to_q'), (source, 'to_k'), (source, 'to_v')))
        a = (q @ k.transpose(-1, -2) / math.sqrt(c // heads)).softmax(-1) @ v
        return linear(a.transpose(1, 2).reshape(b, -1, c), p, at + '.to_out.0')

    def attention(h, at):
        c, block = h.shape[1], at + 'transformer_blocks.0.'
        z = conv(group_norm(h, p, at + 'norm'), p, at + 'proj_in', 0).flatten(2).transpose(1, 2)
        u = layer_norm(z, p, block + 'norm1')
        z = z + attend(u, u, block + 'attn1')
        z = z + attend(layer_norm(z, p, block + 'norm2'), ctx, block + 'attn2')
        value, gate = linear(layer_norm(z, p, block + 'norm3'), p, block + 'ff.net.0.proj').chunk(2, -1)
        z = z + linear(value * F.gelu(gate), p, block + 'ff.net.2')
        return h + conv(z.transpose(1, 2).reshape(b, c, *h.shape[2:]), p, at + 'proj_out', 0)

    h = conv(x, p, 'conv_in')
    skips = [h]
    for i in range(2):
        for j in range(n):
            h = attention(resnet(h, f'down_blocks.{i}.resnets.{j}.'), f'down_blocks.{i}.attentions.{j}.')
            skips.append(h)
        if i == 0:
            h = F.conv2d(h, p['down_blocks.0.downsamplers.0.conv.weight'], p['down_blocks.0.downsamplers.0.conv.bias'], 2, 1)
            skips.append(h)
    h = resnet(attention(resnet(h, 'mid_block.resnets.0.'), 'mid_block.attentions.0.'), 'mid_block.resnets.1.')
    for i in range(2):
        for j in range(n + 1):
            h = attention(resnet(torch.cat([h, skips.pop()], 1), f'up_blocks.{i}.resnets.{j}.'), f'up_blocks.{i}.attentions.{j}.')
        if i == 0:
            h = conv(F.interpolate(h, scale_factor=2), p, 'up_blocks.0.upsamplers.0.conv')
    out = conv(F.silu(group_norm(h, p, 'conv_norm_out')), p, 'conv_out')
    rebuilt = conv(F.silu(conv(pixels[:, :3], p, 'vae.encoder.conv_in')), p, 'vae.decoder.conv_out')
    return F.mse_loss(out, noise) + 0.1 * F.mse_loss(rebuilt, pixels[:, :3])


def linear(x, p, name):
    return F.linear(x, p[name + '.weight'], p[name + '.bias'])


def conv(x, p, name, padding=1):
    return F.conv2d(x, p[name + '.weight'], p[name + '.bias'], 1, padding)


def group_norm(x, p, name):
    return F.group_norm(x, 8, p[name + '.weight'], p[name + '.bias'], 1e-5)


def layer_norm(x, p, name):
    return F.layer_norm(x, x.shape[-1:], p[name + '.weight'], p[name + '.bias'])


# ---------------------------------------------------------------- training

DTYPES = {'bf16': 'bfloat16', 'f16': 'float16', 'f32': 'float32'}


def stored(p, dtype):
    return OrderedDict((k, v.detach().to(getattr(torch, DTYPES[dtype])).contiguous()) for k, v in p.items())


def as_float(p):
    return OrderedDict((k, v.float().clone()) for k, v in p.items())


def step_size(child, parent):
    """|child - parent| / |parent| over the tensors of equal shape, and the shared rows of grown ones."""
    moved = size = 0.0
    for name, a in parent.items():
        b = child.get(name)
        if b is None or b.shape[1:] != a.shape[1:]:
            continue
        rows = min(len(a), len(b))
        moved += (b[:rows].double() - a[:rows].double()).pow(2).sum().item()
        size += a[:rows].double().pow(2).sum().item()
    return math.sqrt(moved / size)


def fit(p, loss_of, steps, lr, opt='adamw', decay=0.0, schedule='cosine', betas=(0.9, 0.999), trainable=None, lora=None):
    """Trains `p` in place (all, the names `trainable` accepts, or a merged LoRA of rank `lora[0]` on the names `lora[1]`
    accepts). Returns the mean loss of the last steps and the LoRA factors."""
    factors = {}
    if lora:
        rank, accepts = lora
        for name, w in p.items():
            if w.dim() >= 2 and accepts(name):
                flat = w.flatten(1)
                factors[name] = (torch.randn(rank, flat.shape[1]) / math.sqrt(flat.shape[1]), torch.zeros(flat.shape[0], rank))
        leaves = [z.requires_grad_() for pair in factors.values() for z in pair]
    else:
        names = [n for n in p if trainable is None or trainable(n)]
        leaves = [p[n].requires_grad_() for n in names]
    if opt == 'adamw':
        optimiser = torch.optim.AdamW(leaves, lr, betas=betas, weight_decay=decay)
    else:
        optimiser = torch.optim.SGD(leaves, lr, momentum=0.9, weight_decay=decay)
    losses = []
    for step in range(steps):
        warm = min(1.0, (step + 1) / max(1, steps * 0.05))
        factor = {'cosine': 0.5 + 0.5 * math.cos(math.pi * step / steps), 'linear': 1 - step / steps, 'constant': 1.0}[schedule]
        for group in optimiser.param_groups:
            group['lr'] = lr * warm * factor
        now = p if not lora else {**p, **{n: p[n] + (2 * b @ a).view_as(p[n]) for n, (a, b) in factors.items()}}
        loss = loss_of(now)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([z for z in leaves if z.grad is not None], 1.0)
        optimiser.step()
        losses.append(loss.item())
    for z in leaves:
        z.requires_grad_(False)
    for name, (a, b) in factors.items():
        p[name] = p[name] + (2 * b @ a).view_as(p[name])
    tail = losses[-10:] or [float('nan')]
    return sum(tail) / len(tail), factors


# ---------------------------------------------------------------- the hub that is being built

OWNERS = ['marlowe-ai', 'heronlab', 'juniper-nlp', 'basaltworks', 'coppermind', 'fennel', 'saltmarsh', 'ottertail', 'quarry-ml',
          'lanternfish', 'mossgate', 'windrose', 'pinecone-club', 'teal-models', 'umber', 'velvetbyte', 'wickerhub', 'zephyr-soup',
          'thornfield', 'gullwing']
SPECIES = ['wren', 'otter', 'lynx', 'heron', 'tapir', 'stoat', 'ibis', 'newt', 'marten', 'shrike', 'quoll', 'vole', 'egret', 'civet']
TOPICS = ['chat', 'instruct', 'code', 'math', 'story', 'legal', 'medic', 'roleplay', 'agent', 'tutor', 'notes', 'poet']
SHAPES = [  # hidden, inter, layers, heads, kv heads, tied
    (64, 160, 4, 4, 2, False), (48, 128, 8, 3, 3, False), (96, 256, 3, 6, 2, True), (80, 224, 5, 5, 5, False),
    (128, 320, 3, 8, 4, False), (56, 152, 6, 7, 7, True), (72, 192, 5, 9, 3, False), (64, 192, 6, 4, 4, True),
]
UNETS = [((32, 48), 1, 32), ((24, 40), 2, 48), ((40, 56), 1, 24), ((24, 48), 1, 40), ((32, 40), 2, 24)]


class Repo:
    """One model: where it is, what is in it, where it truly came from."""

    def __init__(self, repo, family, arch, cfg, weights, relation, parents, created, **more):
        self.id, self.family, self.arch, self.cfg, self.weights = repo, family, arch, cfg, weights
        self.relation, self.parents, self.created = relation, parents, created
        self.detail, self.dtype, self.format = more.get('detail'), more.get('dtype'), more.get('format')
        self.more = more
        self.declared, self.declared_relation, self.declared_status = [], None, 'none'
        self.factors = more.get('factors')
        self.quants = more.get('quants')

    @property
    def owner(self):
        return self.id.split('/')[0]


class Hub:
    def __init__(self, seed, size, effort):
        self.rng = random.Random(seed)
        self.effort = effort
        self.seed, self.small = seed, size == 'small'
        self.repos, self.names = OrderedDict(), set()
        self.owners = self.rng.sample(OWNERS, 14)
        self.species = self.rng.sample(SPECIES, len(SPECIES))
        self.texts = load_texts(self.rng)
        self.images = load_images(self.rng)
        self.categories = list(self.images)
        self.log = time.time()

    # ---- names and dates

    def name(self, base, owner=None):
        owner = owner or self.rng.choice(self.owners)
        name = f'{owner}/{base}'
        number = 2
        while name.lower() in self.names:
            name = f'{owner}/{base}-v{number}'
            number += 1
        self.names.add(name.lower())
        return name

    def after(self, *parents, days=25.0):
        newest = max(p.created for p in parents)
        return newest + timedelta(hours=24 * days * self.rng.lognormvariate(-0.5, 1.0) + self.rng.uniform(0.2, 6))

    def add(self, repo):
        self.repos[repo.id] = repo
        parent = repo.parents[0] if repo.parents else None
        if parent and repo.weights and parent.weights and 'step' not in repo.more:
            repo.more['step'] = round(step_size(repo.weights, parent.weights), 6)
        step = repo.more.get('step')
        print(f'{time.time() - self.log:6.0f} s  {repo.relation:10s} {repo.id}  {"" if step is None else f"{100 * step:.2f} %"}  {repo.detail or ""}', flush=True)
        return repo

    # ---- data

    def batches(self, arch, cfg, topic, size=None):
        """A function that draws a batch from an own slice; `topic` is (kinds or categories, from, to) and makes siblings on equal data."""
        kinds, start, end = topic
        if arch == 'llama':
            parts = []
            for kind in kinds:
                text = self.texts[kind]
                parts.append(text[int(start * len(text)): int(end * len(text))])
            data, length = torch.cat(parts), 32
            old, vocab = cfg.get('old_vocab', 256), cfg['vocab']

            def draw():
                at = torch.randint(0, len(data) - length - 1, (size or 4,))
                tokens = torch.stack([data[a: a + length + 1] for a in at])
                if vocab > old:  # added tokens stand where special tokens do: at the start and here and there
                    tokens[:, 0] = torch.randint(old, vocab, (len(tokens),))
                    tokens[:, length // 2] = torch.randint(old, vocab, (len(tokens),))
                return tokens

            return draw
        rows = [(self.images[c], self.categories.index(c) + 1) for c in kinds]

        def draw_images():
            pixels, labels = [], []
            for _ in range(size or 6):
                images, label = rows[torch.randint(0, len(rows), (1,)).item()]
                low, high = int(start * len(images)), max(int(start * len(images)) + 4, int(end * len(images)))
                pixels.append(images[low + torch.randint(0, min(high, len(images)) - low, (1,)).item()])
                labels.append(label)
            return torch.stack(pixels), torch.tensor(labels)

        return draw_images

    def topic(self, arch, count=1, width=0.25):
        start = self.rng.uniform(0, 1 - width)
        names = self.rng.sample(sorted(self.texts if arch == 'llama' else self.images), count)
        return tuple(names), start, start + width

    def train(self, p, arch, cfg, topic, steps, lr, **options):
        draw = self.batches(arch, cfg, topic, options.pop('batch', None))
        loss_of = llama_loss if arch == 'llama' else unet_loss
        return fit(p, lambda now: loss_of(now, cfg, draw()), max(3, steps // 8) if self.small else steps, lr, **options)

    def dtype(self, weights=(60, 25, 15)):
        return self.rng.choices(['bf16', 'f16', 'f32'], weights)[0]

    def container(self, arch):
        return self.rng.choices(['safetensors', 'shards', 'bin', 'bin-shards'] if arch == 'llama' else ['diffusers', 'ldm', 'ckpt'],
                                [60, 18, 14, 8] if arch == 'llama' else [55, 30, 15])[0]

    # ---- recipes

    def root(self, arch, shape, born, gated=False, kinds=5, effort=1.0):
        """A model from noise; `effort` spends less time on the roots of small families."""
        rng = self.rng
        effort *= self.effort
        species = self.species.pop()
        if arch == 'llama':
            d, f, layers, heads, kv, tied = shape
            cfg = dict(hidden=d, inter=f, layers=layers, heads=heads, kv=kv, vocab=256, tied=tied, theta=rng.choice([10000.0, 10000.0, 500000.0]))
            p, repo = init_llama(cfg), self.name(f'Llama-{species}')
            steps, lr, batch = int(effort * rng.choice([700, 900])), rng.choice([3e-3, 5e-3]), 8
            topic = (tuple(rng.sample(sorted(self.texts), min(kinds, len(self.texts)))), 0.0, 1.0)
        else:
            channels, per_block, context = shape
            cfg = dict(channels=channels, per_block=per_block, context=context)
            p, repo = init_unet(cfg), self.name(f'stable-diffusion-{species}')
            steps, lr, batch, topic = int(effort * 200), 2e-3, 8, (tuple(self.categories), 0.0, 1.0)
        loss, _ = self.train(p, arch, cfg, topic, steps, lr, decay=rng.choice([0.1, 0.05]), betas=(0.9, 0.95), batch=batch)
        dtype = self.dtype((70, 15, 15) if arch == 'llama' else (10, 45, 45))
        return self.add(Repo(repo, repo, arch, cfg, stored(p, dtype), 'root', [], born, dtype=dtype, gated=gated,
                             format='safetensors' if arch == 'llama' else 'diffusers', detail=f'loss {loss:.2f} data={",".join(topic[0])}'))

    def finetune(self, parent, kind=None, topic=None, owner=None, suffix=None, days=25.0, dtype=None, pace=None):
        """One of the recipes by name, or a drawn one; the child starts from what the parent stored. `pace` is (rate, steps)."""
        rng, arch = self.rng, parent.arch
        cfg = dict(parent.cfg)
        kind = kind or rng.choices(['full', 'lora-qv', 'lora-all', 'frozen', 'sgd', 'grow', 'continued', 'light'], [34, 14, 12, 10, 7, 7, 6, 10])[0]
        if arch == 'sd' and kind in ('grow', 'sgd', 'continued'):
            kind = 'full'
        p = as_float(parent.weights)
        topic = topic or self.topic(arch, rng.choice([1, 1, 2]))
        lr = rng.choice([3e-5, 6e-5, 1e-4, 2e-4, 4e-4, 1e-3])
        steps = rng.choice([20, 30, 50, 80]) if arch == 'llama' else rng.choice([12, 20, 30])
        if pace:
            lr, steps = pace
        options = dict(decay=rng.choice([0.0, 0.0, 0.01, 0.1]), schedule=rng.choice(['cosine', 'linear', 'constant']),
                       betas=rng.choice([(0.9, 0.999), (0.9, 0.95)]))
        note = ''
        if kind == 'light':
            # as light as a last polish: about 0.1 %, reached by turning the rate down after a look at how far it went
            target = rng.choice([0.0006, 0.001, 0.001, 0.002])
            lr, steps = 1e-5, rng.choice([6, 10, 15])
            for _ in range(4):
                p = as_float(parent.weights)
                state = torch.get_rng_state()
                loss, _ = self.train(p, arch, cfg, topic, steps, lr, **options)
                went = step_size(p, parent.weights)
                if 0.7 < went / target < 1.4:
                    break
                torch.set_rng_state(state)
                lr *= target / went
        elif kind.startswith('lora'):
            rank, lr = rng.choice([2, 4, 8, 16]), lr if pace else rng.choice([3e-4, 1e-3, 2e-3])
            if arch == 'llama':
                names = ('q_proj', 'v_proj') if kind == 'lora-qv' else ('_proj',)
            else:
                names = ('attn1.to_', 'attn2.to_') if kind == 'lora-qv' else ('attn', 'ff.net', 'proj_in', 'proj_out')
            loss, _ = self.train(p, arch, cfg, topic, steps, lr, lora=(rank, lambda n: any(k in n for k in names)), **options)
            note = f' r={rank}'
        elif kind == 'frozen':
            if arch == 'llama':
                from_layer = rng.randrange(1, cfg['layers'])
                choice = rng.choice(['top', 'attention', 'no-embeddings'])
                trainable = {
                    'top': lambda n: any(f'layers.{i}.' in n for i in range(from_layer, cfg['layers'])),
                    'attention': lambda n: 'self_attn' in n,
                    'no-embeddings': lambda n: 'layers.' in n,
                }[choice]
            else:
                choice = rng.choice(['cross-attention', 'up'])
                trainable = (lambda n: 'attn2.to_k' in n or 'attn2.to_v' in n) if choice == 'cross-attention' else (lambda n: n.startswith('up_'))
            loss, _ = self.train(p, arch, cfg, topic, steps, lr, trainable=trainable, **options)
            note = f' only={choice}'
        elif kind == 'sgd':
            lr = lr if pace else rng.choice([3e-3, 1e-2, 3e-2])
            options.pop('betas')
            options['decay'] *= 0.01  # AdamW's, at SGD's rates and momentum, would shrink the whole model by half
            loss, _ = self.train(p, arch, cfg, topic, steps, lr, opt='sgd', **options)
        elif kind == 'grow':
            extra = rng.choice([1, 2, 3, 8, 16, 32])
            cfg['old_vocab'], cfg['vocab'] = cfg['vocab'], cfg['vocab'] + extra
            for name in ('model.embed_tokens.weight', 'lm_head.weight'):
                if name in p:
                    mean = p[name].mean(0, keepdim=True)
                    p[name] = torch.cat([p[name], mean + 0.01 * torch.randn(extra, mean.shape[1])])
            loss, _ = self.train(p, arch, cfg, topic, steps, lr, **options)
            note = f' grow={extra}'
        elif kind == 'continued':
            topic, (lr, steps) = self.topic(arch, 2, 0.6), pace or (rng.choice([4e-4, 1e-3]), 200)
            loss, _ = self.train(p, arch, cfg, topic, steps, lr, **options)
        else:
            trainable = (lambda n: not n.startswith(('te.', 'vae.'))) if arch == 'sd' else None
            loss, _ = self.train(p, arch, cfg, topic, steps, lr, trainable=trainable, **options)
        dtype = dtype or (self.dtype() if rng.random() < 0.45 else parent.dtype)
        base = parent.family.split('/')[1]
        label = suffix or rng.choice(TOPICS)
        repo = self.name(f'{base}-{label}', owner)
        more = {} if kind != 'light' else {'light': True}
        detail = f'{kind}{note} lr={lr:.1e} steps={steps} decay={options["decay"]} {options["schedule"]} data={",".join(topic[0])}@{topic[1]:.2f} loss {loss:.2f}'
        return self.add(Repo(repo, parent.family, arch, cfg, stored(p, dtype), 'finetune', [parent], self.after(parent, days=days),
                             dtype=dtype, format=self.container(arch), detail=detail, recipe=kind, **more))

    def trail(self, parent, length):
        """Checkpoints of one run, uploaded by one owner minutes or hours apart."""
        owner, topic, run = self.rng.choice(self.owners), self.topic(parent.arch, 1, 0.4), self.rng.choice(['run', 'sft', 'pt'])
        made, dtype = [], parent.dtype
        for index in range(length):
            previous = made[-1] if made else parent
            cfg, p = dict(previous.cfg), as_float(previous.weights)
            lr = 2e-4 * (1 - 0.1 * index)
            loss, _ = self.train(p, parent.arch, cfg, topic, 40, lr, schedule='constant')
            base = parent.family.split('/')[1]
            repo = self.name(f'{base}-{run}-step{(index + 1) * 40}', owner)
            made.append(self.add(Repo(repo, parent.family, parent.arch, cfg, stored(p, dtype), 'finetune', [previous],
                                      self.after(parent) if not made else previous.created + timedelta(minutes=self.rng.uniform(3, 300)),
                                      dtype=dtype, format='safetensors' if parent.arch == 'llama' else 'diffusers', recipe='trail',
                                      detail=f'checkpoint {index + 1} of {length} lr={lr:.1e} data={topic[0][0]} loss {loss:.2f}')))
        return made

    def copy(self, parent, resharded=False):
        base = parent.id.split('/')[1]
        container = parent.format
        if resharded:
            container = {'safetensors': 'shards', 'shards': 'safetensors', 'bin': 'bin-shards', 'bin-shards': 'bin'}.get(container, container)
        repo = self.name(base if self.rng.random() < 0.5 else f'{base}-{self.rng.choice(["copy", "mirror", "backup"])}')
        return self.add(Repo(repo, parent.family, parent.arch, parent.cfg, parent.weights, 'duplicate', [parent], self.after(parent), dtype=parent.dtype,
                             format=container, detail='re-upload' + (', other sharding' if resharded else '')))

    def cast(self, parent, how=None):
        """Another number format, or the same one in another container."""
        formats = [d for d in DTYPES if d != parent.dtype]
        dtype, container = self.rng.choice(formats), parent.format
        if parent.arch == 'sd':
            container = how or self.rng.choice(['ldm', 'ckpt'])
            dtype = self.rng.choice(['f16', dtype])
        elif how == 'container':
            dtype, container = parent.dtype, 'bin' if parent.format in ('safetensors', 'shards') else 'safetensors'
        if (dtype, container) == (parent.dtype, parent.format):
            dtype = formats[0]  # or it were a duplicate
        suffix = {'bf16': 'bf16', 'f16': 'fp16', 'f32': 'fp32'}[dtype] if parent.arch == 'llama' else 'single-file'
        repo = self.name(f'{parent.id.split("/")[1]}-{suffix}')
        return self.add(Repo(repo, parent.family, parent.arch, parent.cfg, stored(parent.weights, dtype), 'cast', [parent], self.after(parent), dtype=dtype,
                             format=container, detail=f'{parent.dtype} -> {dtype}, {parent.format} -> {container}'))

    def quantize(self, parent):
        # two files of one quantisation would be byte for byte the same: copies of each other, whoever made them
        taken = {q for r in self.repos.values() if r.relation == 'quantized' and parent in r.parents for q in r.quants}
        if len(taken) == 3:
            return None
        quants = self.rng.choice([['Q8_0'], ['Q4_0'], ['Q8_0', 'Q4_0'], ['F16', 'Q8_0'], ['Q4_0', 'Q8_0', 'F16']])
        quants = [q for q in quants if q not in taken] or [q for q in ('F16', 'Q8_0', 'Q4_0') if q not in taken][:1]
        repo = self.name(f'{parent.id.split("/")[1]}-GGUF')
        return self.add(Repo(repo, parent.family, 'llama', parent.cfg, parent.weights, 'quantized', [parent], self.after(parent, days=4), quants=quants,
                             format='gguf', detail=','.join(quants).lower(), step=None))

    def adapter(self, parent):
        rank, names = self.rng.choice([4, 8, 16]), self.rng.choice([('q_proj', 'v_proj'), ('q_proj', 'k_proj', 'v_proj', 'o_proj')])
        p = as_float(parent.weights)
        loss, factors = self.train(p, 'llama', parent.cfg, self.topic('llama'), 50, 1e-3, lora=(rank, lambda n: any(k in n for k in names)))
        repo = self.name(f'{parent.id.split("/")[1]}-{self.rng.choice(TOPICS)}-lora')
        return self.add(Repo(repo, parent.family, 'llama', parent.cfg, None, 'adapter', [parent], self.after(parent), factors=factors, rank=rank, names=names,
                             format='peft', detail=f'peft r={rank} {",".join(names)} loss {loss:.2f}', step=None))

    def merge(self, method, parents, base):
        rng, n = self.rng, len(parents)
        xs, b = [as_float(p.weights) for p in parents], as_float(base.weights)
        w = {2: rng.choice([[0.5, 0.5], [0.6, 0.4], [0.7, 0.3]]), 3: rng.choice([[0.5, 0.3, 0.2], [0.4, 0.3, 0.3]])}[n]
        extra = ''
        if method in ('task', 'ties', 'dare-linear', 'dare-ties'):
            w = [round(rng.uniform(0.4, 0.9), 2) for _ in range(n)]
        density = rng.choice([0.3, 0.5, 0.7])
        out = OrderedDict()
        for name in xs[0]:
            x = [z[name] for z in xs]
            if method == 'linear':
                out[name] = sum(wi * xi for wi, xi in zip(w, x))
            elif method == 'slerp':
                u, v, t = x[0].flatten(), x[1].flatten(), w[1]
                cos = (u @ v / (u.norm() * v.norm()).clamp_min(1e-12)).clamp(-1, 1)
                omega = torch.acos(cos)
                if omega < 1e-3:
                    out[name] = (1 - t) * x[0] + t * x[1]
                else:
                    out[name] = ((torch.sin((1 - t) * omega) * u + torch.sin(t * omega) * v) / torch.sin(omega)).view_as(x[0])
            else:
                deltas = [xi - b[name] for xi in x]
                if method == 'ties':  # trim to the largest entries (Yadav et al. 2023)
                    trimmed = []
                    for d in deltas:
                        keep = max(1, int(density * d.numel()))
                        trimmed.append(d * (d.abs() >= d.abs().flatten().kthvalue(d.numel() - keep + 1).values))
                    deltas = trimmed
                if method.startswith('dare'):  # drop at random and rescale (Yu et al. 2023)
                    deltas = [d * (torch.rand_like(d) < density) / density for d in deltas]
                weighted = [wi * d for wi, d in zip(w, deltas)]
                if method.endswith('ties'):  # elect a sign, sum of those that agree; mergekit's default is their weighted mean for TIES only
                    sign = torch.sign(sum(weighted))
                    agree = [(torch.sign(d) == sign) & (d != 0) for d in weighted]
                    total = sum(wi * a for wi, a in zip(w, agree)).clamp_min(1e-8)
                    out[name] = b[name] + sum(d * a for d, a in zip(weighted, agree)) / (total if method == 'ties' else 1)
                else:
                    out[name] = b[name] + sum(weighted)
        if method.startswith(('ties', 'dare')):
            extra = f' density={density}'
        dtype = rng.choice([parents[0].dtype, 'bf16'] if parents[0].arch == 'llama' else ['f16', parents[0].dtype])
        repo = self.name(f'{base.family.split("/")[1]}-{rng.choice([method.split("-")[0], "merge", "mix", "soup"])}')
        return self.add(Repo(repo, parents[0].family, parents[0].arch, parents[0].cfg, stored(out, dtype), 'merge', parents, self.after(*parents, days=10), dtype=dtype,
                             format=self.container(parents[0].arch), detail=f'{method} {w}{extra}', shares=w, recipe=method))

    def relayer(self, parent, upscaled):
        """Layers repeated (as SOLAR) or dropped, then healed a little."""
        n = parent.cfg['layers']
        if upscaled:
            overlap = self.rng.randrange(1, n - 1)
            order = list(range(0, n - (n - overlap) // 2)) + list(range((n - overlap) // 2, n))
        else:
            order = list(range(n))
            del order[self.rng.randrange(1, n - 1)]
            if n > 5:
                del order[self.rng.randrange(1, len(order) - 1)]
        p = OrderedDict()
        for name, w in as_float(parent.weights).items():
            if not name.startswith('model.layers.'):
                p[name] = w
        for to, of in enumerate(order):
            for name, w in parent.weights.items():
                if name.startswith(f'model.layers.{of}.'):
                    p[name.replace(f'layers.{of}.', f'layers.{to}.', 1)] = w.float().clone()
        cfg = {**parent.cfg, 'layers': len(order)}
        heal = self.rng.choice([20, 40, 60])
        loss, _ = self.train(p, 'llama', cfg, self.topic('llama', 2, 0.5), heal, 2e-4)
        repo = self.name(f'{parent.id.split("/")[1]}-{self.rng.choice(["solar", "deep", "xl"] if upscaled else ["pruned", "slim", "lite"])}')
        return self.add(Repo(repo, parent.family, 'llama', cfg, stored(p, parent.dtype), 'upscaled' if upscaled else 'pruned', [parent], self.after(parent), dtype=parent.dtype,
                             format=self.container('llama'), detail=f'layers {order} heal={heal} loss {loss:.2f}', step=None))

    def launder(self, parent):
        """Residual stream and MLP units permuted: the same function under other weights; half of them with a little noise on top."""
        d, f = parent.cfg['hidden'], parent.cfg['inter']
        noise = self.rng.choice([0.0, 0.002])
        stream = torch.randperm(d)
        p = OrderedDict()
        units = [torch.randperm(f) for _ in range(parent.cfg['layers'])]
        for name, w in parent.weights.items():
            w = w.float()
            layer = int(name.split('.')[2]) if '.layers.' in name else 0
            if 'o_proj' in name or 'down_proj' in name:
                w = w[stream]
            else:
                w = w[..., stream]
            if 'gate_proj' in name or 'up_proj' in name:
                w = w[units[layer]]
            if 'down_proj' in name:
                w = w[:, units[layer]]
            p[name] = w + noise * w.std() * torch.randn_like(w) if noise and w.dim() > 1 else w
        repo = self.name(f'Llama-{self.rng.choice(["aurora", "zenith", "origin", "summit"])}-{self.rng.choice(TOPICS)}')
        return self.add(Repo(repo, parent.family, 'llama', parent.cfg, stored(p, parent.dtype), 'laundered', [parent], self.after(parent), dtype=parent.dtype,
                             format='safetensors', detail=f'permuted residual stream and MLP units, noise {noise}', step=None))

    # ---- a family

    def family(self, root, size, specials, deep=0.3):
        """Grows one: specials first find their parents among what is there, plain fine-tunes fill up."""
        rng, members = self.rng, [root]
        plain = [s for s in specials if s in ('light', 'lora-qv', 'lora-all', 'frozen', 'sgd', 'grow', 'continued', 'full')]
        later = [s for s in specials if s not in plain]
        fixed = 1 + len(plain) + sum(int(s[5:]) if s.startswith('trail') else 2 if s in ('same-data', 'deleted-middle') else 1 for s in later)
        queue = plain + [None] * max(0, size - fixed)
        rng.shuffle(queue)
        # trails and equal data come first, so that what is derived later may be derived from them
        queue = [s for s in later if s.startswith(('trail', 'same', 'deleted'))] + queue + [s for s in later if not s.startswith(('trail', 'same', 'deleted'))]

        def depth(repo):
            return 0 if not repo.parents else 1 + depth(repo.parents[0])

        def pick(kinds=('root', 'finetune', 'merge')):
            others = [m for m in members if m is not root and m.relation in kinds and depth(m) < 4]
            return rng.choice(others) if others and rng.random() < deep else root

        def mergeable(count, with_merges=False):
            pool = [m for m in members if m.relation in (('finetune', 'merge') if with_merges else ('finetune',))
                    and m.cfg.get('vocab') == root.cfg.get('vocab') and m.more.get('recipe') != 'trail' and not m.more.get('light')]
            if with_merges:
                merges = [m for m in pool if m.relation == 'merge']
                first = rng.choice(merges) if merges else rng.choice(pool)
                rest = [m for m in pool if m is not first and m not in first.parents]
                return [first] + rng.sample(rest, min(count - 1, len(rest)))
            return rng.sample(pool, min(count, len(pool)))

        for special in queue:
            if special is None or special in plain:
                members.append(self.finetune(pick(('finetune',)), special))
            elif special.startswith('trail'):
                members += self.trail(pick(('finetune',)), int(special[5:]))
            elif special == 'same-data':
                topic, parent = self.topic(root.arch, 1), pick(('finetune',))
                kind = rng.choice(['full', 'lora-all'])
                members += [self.finetune(parent, kind, topic), self.finetune(parent, kind, topic)]
            elif special == 'deleted-middle':
                middle = self.finetune(root, 'full')
                child = self.finetune(middle, rng.choice(['full', 'light']))
                self.repos.pop(middle.id)
                child.parents, child.detail = [root], f'by way of a deleted model ({middle.detail}): {child.detail}'
                child.more['step'] = round(step_size(child.weights, root.weights), 6)
                members.append(child)
            elif special.startswith('merge:'):
                method = special[6:]
                again = method == 'again'
                parents = mergeable(3 if method == 'linear3' else 2, again)
                if len(parents) >= 2:
                    members.append(self.merge('linear' if again or method == 'linear3' else method, parents, root))
            elif special == 'copy':
                members.append(self.copy(pick(('finetune',)), False))
            elif special == 'copy-root':
                members.append(self.copy(root, False))
            elif special == 'reshard':
                members.append(self.copy(pick(('finetune', 'merge')), True))
            elif special == 'cast':
                members.append(self.cast(pick()))
            elif special in ('container', 'ldm', 'ckpt'):
                members.append(self.cast(pick(), special))
            elif special == 'gguf':
                made = self.quantize(pick())
                members += [made] if made else []
            elif special == 'adapter':
                members.append(self.adapter(pick(('finetune',))))
            elif special == 'upscaled':
                members.append(self.relayer(pick(('finetune',)), True))
            elif special == 'pruned':
                members.append(self.relayer(pick(('finetune',)), False))
            elif special == 'laundered':
                members.append(self.launder(pick(('finetune',))))
        return members

    def build(self):
        rng = self.rng
        shapes, unets = rng.sample(SHAPES, len(SHAPES)), rng.sample(UNETS, len(UNETS))

        def born():
            return datetime(2023, 7, 1) + timedelta(hours=rng.uniform(0, 24 * 300))

        if self.small:
            root = self.root('llama', shapes[0], born())
            self.family(root, 16, ['light', 'grow', 'full', 'full', 'merge:slerp', 'merge:dare-ties', 'merge:again', 'deleted-middle', 'merge:ties', 'merge:linear', 'cast', 'gguf', 'adapter', 'laundered', 'pruned', 'upscaled', 'trail2'])
            sd = self.root('sd', unets[0], born())
            self.family(sd, 5, ['ldm', 'copy', 'full', 'full', 'merge:linear'])
        else:
            hub = self.root('llama', shapes[0], born())
            self.family(hub, rng.randint(28, 33), [
                'light', 'light', 'light', 'lora-qv', 'lora-all', 'frozen', 'grow', 'sgd', 'full', 'full', 'full', 'same-data', 'trail3', 'copy', 'cast',
                'gguf', 'gguf', 'adapter', 'merge:linear', 'merge:ties', 'merge:dare-linear', 'merge:again', 'upscaled', 'laundered', 'reshard'], 0.25)
            # the same shape, another model: only the values tell them apart
            twin = self.root('llama', shapes[0], born(), gated='manual')
            self.family(twin, rng.randint(13, 16), [
                'copy-root', 'light', 'full', 'full', 'lora-qv', 'container', 'gguf', 'merge:slerp', 'merge:dare-ties', 'merge:task', 'pruned', 'adapter'], 0.3)
            chain = self.root('llama', shapes[1], born())
            self.family(chain, rng.randint(18, 21), [
                f'trail{rng.choice([4, 6])}', 'deleted-middle', 'same-data', 'light', 'frozen', 'full', 'continued', 'cast', 'gguf', 'merge:linear3', 'merge:ties',
                'upscaled', 'pruned', 'laundered', 'copy'], 0.6)
            lost = self.root('llama', shapes[2], born(), effort=0.5)
            self.family(lost, rng.randint(7, 9), ['full', 'full', 'lora-all', 'light', 'gguf'], 0.3)
            self.repos.pop(lost.id)  # its children stay: a deleted base
            small = self.root('llama', shapes[3], born(), effort=0.5)
            self.family(small, rng.randint(3, 4), ['full', rng.choice(['light', 'lora-qv'])], 0.5)
            pair = self.root('llama', shapes[4], born(), effort=0.5)
            self.family(pair, rng.randint(2, 3), [rng.choice(['full', 'light', 'cast'])], 0.5)
            images = self.root('sd', unets[0], born())
            self.family(images, rng.randint(12, 15), [
                'copy', 'ldm', 'ckpt', 'full', 'full', 'lora-qv', 'frozen', 'light', 'merge:linear', 'merge:task', 'merge:again', 'same-data'], 0.35)
            prints = self.root('sd', unets[1], born())
            self.family(prints, rng.randint(6, 8), ['ldm', 'full', 'frozen', 'light', 'merge:slerp'], 0.3)
            doodles = self.root('sd', unets[2], born(), effort=0.5)
            self.family(doodles, 3, ['full', rng.choice(['cast', 'copy'])], 0.0)
            self.misdate(chain, hub)
        self.declare()

    def build_plain(self):
        """The recipes of the bench's first zoo: three families of each kind, a child every few days, a root uploaded after all its children."""
        rng = self.rng
        wide, other = rng.sample(SHAPES, 2)
        roots = []
        for arch, shape in [('llama', wide), ('llama', wide), ('llama', other), *(('sd', unet) for unet in rng.sample(UNETS, 3))]:
            roots.append(self.root(arch, shape, datetime(2023, 7, 20)))
        now = datetime(2023, 8, 1)

        def dated(repo):
            nonlocal now
            now += timedelta(hours=rng.uniform(6, 240))
            repo.created = now
            return repo

        for index, root in enumerate(roots):
            tuned = []

            def parent(deep=0.3):
                return rng.choice(tuned) if tuned and rng.random() < deep else root

            half = 2 if index == 2 else 1
            if root.arch == 'llama':
                rates = [3e-5, 6e-5, 1e-4, 2e-4, 4e-4]
                for kind, deep, pace in [
                    ('full', 0, (rng.choice(rates), 80 // half)), ('lora-qv', 0, (rng.choice([3e-4, 1e-3]), 80 // half)),
                    ('full', 0.2, (rng.choice(rates), 160 // half)), ('lora-all', 0.2, (rng.choice([3e-4, 1e-3]), 80 // half)),
                    ('grow', 0.3, (rng.choice(rates), 80 // half)), ('continued', 0.3, (rng.choice([4e-4, 1e-3]), 300)),
                    *([] if index == 2 else [('sgd', 0.2, (1e-2, 80)), ('full', 0.2, (rng.choice(rates), 80))]),
                    *([('full', 1, (4e-4, 80)), ('lora-qv', 0.2, (rng.choice([3e-4, 1e-3]), 80))] if index == 0 else []),
                    ('full', 0.7, (1e-4, 60)),
                ]:
                    tuned.append(dated(self.finetune(parent(deep), kind, pace=pace)))
                dpo = dated(self.finetune(tuned[-1], 'full', pace=(6e-5, 60)))
                first = dated(self.finetune(root, 'full', suffix='run-ckpt-100', pace=(2e-4, 60), dtype=root.dtype))
                dated(self.finetune(first, 'full', suffix='run-ckpt-200', pace=(2e-4, 60), dtype=root.dtype, owner=first.owner))
                same = [m for m in tuned if m.cfg['vocab'] == root.cfg['vocab']]
                dated(self.copy(root))
                for made in (lambda: self.cast(root), lambda: self.cast(rng.choice(tuned)), lambda: self.quantize(rng.choice([*tuned, dpo])), lambda: self.quantize(root),
                             lambda: self.adapter(root), lambda: self.merge('slerp', rng.sample(same, 2), root), lambda: self.merge('linear', rng.sample(same, 3), root),
                             lambda: self.merge('task', rng.sample(same, 2), root), lambda: self.relayer(root, True), lambda: self.relayer(rng.choice(tuned), False),
                             lambda: self.launder(rng.choice(tuned))):
                    dated(made())
            else:
                for kind, pace in rng.choices([('full', (3e-4, 80)), ('full', (3e-5, 40)), ('full', (1e-4, 80)), ('lora-qv', (1e-3, 60)), ('frozen', (3e-4, 60))], k=[8, 6, 4][index - 3]):
                    tuned.append(dated(self.finetune(parent(0.4), kind, pace=pace)))
                for made in (lambda: self.cast(root, 'ldm'), lambda: self.copy(root), lambda: self.merge('linear', rng.sample(tuned, 2), root)):
                    dated(made())
        late = rng.choice(roots[:3])
        late.created = max(r.created for r in self.repos.values() if r.family == late.id) + timedelta(days=rng.uniform(1, 150))
        for copy in self.repos.values():  # nothing could tell an older copy with the same bytes from the original
            if copy.relation == 'duplicate' and late in copy.parents:
                copy.created = late.created + timedelta(days=rng.uniform(1, 30))
        rng.choice([r for r in roots[:3] if r is not late]).more['gated'] = 'manual'
        self.declare()

    def misdate(self, late_root, hub):
        """Dates that do not mean what they seem: a root uploaded after its first children, repos deleted and made again."""
        children = sorted(r.created for r in self.repos.values() if late_root in r.parents)
        if len(children) > 2:
            late_root.created = children[len(children) // 2] + timedelta(hours=5)
            for copy in self.repos.values():  # nothing could tell an older copy with the same bytes from the original
                if copy.relation == 'duplicate' and late_root in copy.parents:
                    copy.created = late_root.created + timedelta(days=self.rng.uniform(1, 30))
        again = [r for r in self.repos.values() if r.relation == 'finetune' and any(r in c.parents for c in self.repos.values())]
        for repo in self.rng.sample(again, min(2, len(again))):
            repo.created += timedelta(days=self.rng.uniform(60, 200))
            repo.more['note'] = 'deleted and made again: created after some of its children'

    # ---- what the authors say

    def declare(self):
        rng = self.rng
        repos = list(self.repos.values())
        by_id = self.repos

        def original(repo):
            return original(repo.parents[0]) if repo.relation in ('duplicate', 'cast') else repo

        def ancestors(repo):
            found = []
            for parent in repo.parents:
                found += [parent] + ancestors(parent)
            return found

        roots = [r for r in repos if r.relation == 'root']
        for repo in repos:
            if repo.relation == 'root':
                continue
            table = {
                'finetune': dict(correct=44, missing=18, wrong=12, ancestor=10, sibling=8, unresolvable=8),
                'merge': dict(correct=60, missing=20, ancestor=20),
                'duplicate': dict(correct=45, missing=45, ancestor=10),
                'cast': dict(correct=75, missing=20, wrong=5),
                'quantized': dict(correct=70, missing=12, wrong=18),
                'adapter': dict(correct=75, unresolvable=15, wrong=10),
                'upscaled': dict(correct=50, missing=50),
                'pruned': dict(correct=50, missing=50),
                'laundered': dict(missing=50, wrong=50),
            }[repo.relation]
            status = rng.choices(list(table), list(table.values()))[0]
            above = ancestors(repo)
            line = {original(a).id for a in above} | {original(repo).id}
            gone = [p for p in repo.parents if p.id not in by_id]
            if gone and status in ('correct', 'ancestor'):
                status = 'unresolvable'
            declared = []
            if status == 'correct':
                declared = [p.id for p in repo.parents]
            elif status == 'ancestor':
                direct = {original(p).id for p in repo.parents}
                far = [a for a in above if a.id in by_id and original(a).id not in direct and original(a).id != original(repo).id
                       and all(a in ancestors(p) for p in repo.parents)]
                declared = [far[-1].id] if far else [p.id for p in repo.parents]
                status = 'ancestor' if far else 'correct'
            elif status == 'sibling':
                near = [r for r in repos if r.family == repo.family and r.relation in ('finetune', 'merge') and original(r).id not in line
                        and not any(original(a) is original(repo) for a in ancestors(r))]
                declared = [rng.choice(near).id] if near else []
                status = 'sibling' if near else 'missing'
            elif status == 'wrong':
                others = [r for r in roots if r.arch == repo.arch and r.family != repo.family]
                twins = [r for r in others if r.cfg == by_id.get(repo.family, repo).cfg]
                declared = [rng.choice(twins if twins and rng.random() < 0.6 else others).id] if others else []
                status = 'wrong' if others else 'missing'
            elif status == 'unresolvable':
                base = repo.family.split('/')[1]
                declared = [gone[0].id if gone else rng.choice(['/workspace/output/checkpoint-500', './models/llama-base', f'gone-org/{base}-v0', 'outputs/merged'])]
            if status == 'correct' and len(declared) == 1:
                owner, name = declared[0].split('/')
                declared = [rng.choices([f'{owner}/{name}', f'https://huggingface.co/{owner}/{name}', f'{owner}/{name}'.lower(), f'{owner}/{name}'.upper(),
                                         f'https://huggingface.co/{owner}/{name}/', f'https://hf.co/{owner}/{name}', f'https://huggingface.co/{owner}/{name}/tree/main'],
                                        [78, 6, 4, 2, 3, 3, 4])[0]]
            repo.declared, repo.declared_status = declared, status
            if declared and repo.relation in ('merge', 'adapter', 'quantized'):
                repo.declared_relation = repo.relation
            elif declared and repo.relation == 'finetune' and rng.random() < 0.2:
                repo.declared_relation = 'finetune'

    # ---- onto the disk

    def write(self, out):
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        listing, truth = [], OrderedDict()
        for repo in self.repos.values():
            folder = os.path.join(out, repo.id)
            os.makedirs(folder)
            write_repo(repo, folder)
            card = card_of(repo)
            with open(os.path.join(folder, 'README.md'), 'w') as file:
                file.write(f'---\n{to_yaml(card)}---\n\n# {repo.id.split("/")[1]}\n')
            files = sorted(os.path.relpath(os.path.join(at, n), folder) for at, _, names in os.walk(folder) for n in names)
            listing.append(listing_row(repo, card, files, self.rng))
            row = OrderedDict(parents=[p.id for p in repo.parents], relation=repo.relation, arch=repo.arch, declared=repo.declared,
                              declared_relation=repo.declared_relation, declared_status=repo.declared_status, detail=repo.detail)
            gone = [p.id for p in repo.parents if p.id not in self.repos]
            for key, value in (('dtype', repo.dtype), ('format', repo.format), ('step', repo.more.get('step')), ('weights', repo.more.get('shares')),
                               ('note', repo.more.get('note')), ('deleted', gone)):
                if value:
                    row[key] = value
            truth[repo.id] = row
        for name, value in (('repos.json', listing), ('truth.json', truth)):
            with open(os.path.join(out, name), 'w') as file:
                json.dump(value, file, indent=1)


# ---------------------------------------------------------------- containers

TAGS = {'bfloat16': 'BF16', 'float16': 'F16', 'float32': 'F32'}


def write_safetensors(path, tensors, metadata=True):
    header, parts, offset = OrderedDict(), [], 0
    if metadata:
        header['__metadata__'] = {'format': 'pt'}
    for name, w in tensors.items():
        data = raw(w)
        header[name] = {'dtype': TAGS[str(w.dtype)[6:]], 'shape': list(w.shape), 'data_offsets': [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(parts))


def raw(w):
    w = w.contiguous()
    return (w.view(torch.int16) if w.dtype == torch.bfloat16 else w).numpy().tobytes()


def write_sharded(folder, tensors, stem, extension, count, save):
    total = sum(w.numel() * w.element_size() for w in tensors.values())
    shards, size = [OrderedDict()], 0
    for name, w in tensors.items():
        if size > total / count and len(shards) < count:
            shards.append(OrderedDict())
            size = 0
        shards[-1][name] = w
        size += w.numel() * w.element_size()
    where = {}
    for index, shard in enumerate(shards):
        file = f'{stem}-{index + 1:05d}-of-{len(shards):05d}.{extension}'
        save(os.path.join(folder, file), shard)
        where.update({name: file for name in shard})
    dump(os.path.join(folder, f'{stem}.{extension}.index.json'), {'metadata': {'total_size': total}, 'weight_map': dict(sorted(where.items()))})


def save_bin(path, tensors):
    torch.save(OrderedDict((k, v.clone()) for k, v in tensors.items()), path)


def dump(path, value):
    with open(path, 'w') as file:
        json.dump(value, file, indent=2)


def llama_config(repo):
    c = repo.cfg
    return {
        'architectures': ['LlamaForCausalLM'], 'attention_bias': False, 'bos_token_id': 1, 'eos_token_id': 2, 'hidden_act': 'silu', 'hidden_size': c['hidden'],
        'initializer_range': 0.02, 'intermediate_size': c['inter'], 'max_position_embeddings': 2048, 'model_type': 'llama', 'num_attention_heads': c['heads'],
        'num_hidden_layers': c['layers'], 'num_key_value_heads': c['kv'], 'rms_norm_eps': 1e-05, 'rope_theta': c['theta'], 'tie_word_embeddings': c['tied'],
        'torch_dtype': DTYPES[repo.dtype], 'transformers_version': '4.41.2', 'use_cache': True, 'vocab_size': c['vocab'],
    }


def write_repo(repo, folder):
    stem = repo.id.split('/')[1]
    if repo.format == 'gguf':
        for quant in repo.quants:
            parent = repo.parents[0].id.split('/')[1]
            write_gguf(os.path.join(folder, f'{parent.lower()}.{quant}.gguf'), repo, parent, quant)
    elif repo.format == 'peft':
        tensors = OrderedDict()
        for name, (a, b) in repo.factors.items():
            at = 'base_model.model.' + name[: -len('.weight')]
            tensors[at + '.lora_A.weight'], tensors[at + '.lora_B.weight'] = a.detach(), b.detach()
        write_safetensors(os.path.join(folder, 'adapter_model.safetensors'), tensors, False)
        dump(os.path.join(folder, 'adapter_config.json'), {
            'base_model_name_or_path': repo.declared[0] if repo.declared else None, 'bias': 'none', 'lora_alpha': 2 * repo.more['rank'], 'lora_dropout': 0.0,
            'peft_type': 'LORA', 'r': repo.more['rank'], 'target_modules': list(repo.more['names']), 'task_type': 'CAUSAL_LM'})
    elif repo.arch == 'llama':
        dump(os.path.join(folder, 'config.json'), llama_config(repo))
        shards = 2 + len(stem) % 2
        if repo.format == 'safetensors':
            write_safetensors(os.path.join(folder, 'model.safetensors'), repo.weights)
        elif repo.format == 'shards':
            write_sharded(folder, repo.weights, 'model', 'safetensors', shards, write_safetensors)
        elif repo.format == 'bin':
            save_bin(os.path.join(folder, 'pytorch_model.bin'), repo.weights)
        else:
            write_sharded(folder, repo.weights, 'pytorch_model', 'bin', shards, save_bin)
    elif repo.format in ('ldm', 'ckpt'):
        tensors = OrderedDict((to_ldm(name, repo.cfg['per_block']), w) for name, w in repo.weights.items())
        if repo.format == 'ldm':
            write_safetensors(os.path.join(folder, f'{stem}.safetensors'), tensors)
        else:
            torch.save({'state_dict': {k: v.clone() for k, v in tensors.items()}, 'global_step': 1000}, os.path.join(folder, f'{stem}.ckpt'))
    else:
        parts = {'unet': OrderedDict(), 'text_encoder': OrderedDict(), 'vae': OrderedDict()}
        for name, w in repo.weights.items():
            part = 'text_encoder' if name.startswith('te.') else 'vae' if name.startswith('vae.') else 'unet'
            parts[part][name.split('.', 1)[1] if part != 'unet' else name] = w
        for part, tensors in parts.items():
            os.makedirs(os.path.join(folder, part))
            file = 'model.safetensors' if part == 'text_encoder' else 'diffusion_pytorch_model.safetensors'
            write_safetensors(os.path.join(folder, part, file), tensors)
        dump(os.path.join(folder, 'unet', 'config.json'), {
            '_class_name': 'UNet2DConditionModel', '_diffusers_version': '0.27.2', 'act_fn': 'silu', 'attention_head_dim': 4,
            'block_out_channels': list(repo.cfg['channels']), 'center_input_sample': False, 'cross_attention_dim': repo.cfg['context'],
            'down_block_types': ['CrossAttnDownBlock2D'] * 2, 'downsample_padding': 1, 'flip_sin_to_cos': True, 'freq_shift': 0, 'in_channels': 4,
            'layers_per_block': repo.cfg['per_block'], 'mid_block_scale_factor': 1, 'norm_eps': 1e-05, 'norm_num_groups': 8, 'out_channels': 4,
            'sample_size': SIDE, 'up_block_types': ['CrossAttnUpBlock2D'] * 2})
        dump(os.path.join(folder, 'model_index.json'), {
            '_class_name': 'StableDiffusionPipeline', '_diffusers_version': '0.27.2', 'scheduler': ['diffusers', 'DDIMScheduler'],
            'unet': ['diffusers', 'UNet2DConditionModel'], 'text_encoder': ['transformers', 'CLIPTextModel'], 'vae': ['diffusers', 'AutoencoderKL']})


RESNET = {'norm1': 'in_layers.0', 'conv1': 'in_layers.2', 'time_emb_proj': 'emb_layers.1', 'norm2': 'out_layers.0', 'conv2': 'out_layers.3', 'conv_shortcut': 'skip_connection'}
PLAIN = {'conv_in': 'input_blocks.0.0', 'time_embedding.linear_1': 'time_embed.0', 'time_embedding.linear_2': 'time_embed.2', 'conv_norm_out': 'out.0', 'conv_out': 'out.2'}


def to_ldm(name, per_block):
    """diffusers' name -> the one of the original Stable Diffusion checkpoints (diffusers/scripts/convert_diffusers_to_original...)."""
    if name.startswith('te.'):
        return 'cond_stage_model.transformer.' + name[3:]
    if name.startswith('vae.'):
        return 'first_stage_model.' + name[4:]
    at, kind = name.rsplit('.', 1)
    if at in PLAIN:
        return f'model.diffusion_model.{PLAIN[at]}.{kind}'
    parts = at.split('.')
    if parts[0] == 'mid_block':
        block, group, index, rest = 'middle_block', parts[1], int(parts[2]), parts[3:]
        slot = 1 if group == 'attentions' else 2 * index
        inner = '.'.join(rest) if group == 'attentions' else RESNET[rest[0]]
        return f'model.diffusion_model.{block}.{slot}.{inner}.{kind}'
    i, group, index, rest = int(parts[1]), parts[2], int(parts[3]), parts[4:]
    if group == 'downsamplers':
        return f'model.diffusion_model.input_blocks.{(i + 1) * (per_block + 1)}.0.op.{kind}'
    if group == 'upsamplers':
        return f'model.diffusion_model.output_blocks.{i * (per_block + 1) + per_block}.2.conv.{kind}'
    inner = '.'.join(rest) if group == 'attentions' else RESNET[rest[0]]
    number = (1 if parts[0] == 'down_blocks' else 0) + i * (per_block + 1) + index
    return f'model.diffusion_model.{"input" if parts[0] == "down_blocks" else "output"}_blocks.{number}.{1 if group == "attentions" else 0}.{inner}.{kind}'


GGUF_NAMES = {'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k', 'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output', 'mlp.gate_proj': 'ffn_gate',
              'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down', 'input_layernorm': 'attn_norm', 'post_attention_layernorm': 'ffn_norm'}


def write_gguf(path, repo, name, quant):
    """As llama.cpp's convert_hf_to_gguf and quantize: rows of q and k permuted for its RoPE, 1-D tensors in F32, rows that are no
    multiple of 32 left in F16."""
    c = repo.cfg
    infos, parts, offset = [], [], 0
    for key, w in repo.weights.items():
        if key.startswith('model.layers.'):
            _, _, layer, rest = key[: -len('.weight')].split('.', 3)
            to = f'blk.{layer}.{GGUF_NAMES[rest]}.weight'
        else:
            to = {'model.embed_tokens.weight': 'token_embd.weight', 'model.norm.weight': 'output_norm.weight', 'lm_head.weight': 'output.weight'}[key]
        x = w.float().numpy()
        if to.endswith(('attn_q.weight', 'attn_k.weight')):
            heads = c['heads'] if 'attn_q' in to else c['kv']
            x = x.reshape(heads, 2, x.shape[0] // heads // 2, x.shape[1]).swapaxes(1, 2).reshape(x.shape)
        code = 0 if x.ndim == 1 else 1 if quant == 'F16' or x.shape[1] % 32 else {'Q8_0': 8, 'Q4_0': 2}[quant]
        data = {0: lambda: x.astype('<f4').tobytes(), 1: lambda: x.astype('<f2').tobytes(), 8: lambda: q8_0(x), 2: lambda: q4_0(x)}[code]()
        infos.append(gguf_string(to) + struct.pack('<I', x.ndim) + b''.join(struct.pack('<Q', n) for n in reversed(x.shape)) + struct.pack('<IQ', code, offset))
        data += b'\0' * (-len(data) % 32)
        parts.append(data)
        offset += len(data)
    pairs = [('general.architecture', 'llama'), ('general.name', name), ('general.file_type', {'F16': 1, 'Q8_0': 7, 'Q4_0': 2}[quant]), ('general.quantization_version', 2),
             ('llama.block_count', c['layers']), ('llama.embedding_length', c['hidden']), ('llama.feed_forward_length', c['inter']), ('llama.attention.head_count', c['heads']),
             ('llama.attention.head_count_kv', c['kv']), ('llama.context_length', 2048), ('llama.rope.freq_base', float(c['theta'])),
             ('llama.attention.layer_norm_rms_epsilon', 1e-5), ('general.alignment', 32)]
    head = b'GGUF' + struct.pack('<IQQ', 3, len(infos), len(pairs))
    for key, value in pairs:
        kind = 8 if isinstance(value, str) else 6 if isinstance(value, float) else 4
        head += gguf_string(key) + struct.pack('<I', kind) + (gguf_string(value) if kind == 8 else struct.pack('<f' if kind == 6 else '<I', value))
    head += b''.join(infos)
    with open(path, 'wb') as file:
        file.write(head + b'\0' * (-len(head) % 32) + b''.join(parts))


def gguf_string(text):
    data = text.encode()
    return struct.pack('<Q', len(data)) + data


def q8_0(x):
    blocks = x.reshape(-1, 32)
    d = np.abs(blocks).max(1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), d, out=np.zeros_like(d), where=d != 0)
    scaled = blocks * inverse
    codes = (np.sign(scaled) * np.floor(np.abs(scaled) + np.float32(0.5))).astype(np.int8)  # C's roundf, not numpy's half to even
    return np.concatenate([d.astype('<f2').view(np.int8), codes], 1).tobytes()


def q4_0(x):
    blocks = x.reshape(-1, 32)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(1)[:, None], 1)
    d = extreme / np.float32(-8)
    inverse = np.divide(np.float32(1), d, out=np.zeros_like(d), where=d != 0)
    codes = np.minimum(15, (blocks * inverse + np.float32(8.5)).astype(np.int8)).astype(np.uint8)
    return np.concatenate([d.astype('<f2').view(np.uint8), codes[:, :16] | codes[:, 16:] << 4], 1).tobytes()


# ---------------------------------------------------------------- card and listing


def card_of(repo):
    library = 'peft' if repo.format == 'peft' else 'transformers' if repo.arch == 'llama' else 'diffusers'
    card = OrderedDict(license='apache-2.0', library_name=library, pipeline_tag='text-generation' if repo.arch == 'llama' else 'text-to-image')
    if repo.declared:
        card['base_model'] = repo.declared[0] if len(repo.declared) == 1 else repo.declared
    if repo.declared_relation:
        card['base_model_relation'] = repo.declared_relation
    return card


def to_yaml(card):
    return ''.join(f'{key}:\n' + ''.join(f'- {v}\n' for v in value) if isinstance(value, list) else f'{key}: {value}\n' for key, value in card.items())


def listing_row(repo, card, files, rng):
    tags = ['gguf'] if repo.format == 'gguf' else []
    tags.append(card['library_name'])
    if any(f.endswith('.safetensors') for f in files):
        tags.append('safetensors')
    tags += ['llama', 'text-generation'] if repo.arch == 'llama' else ['stable-diffusion', 'text-to-image', 'diffusers:StableDiffusionPipeline']
    for base in repo.declared:  # the Hub makes tags of what looks like a repo id
        if base.count('/') == 1 and not base.startswith(('.', '/')):
            tags += [f'base_model:{base}', f'base_model:{repo.declared_relation or "finetune"}:{base}']
    tags += ['license:apache-2.0', 'region:us']
    if repo.arch == 'llama':
        config = {'architectures': ['LlamaForCausalLM'], 'model_type': 'llama'}
    else:
        config = {'diffusers': {'_class_name': 'StableDiffusionPipeline'}}

    def stamp(when):
        return when.strftime('%Y-%m-%dT%H:%M:%S.000Z')

    return OrderedDict(
        id=repo.id, author=repo.owner, sha=hashlib.sha1(f'{repo.id} {repo.created}'.encode()).hexdigest(), createdAt=stamp(repo.created),
        lastModified=stamp(repo.created + timedelta(hours=2)), downloads=int(rng.lognormvariate(6, 2.5)), likes=int(rng.lognormvariate(2, 1.8)), private=False,
        gated=repo.more.get('gated') or False, disabled=False, library_name=card['library_name'], pipeline_tag=card['pipeline_tag'], tags=tags,
        cardData=card, config=config, siblings=[{'rfilename': f} for f in files])


# ---------------------------------------------------------------- check: reads what was written, without PyTorch

STATUSES = {'correct', 'missing', 'wrong', 'ancestor', 'sibling', 'unresolvable', 'none'}
RELATIONS = {'root', 'finetune', 'duplicate', 'cast', 'quantized', 'adapter', 'merge', 'upscaled', 'pruned', 'laundered'}
WIDTHS = {'BF16': 2, 'F16': 2, 'F32': 4}


def check(out):
    """Every complaint about a zoo, as lines: files against headers, truth against itself and against the listing."""
    complaints = []
    with open(os.path.join(out, 'repos.json')) as file:
        listing = {row['id']: row for row in json.load(file)}
    with open(os.path.join(out, 'truth.json')) as file:
        truth = json.load(file)
    if set(listing) != set(truth):
        complaints.append(f'repos.json and truth.json differ: {sorted(set(listing) ^ set(truth))}')

    def ancestors(repo, seen=()):
        if repo in seen:
            complaints.append(f'{repo}: a circle')
            return set()
        parents = truth.get(repo, {}).get('parents', [])
        return set(parents).union(*(ancestors(p, (*seen, repo)) for p in parents)) if parents else set()

    def plain(name):
        for prefix in ('https://huggingface.co/', 'https://hf.co/'):
            if name.startswith(prefix):
                name = '/'.join(name[len(prefix):].split('/')[:2])
        return name.lower()

    known = {repo.lower() for repo in truth}
    for repo, row in truth.items():
        above = {a.lower() for a in ancestors(repo)}
        said, status = [plain(d) for d in row['declared']], row['declared_status']
        if row['relation'] not in RELATIONS or status not in STATUSES:
            complaints.append(f'{repo}: relation {row["relation"]} or status {status} unknown')
        if (row['relation'] == 'root') != (not row['parents']) or (row['relation'] == 'merge') != (len(row['parents']) > 1):
            complaints.append(f'{repo}: a {row["relation"]} with {len(row["parents"])} parents')
        missing = [p for p in row['parents'] if p not in truth]
        if missing != row.get('deleted', []):
            complaints.append(f'{repo}: parents {missing} are neither there nor deleted')
        direct = {p.lower() for p in row['parents']}
        true = {
            'correct': set(said) == direct,
            'missing': not said,
            'none': not said and row['relation'] == 'root',
            'ancestor': bool(said) and all(d in above - direct for d in said),
            'sibling': bool(said) and all(d in known and d not in above for d in said),
            'wrong': bool(said) and all(d in known and d not in above for d in said),
            'unresolvable': bool(said) and all(d not in known for d in said),
        }[status]
        if not true:
            complaints.append(f'{repo}: declares {row["declared"]}, which is not {status}')
        folder = os.path.join(out, repo)
        listed = {s['rfilename'] for s in listing.get(repo, {}).get('siblings', [])}
        there = {os.path.relpath(os.path.join(at, n), folder) for at, _, names in os.walk(folder) for n in names}
        if listed != there:
            complaints.append(f'{repo}: listed files differ from those there: {sorted(listed ^ there)}')
        for name in sorted(there):
            complaints += [f'{repo}/{name}: {c}' for c in check_file(os.path.join(folder, name))]
    return complaints


def check_file(path):
    size = os.path.getsize(path)
    with open(path, 'rb') as file:
        if path.endswith('.safetensors'):
            length = struct.unpack('<Q', file.read(8))[0]
            header, end = json.loads(file.read(length)), 0
            for name, info in header.items():
                if name == '__metadata__':
                    continue
                start, stop = info['data_offsets']
                if start != end or stop - start != math.prod(info['shape']) * WIDTHS[info['dtype']]:
                    return [f'{name} lies at {start}-{stop}']
                end = stop
            return [] if size == 8 + length + end else ['trailing or missing bytes']
        if path.endswith('.gguf'):
            magic, version, tensors, _ = struct.unpack('<4sIQQ', file.read(24))
            return [] if magic == b'GGUF' and version == 3 and tensors > 5 else ['no GGUF']
    if path.endswith(('.bin', '.ckpt')):
        return [] if zipfile.is_zipfile(path) and any(n.endswith('data.pkl') for n in zipfile.ZipFile(path).namelist()) else ['no PyTorch zip']
    if path.endswith('.json'):
        with open(path) as file:
            json.load(file)
    return []


def main():
    parser = argparse.ArgumentParser(description='Trains a zoo of small models with known lineage.')
    parser.add_argument('out')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--size', choices=['full', 'small'], default='full')
    parser.add_argument('--plan', choices=['wide', 'plain'], default='wide', help='plain: only what the first zoo of the benches has')
    parser.add_argument('--effort', type=float, default=1.0, help='share of the usual steps that roots are trained for')
    parser.add_argument('--check', action='store_true', help='only validate OUT')
    args = parser.parse_args()
    if not args.check:
        global torch, F, np
        import numpy as np
        import torch
        import torch.nn.functional as F

        torch.set_num_threads(1)  # equal seeds must make equal bytes, and other work shares the machine
        torch.manual_seed(args.seed)
        hub = Hub(args.seed, args.size, args.effort)
        hub.build() if args.plan == 'wide' else hub.build_plain()
        hub.write(args.out)
    complaints = check(args.out)
    for line in complaints:
        print(line, file=sys.stderr)
    print(f'{args.out}: {"valid" if not complaints else f"{len(complaints)} complaints"}')
    sys.exit(1 if complaints else 0)


if __name__ == '__main__':
    main()
