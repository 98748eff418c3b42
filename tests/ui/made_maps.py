"""Maps of a job that was never trained: eight heads, each looking at its own place."""

from __future__ import annotations

import numpy as np

from models.transformer.patches import PatchGrid, TokenIndex
from models.transformer.token_map import from_index
from thingsviz.explain.map_files import MapSet, fingerprint
from thingsviz.explain.tests_of_maps import CEILING, RANDOM
from thingsviz.pipeline.tasks.registry import open_task

METHODS = ("attention", "occlusion", "pattern")


def made_maps(job, n_heads: int = 8, part: str = "test") -> MapSet:
    """Keep maps of two layers of attention, of occlusion, and a pattern, with a judgement."""
    store = open_task(job).store
    x, y, z = store.mask.shape
    tokens = from_index(TokenIndex.of(store.mask, PatchGrid((x, y, z), (6, 7, 5), pad=True)))
    rng = np.random.default_rng(0)
    attention = 1 + 30.0 * (rng.random((2, n_heads, tokens.n_tokens)) > 0.97)
    values = {
        "attention": attention / attention.sum(-1, keepdims=True),
        "occlusion": rng.standard_normal(tokens.n_tokens),
        "pattern": rng.random(store.shape[1]) ** 8,
    }
    maps, name = MapSet(job, part), fingerprint(job, store.fingerprint)
    for method, value in values.items():
        maps.save(method, value, name)
    maps.save_tokens(tokens)
    made = {m: {"n_trials": 20, "seconds": 1.5, "shape": []} for m in METHODS}
    maps.add_facts(
        fingerprint=name,
        made=made,
        n_layers=2,
        n_heads=n_heads,
        n_tokens=tokens.n_tokens,
        read_out="from the CLS token to each brain token",
        token_note="",
        **judged(),
    )
    return maps


def judged() -> dict:
    """A judgement as `thingsviz.commands.maps` writes it."""
    curve = [1.0, 0.8, 0.4, 0.0]
    names = [RANDOM, *METHODS, CEILING]
    area = {"deletion": [0.1, 0.05, 0.15], "insertion": [0.1, 0, 0.2], "comprehensiveness": 0.2}
    steps = [{"what": "head", "correlation": 0.8}, {"what": "embedding", "correlation": 0.05}]
    return {
        "faithfulness": {
            "shares": [0.0, 0.2, 0.5, 1.0],
            "deletion": dict.fromkeys(names, curve),
            "insertion": dict.fromkeys(names, curve[::-1]),
            "areas": dict.fromkeys([*METHODS, CEILING], area),
        },
        "sanity": dict.fromkeys(METHODS, steps),
        "truth": {key: {"auc": 0.6, "auc_smooth": 0.91} for key in METHODS},
    }
