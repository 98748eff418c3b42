"""What Python's garbage collector need not look at: what was imported, for ever in use."""

from __future__ import annotations

import gc
import sys

GROWTH = 30
_frozen = [0]


def spare_the_collector() -> None:
    """Move all that is alive out of the collector's sight, once for each batch of new modules.

    Streamlit collects all generations after every run of a script. With pandas and plotly loaded
    that took 70 of the 110 ms CPU of a step from trial to trial; frozen objects are skipped.
    """
    if len(sys.modules) - _frozen[0] > GROWTH:
        _frozen[0] = len(sys.modules)
        gc.collect()
        gc.freeze()
