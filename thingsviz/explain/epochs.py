"""Maps of a training's kept epochs: where the decoder looked as it learned, and as volumes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thingsviz.core.errors import ConfigError
from thingsviz.core.progress import Progress, Report
from thingsviz.explain.decoder import Decoder, at_epoch
from thingsviz.explain.map_files import EpochMaps
from thingsviz.explain.method_list import METHODS
from thingsviz.explain.methods import check_method, compute
from thingsviz.explain.request import asked_rows, rows_of
from thingsviz.jobs.weights import kept_epochs


def make_epochs(
    there: EpochMaps,
    decoder: Decoder,
    methods: Sequence[str],
    target: int | None,
    report: Report,
) -> list[str]:
    """Make maps of all kept epochs; by default of attention, or gradients where there is none."""
    epochs = kept_epochs(decoder.job)
    if len(epochs) < 2:
        msg = (
            f"{decoder.job.name!r} kept the weights of {len(epochs)} epochs, but a film needs two "
            "or more: train it again with fit.keep_epochs of 2 to 32"
        )
        raise ConfigError(msg)
    names = list(methods) or ["attention" if decoder.n_layers else "gradient_input"]
    for name in names:
        check_method(decoder, name)
    fingerprint = decoder.fingerprint()
    for n, name in enumerate(names):
        rows = asked_rows(decoder, name, rows_of(decoder, there.part))
        several = []
        for k, epoch in enumerate(epochs):
            done = n * len(epochs) + k
            what = f"{METHODS[name].title} after epoch {epoch}"
            report(Progress(done, len(names) * len(epochs), what))
            several.append(compute(at_epoch(decoder, epoch), name, rows, target).values)
        there.save(name, np.stack(several), fingerprint)
    there.save_tokens(decoder.tokens)
    there.add_facts(epochs=epochs, fingerprint=fingerprint, n_layers=decoder.n_layers)
    return names
