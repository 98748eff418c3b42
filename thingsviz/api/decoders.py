"""The public decoders, and how one of your own joins them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from models import api as models
from models.base.settings import Settings
from models.catalog.registered import register_own

__all__ = ["models", "register_model"]

Own = TypeVar("Own", bound=type)


def register_model(
    name: str,
    *,
    config: type[Settings] | None = None,
    learns: Literal["ratings", "classes"] = "ratings",
) -> Callable[[Own], Own]:
    """Add a decoder of your own: `tv.train`, the form, the command line and Compare know it then.

    Put the class into a file, and name the file in THINGSVIZ_OWN_MODELS, so that the app and
    trainings in processes of their own load it. In a notebook alone it works with `tv.train`.

    Parameters
    ----------
    name : str
        Its name in recipes: small letters, digits and underscores; not a built-in one.
    config : type of Settings, optional
        Its settings with titles and bounds for the form (`tv.models.Settings` and `setting`).
        None: the arguments of `__init__`, each with a default.
    learns : {"ratings", "classes"}
        classes: Y comes one-hot, (n_trials, n_classes), and `predict` gives a score a class.

    Returns
    -------
    callable
        A decorator of a class with `fit(X, Y, groups=None)` and `predict(X)`; X is
        (n_trials, n_voxels) float32, z-scored in each session unless the recipe says otherwise.
        Arrays that fitting leaves under a name that ends with `_` are kept in the job's folder.

    Raises
    ------
    ModelError
        The name is taken or no name, the class lacks a method, or a setting has no default.

    Examples
    --------
    >>> import numpy as np
    >>> @tv.register_model("nearest")
    ... class Nearest:
    ...     '''The ratings of the training trial whose response is most alike.'''
    ...     def __init__(self, n_voxels: int = 500):
    ...         self.n_voxels = n_voxels
    ...     def fit(self, X, Y, groups=None):
    ...         self.patterns_, self.ratings_ = X[:, : self.n_voxels], Y
    ...         return self
    ...     def predict(self, X):
    ...         alike = X[:, : self.n_voxels] @ self.patterns_.T
    ...         return self.ratings_[alike.argmax(1)]
    >>> tv.train(Nearest(n_voxels=200), sub, sub.split(seed=0), targets=["heavy", "lives"])
    Job('nearest': nearest, done)
    """
    return register_own(name, config, learns)
