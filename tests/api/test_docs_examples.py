"""Every example in the documentation of the public names runs as it is printed."""

import doctest
import inspect

import pytest

import thingsviz as tv
from thingsviz.api import (
    comparison,
    decoders,
    open_data,
    parts,
    plots,
    score_table,
    subject,
    subject_data,
    work,
)

MODULES = [comparison, decoders, open_data, parts, plots, score_table, subject, subject_data, work]
FUNCTIONS = [
    *(tv.datasets, tv.load_subject, tv.simulate, tv.train, tv.submit, tv.list_jobs),
    *(tv.score, tv.compare, tv.plot_slices, tv.plot_scores, tv.plot_map),
]


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__.rpartition(".")[2])
def test_examples_run(module, sub, tmp_path):
    names = {"tv": tv, "sub": sub, "folder": tmp_path}
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, _ = doctest.testmod(module, extraglobs=names, optionflags=options)
    assert not failed


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_every_public_function_says_what_it_takes_and_gives(function):
    doc = inspect.getdoc(function)
    assert "Returns\n-------" in doc
    names = [n for n in inspect.signature(function).parameters if n != "on_progress"]
    same = {"submit"}  # refers to train
    if function.__name__ not in same:
        assert all(name.rstrip("s") in doc for name in names)
        assert not names or "Parameters\n----------" in doc
