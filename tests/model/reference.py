"""The equations of `docs/method.md`, written out a second time: slowly, and head by head."""

import torch
from torch import Tensor

from nearl_core.model.nearl import Nearl, Oca, UseBlock
from nearl_core.model.towers import OpenClip


def features(
    model: OpenClip, nearl: Nearl, images: Tensor, prompts: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Normalised features: of images, B x E, and of labels, C x E; texts are not cut."""
    texts, h_t = _text_side(model, nearl, prompts)
    return torch.cat([_image(model, nearl, one[None], h_t) for one in images]), texts


def _text_side(model: OpenClip, nearl: Nearl, prompts: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    tokens = torch.cat(prompts)
    eot = tokens.argmax(-1)
    labels = [c for c, part in enumerate(prompts) for _ in part]
    x = model.token_embedding(tokens) + model.positional_embedding
    depth, z, h_t = nearl.config.text_depth, nearl.queries[None], []
    first = nearl.config.first_layer * depth // nearl.config.image_depth
    for k, block in enumerate(model.transformer.resblocks):
        x = block(x, attn_mask=model.attn_mask)
        f = torch.stack([x[p, place] for p, place in enumerate(eot)])
        h = _normed(f) @ nearl.text.down
        h_t.append(
            torch.stack([h[[c == own for own in labels]].mean(0) for c in range(len(prompts))])
        )
        if k < first:
            continue
        z = _synergy(nearl, k * len(nearl.use) // depth, z, nearl.visual_context[k], h_t[k])
        x = x.clone()
        for p, place in enumerate(eot):
            x[p, place] = f[p] + _update(nearl, "text", k, f[p], h[p], z[0])
    x = model.ln_final(x)
    pooled = torch.stack([x[p, place] for p, place in enumerate(eot)]) @ model.text_projection
    pooled = pooled / pooled.norm(dim=-1, keepdim=True)
    means = [pooled[[c == own for own in labels]].mean(0) for c in range(len(prompts))]
    return torch.stack([mean / mean.norm() for mean in means]), h_t


def _image(model: OpenClip, nearl: Nearl, image: Tensor, h_t: list[Tensor]) -> Tensor:
    visual, depth, z = model.visual, nearl.config.image_depth, nearl.queries[None]
    x = visual._embeds(image)
    for k, block in enumerate(visual.transformer.resblocks):
        x = block(x)
        if k < nearl.config.first_layer:
            continue
        beside = max(round((k + 1) / depth * len(h_t)), 1) - 1
        h = _normed(x[0]) @ nearl.image.down
        z = _synergy(nearl, k * len(nearl.use) // depth, z, h[0], h_t[beside])
        moved = [f + _update(nearl, "image", k, f, own, z[0]) for f, own in zip(x[0], h)]  # noqa: B905
        x = torch.stack(moved)[None]
    pooled: Tensor = visual._pool(x)[0] @ visual.proj
    return torch.as_tensor(pooled / pooled.norm(dim=-1, keepdim=True))


def _update(nearl: Nearl, modality: str, k: int, f: Tensor, h: Tensor, z: Tensor) -> Tensor:
    """Equations 4 to 6 of one token: D."""
    side = nearl.side(modality)
    first = nearl.config.first_layer * len(side.scale) // nearl.config.image_depth
    oca = side.adapters[k - first]
    assert isinstance(oca, Oca)
    mixed = _attend(oca.query.weight @ h, z @ oca.key.weight.T, z @ oca.value.weight.T)
    u = (oca.out.weight @ mixed) @ side.up
    u_par = (u @ f) / (f @ f) * f
    return side.scale[k] * (u - u_par) + nearl.config.beta * u_par


def _synergy(nearl: Nearl, block: int, z: Tensor, h_v: Tensor, h_t: Tensor) -> Tensor:
    """Equation 3: 1 x M x r."""
    use = nearl.use[block]
    assert isinstance(use, UseBlock)
    tokens = use.norm_1(torch.cat([z[0], h_v[None], h_t]))
    q, k, v = (tokens @ weight.T for weight in use.qkv.weight.chunk(3))
    mixed = torch.stack([_attend(q[m], k, v) for m in range(z.shape[1])])
    z = z + mixed @ use.out.weight.T
    wide = torch.nn.functional.gelu(use.norm_2(z) @ use.wide.weight.T)
    return z + wide @ use.narrow.weight.T


def _attend(q: Tensor, k: Tensor, v: Tensor, heads: int = 4) -> Tensor:
    """One question q (r) to K keys and values (K x r): r."""
    parts = zip(q.chunk(heads), k.chunk(heads, -1), v.chunk(heads, -1), strict=True)
    return torch.cat([(kh @ qh / len(qh) ** 0.5).softmax(0) @ vh for qh, kh, vh in parts])


def _normed(f: Tensor) -> Tensor:
    mean, variance = f.mean(-1, keepdim=True), f.var(-1, keepdim=True, unbiased=False)
    return (f - mean) / (variance + 1e-5).sqrt()
