"""Small job results made by hand, in the schemas of a job folder."""

import numpy as np
import pandas as pd

TARGETS = ("heavy", "lives", "grasp", "size")


def scores(model="vit3d"):
    """Tidy scores: r and mse of four properties and their mean, single trials of the test part."""
    value = {"heavy": 0.5, "lives": 0.4, "grasp": 0.3, "size": 0.2, "mean": 0.35}
    rows = []
    for target, r in value.items():
        common = {"part": "test", "n_averaged": "single", "target": target, "metric": "r"}
        common |= {"n_trials": 240, "n_concepts": 20}
        beside = {"chance": 0.0, "mean": None, "ridge": r + 0.1, "ceiling": 0.8, "oracle": 0.7}
        rows.append(
            {"model": model, "value": r, "low": r - 0.1, "high": r + 0.2, "p": 0.01} | common
        )
        for name, reference in beside.items():
            empty = {"low": None, "high": None, "p": None}
            rows.append({"model": name, "value": reference} | empty | common)
        rows.append(
            {"model": model, "value": 1 - r, "low": 0.1, "high": 1.5, "p": None}
            | common
            | {"metric": "mse"}
        )
    return pd.DataFrame(rows)


def class_scores(model="logistic"):
    """Tidy scores of a decoder of 720 classes, as originally: 2 of 157 within the first 10."""
    rows = []
    for k in (1, 5, 10):
        common = {"part": "test", "n_averaged": "single", "target": "mean", "metric": f"top{k}"}
        common |= {"n_trials": 157, "n_concepts": 142, "p": None, "low": None, "high": None}
        own = {"model": model, "value": 2 / 157, "hits": 2, "low": 0.0015, "high": 0.0453}
        rows.append(common | own)
        beside = {"chance": k / 720, "prior": 3 / 157, "ridge": 0.04, "identification": 0.05}
        rows += [common | {"model": name, "value": v} for name, v in beside.items()]
    return pd.DataFrame(rows)


def predictions(n_images=6, n_repeats=3, seed=0):
    """Test predictions: `n_repeats` single trials of each image, and a row with their mean."""
    rng = np.random.default_rng(seed)
    rows = []
    for image in range(n_images):
        true = {f"true_{t}": float(rng.uniform(1, 7)) for t in TARGETS}
        beside = {"part": "test", "concept": f"big_thing{image}"}
        beside |= {"image_filename": f"big_thing{image}/big_thing{image}_01b.jpg"}
        singles = [
            {f"pred_{t}": true[f"true_{t}"] * 0.5 + 2 + rng.normal(0, 0.3) for t in TARGETS}
            for _ in range(n_repeats)
        ]
        mean = {key: float(np.mean([s[key] for s in singles])) for key in singles[0]}
        sd = {f"sd_{t}": 1.0 for t in TARGETS if t != "size"}
        for k, predicted in enumerate([*singles, mean]):
            repeat = k % n_repeats
            key = {"row": image * n_repeats + repeat, "session": repeat + 1, "run": 2}
            key |= {"trial": image + 1, "n_averaged": n_repeats if k == n_repeats else 1}
            rows.append(key | beside | true | predicted | sd)
    return pd.DataFrame(rows)


def metrics(n_epochs=3, batches=4):
    """Rows of metrics.jsonl: a loss that halves each epoch, best validation in epoch 2."""
    validation = [0.9, 0.7, 0.8, 0.85, 0.9]
    rows = []
    for epoch in range(1, n_epochs + 1):
        for batch in range(batches):
            step = (epoch - 1) * batches + batch + 1
            loss = 0.5 ** (epoch - 1) + 0.01 * batch
            rows.append({"kind": "step", "step": step, "epoch": epoch, "train_loss": loss})
            rows[-1] |= {"lr": 1e-3, "time": float(step)}
        step, row = epoch * batches, {"kind": "epoch", "epoch": epoch, "lr": 1e-3}
        row |= {"step": step, "train_loss": 0.5 ** (epoch - 1), "time": float(step)}
        rows.append(row | {"validation_loss": validation[epoch - 1], "validation_r": 0.1 * epoch})
    return rows
