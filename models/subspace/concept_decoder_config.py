"""Settings of the concept decoders: a subspace, and a readout that is linear or has products."""

from __future__ import annotations

from typing import Literal

from models.base.settings import setting
from models.subspace.config import SubspaceSettings


class ConceptDecoderConfig(SubspaceSettings):
    """A few axes of the responses, read out for concepts: the best linear decoder so far."""

    name: Literal["concept_decoder"] = setting(
        "concept_decoder", "Model", "Axes of the responses, read out concept by concept."
    )


class QuadraticDecoderConfig(SubspaceSettings):
    """The same axes with each trial's strength divided out, and products of the best axes."""

    name: Literal["quadratic_decoder"] = setting(
        "quadratic_decoder", "Model", "Axes of the responses and their products: not linear."
    )
    n_product_axes: int = setting(
        30,
        "Axes multiplied",
        "The axes that tell concepts apart best are multiplied with each other: 30 give 465 "
        "products; 0: none.",
        ge=0,
        le=200,
    )
    product_alpha: float | None = setting(
        None,
        "α of products",
        "Keeps the products' weights small. Empty: chosen on held-out concepts; a large one "
        "leaves the linear decoder.",
        gt=0,
        le=1e6,
        more=True,
    )
    gain_power: float | None = setting(
        None,
        "Strength divided out",
        "Divide each trial by its strength (rms over axes) to this power: 0 not at all, 1 "
        "wholly. Empty: chosen on held-out concepts.",
        ge=0,
        le=2,
        more=True,
    )
