"""What the page answers, from numbers that are made up."""

import numpy as np
import pandas as pd
import pytest

from thingsviz.analysis.maps.auc_gap import EVEN
from thingsviz.analysis.maps.by_region import BACKGROUND, NO_REGION
from thingsviz.ui.attention import summary
from thingsviz.ui.attention.data import ShownMaps

FLAT = np.full(4, 0.25)


def facts(deletion=(0.2, 0.1, 0.3), last=0.05, auc=0.9, what="embedding", **more):
    steps = [{"what": "head", "correlation": 0.9}, {"what": what, "correlation": last}]
    return {
        "n_tokens": 64,
        "faithfulness": {"areas": {"attention": {"deletion": list(deletion)}}},
        "sanity": {"attention": steps},
        "truth": {"attention": {"auc": auc - 0.1, "auc_smooth": auc}},
        **more,
    }


def shown(evenness=0.2):
    return ShownMaps(("Head 1",), FLAT[None], FLAT, np.zeros(1), 0.0, np.array([evenness]))


def rows(q=(0.01, 0.5)):
    return pd.DataFrame(
        {
            "region": [NO_REGION, "loc_superior", "early_visual", BACKGROUND],
            "share": [0.3, 0.2, 0.4, 0.1],
            "uniform": [0.5, 0.1, 0.3, 0.1],
            "q": [np.nan, *q, np.nan],
        }
    )


def told(found=None, table=None, known=None, method="attention"):
    several = summary.answers(
        found or shown(),
        0,
        rows() if table is None else table,
        facts() if known is None else known,
        method,
    )
    return {a.question: a for a in several}


def test_a_good_map_gets_five_good_answers():
    several = told()
    assert [a.short for a in several.values()] == ["loc superior", "Yes", "Yes", "Yes", "Yes"]
    assert {a.mood for a in several.values()} == {"good"}
    where = several["Where does head 1 look?"].why
    assert where == "20 % of it; even attention would put 10 % there"
    assert several["Is that more than chance?"].why.startswith("1 of 2 regions")
    assert "(area +0.20, 95\u00a0% +0.10 to +0.30)" in several["Does the decoder use it?"].why


def test_an_even_head_looks_everywhere_alike():
    answer = told(shown(0.97))["Where does head 1 look?"]
    assert answer.short == "Everywhere alike"
    assert "97 % of the 64 tokens" in answer.why
    assert answer.mood == "open"


def test_nothing_above_chance_is_said_and_the_largest_region_named():
    several = told(table=rows(q=(0.3, 0.5)))
    assert several["Is that more than chance?"].short == "No"
    assert several["Where does head 1 look?"].short == "early visual"
    assert several["Where does head 1 look?"].mood == "open"


def test_small_shares_keep_a_decimal():
    assert [summary.percent(v) for v in (0.004, 0.05, 0.254, 1.0)] == [
        "0.4 %",
        "5.0 %",
        "25 %",
        "100 %",
    ]


def test_without_regions_nothing_is_claimed():
    several = told(table=rows().iloc[[0, 3]])
    assert several["Where does head 1 look?"].short == "Not known"
    assert several["Is that more than chance?"].short == "Not known"


@pytest.mark.parametrize(
    ("deletion", "short", "words"),
    [
        ((0.02, -0.02, 0.05), "Not shown", "no better than"),
        ((-0.1, -0.2, -0.05), "No", "do not trust it"),
    ],
)
def test_a_map_that_is_not_used_is_called_so(deletion, short, words):
    answer = told(known=facts(deletion))["Does the decoder use it?"]
    assert answer.short == short
    assert words in answer.why


def test_a_map_that_stays_without_knowledge_shows_little():
    question = "Does it show what was learned?"
    answer = told(known=facts(last=0.97, what="the ratings' order"))[question]
    assert answer.short == "Little"
    assert "trained on ratings in another order is +0.97" in answer.why
    permuted = told(known=facts(permuted={"attention": 0.8}))[question]
    assert permuted.short == "Little"
    assert "permuted labels +0.80" in permuted.why


@pytest.mark.parametrize(("auc", "short"), [(0.9, "Yes"), (0.7, "In part"), (0.5, "Hardly")])
def test_what_was_planted_is_found_or_not(auc, short):
    assert told(known=facts(auc=auc))["Does it find what was planted?"].short == short


@pytest.mark.parametrize(
    ("over", "short", "mood"),
    [
        ({"auc": [0.0, -0.01, 0.01], "auc_smooth": [0.1, 0.05, 0.15]}, "Yes", "good"),
        (
            {"auc": [0.0, -0.01, 0.01], "auc_smooth": [0.01, -0.01, 0.03]},
            "No more than the choice of what is read",
            "bad",
        ),
    ],
)
def test_a_map_no_better_than_the_choice_of_tokens_says_so(over, short, mood):
    known = facts(auc=0.8)
    known["truth"]["attention"]["over_even"] = over
    known["truth"][EVEN] = {"auc": 0.7, "auc_smooth": 0.79}
    answer = told(known=known)["Does it find what was planted?"]
    assert (answer.short, answer.mood) == (short, mood)
    assert answer.why.endswith("decoder reads has 0.70 by voxel, 0.79 smoothed to a patch")


def test_what_is_not_judged_is_left_open():
    several = told(known={"n_tokens": 64})
    assert several["Does the decoder use it?"].short == "Not judged"
    assert several["Does it show what was learned?"].short == "Not judged"
    assert "Does it find what was planted?" not in several
