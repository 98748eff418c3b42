"""How alike the maps of a training are: all heads of all layers, and all methods."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from thingsviz.figures.map_agreement import AgreementInfo, agreement_info, draw_agreement
from thingsviz.inference.method_list import METHODS
from thingsviz.ui import charts
from thingsviz.ui.attention_data import Wanted, current_fingerprint
from thingsviz.ui.attention_pick import Look
from thingsviz.ui.cache import stamp
from thingsviz.ui.frame import PageContext

Array = NDArray[np.float64]
MOST_HEADS = 32


def show_agreement(page: PageContext, look: Look) -> None:
    """Show how alike heads and methods are, over tokens."""
    with st.expander("How alike are heads and methods?"):
        files = [stamp(look.wanted.maps.file(m)) for m in look.wanted.maps.methods()]
        info = _info(repr(files), _wanted=look.wanted)
        if len(info.names) < 2:
            st.info("There is one map only: make more to compare them.")
            return
        name = f"{look.wanted.maps.job.name}_agreement"
        alt = "Matrix of rank correlations between maps"
        charts.show(
            draw_agreement(info, page.theme), page.theme, name, alt=alt, save_as=look.save_as
        )
        st.caption(
            "Rank correlation over tokens, ordered by likeness (average linkage). Heads that "
            "correlate with each other but not with gradient × input or occlusion look at "
            "something that the decoder does not use."
        )


@st.cache_data(max_entries=16, show_spinner="Comparing maps …")
def _info(key: str, _wanted: Wanted) -> AgreementInfo:
    return agreement_info(token_maps(_wanted))


def token_maps(wanted: Wanted) -> dict[str, Array]:
    """Return each head's and each method's map over tokens, (n_tokens,), by name."""
    maps = wanted.maps
    name, tokens = current_fingerprint(maps.job, wanted.store), maps.tokens()
    found: dict[str, Array] = {}
    for method in [m for m in METHODS if m in maps.methods()]:
        values = np.abs(maps.load(method, name).astype(float))
        if METHODS[method].unit == "voxel":
            found[METHODS[method].title] = tokens.to_tokens(values)
        elif values.ndim == 1:
            found[METHODS[method].title] = values
        else:
            for at in list(np.ndindex(*values.shape[:2]))[:MOST_HEADS]:
                found[f"L{at[0] + 1} H{at[1] + 1}"] = values[at]
    return found
