"""How one seed becomes many independent streams, so that no order of work changes a byte."""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """Return the generator of a purpose (and a session, a run): equal arguments, equal numbers."""
    return np.random.default_rng([seed, crc32(purpose.encode()), *numbers])
