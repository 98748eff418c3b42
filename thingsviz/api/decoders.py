"""The public decoders, and how one of your own joins them."""

from __future__ import annotations

from models import api as models

__all__ = ["models"]
