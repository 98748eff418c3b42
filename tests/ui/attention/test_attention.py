"""What the Attention page computes and writes, without a page."""

import gzip
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

from models.transformer.patches import PatchGrid, TokenIndex
from models.transformer.token_map import from_index
from tests.ui.made_jobs import made_job
from thingsviz.analysis.maps.auc_gap import EVEN
from thingsviz.analysis.maps.by_region import Amount
from thingsviz.analysis.regions.regions import Regions
from thingsviz.core.errors import DataError
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset
from thingsviz.explain.map_files import MapSet, fingerprint
from thingsviz.figures.brain.heads import HeadsChoice
from thingsviz.ui.attention import agreement, film, report_figure, second_map
from thingsviz.ui.attention import data as attention_data
from thingsviz.ui.attention import make_maps as attention_make
from thingsviz.ui.attention.agreement import OtherMaps
from thingsviz.ui.attention.data import WantedMaps
from thingsviz.ui.attention.evidence import (
    best_words,
    even_words,
    mark_words,
    trust_table,
    with_even,
)
from thingsviz.ui.attention.pickers import MapView
from thingsviz.ui.attention.regions import nifti

FACTS = {
    "made": {"occlusion": {"seconds": 2.0}},
    "faithfulness": {
        "areas": {
            "occlusion": {
                "deletion": [0.2, 0.1, 0.3],
                "insertion": [0.1, 0.0, 0.2],
                "comprehensiveness": 0.3,
            }
        }
    },
    "sanity": {"occlusion": [{"what": "head", "correlation": 0.1}]},
    "truth": {"occlusion": {"auc": 0.7, "auc_smooth": 0.9}},
}


@pytest.fixture(scope="module")
def store(tiny):
    return BetaStore.open(open_dataset(tiny / "tiny"), "sub-01")


@pytest.fixture
def wanted(store, made_maps):
    return WantedMaps(made_maps, store, "attention", 0, above=False)


@pytest.fixture
def made_maps(store, tiny_env):
    """Maps of two heads over patches: one looks at one token, one at all alike."""
    job = made_job("looked", "done")
    maps = MapSet(job, "test")
    tokens = from_index(TokenIndex.of(store.mask, PatchGrid(store.mask.shape, (6, 7, 5), True)))
    values = np.full((1, 2, tokens.n_tokens), 1 / tokens.n_tokens)
    values[0, 0] = 1e-3
    values[0, 0, tokens.n_tokens // 2] = 1
    name = fingerprint(job, store.fingerprint)
    maps.save("attention", values, name)
    maps.save_tokens(tokens)
    maps.add_facts(fingerprint=name, made={}, n_tokens=tokens.n_tokens)
    return maps


def test_a_nifti_shows_a_voxel_where_it_is(store):
    mass = np.zeros(store.shape[1])
    mass[1234] = 1.0
    image = nib.Nifti1Image.from_bytes(gzip.decompress(nifti(store, mass)))
    np.testing.assert_allclose(image.affine, store.grid.matrix)
    place = np.argwhere(np.asarray(image.dataobj) > 0)
    assert place.tolist() == [store.brain.ijk[1234].tolist()]
    mm = nib.affines.apply_affine(image.affine, place[0])
    np.testing.assert_allclose(mm, store.grid.to_mm(store.brain.ijk[1234]))
    assert image.header.get_xyzt_units()[0] == "mm"


def test_shares_and_evenness(wanted):
    found = attention_data.shown(wanted)
    assert found.names == ("Head 1", "Head 2")
    np.testing.assert_allclose(found.mass.sum(1) + found.background, 1)
    np.testing.assert_allclose(found.mass[1], found.uniform)
    assert found.evenness[0] < 0.2
    assert found.evenness[1] == pytest.approx(1)


def test_above_uniform_takes_away_what_all_tokens_have(wanted):
    found = attention_data.shown(wanted._replace(above=True))
    assert (found.mass[0] > 0).sum() < 6 * 7 * 5 + 1
    assert found.mass[1].sum() == pytest.approx(0, abs=1e-6)


def test_the_table_has_p_and_q_and_the_background(wanted):
    table = attention_data.table(wanted, 0, Amount()).set_index("region")
    assert table["share"].sum() == pytest.approx(1)
    assert table["uniform"].sum() == pytest.approx(1)
    assert "background" in table.index
    known = table["p"].dropna()
    assert known.between(1 / 401, 1).all()
    assert (table["q"].dropna() >= known).all()
    flat = attention_data.table(wanted, 1, Amount())
    np.testing.assert_allclose(flat["enrichment"].dropna(), 1, rtol=1e-6)


def test_maps_of_other_weights_are_offered_again(wanted, store):
    maps = wanted.maps
    assert attention_make._fresh(maps, store)
    maps.add_facts(fingerprint="another")
    assert not attention_make._fresh(maps, store)


def test_one_row_a_method():
    (row,) = trust_table(FACTS).to_dict("records")
    assert row["Method"] == "Occlusion by patch"
    assert row["95 %"] == "+0.10 to +0.30"
    assert row["AUC, smoothed"] == 0.9


def test_a_parcellation_of_ones_own_is_counted(wanted, store):
    labels = (np.arange(store.shape[1]) % 2 + 1).astype(np.uint16)
    table = attention_data.table(wanted, 1, Amount(), Regions(labels, ("odd", "even"), "mine"))
    shares = table.set_index("region")["share"]
    assert shares["odd"] + shares["even"] + shares["background"] == pytest.approx(1)
    assert shares["odd"] == pytest.approx(shares["even"], rel=0.01)
    other = attention_data.table(wanted, 1, Amount(), Regions(labels[::-1], ("a", "b"), "mine"))
    assert {"a", "b"} <= set(other["region"])


def other_maps(store, name, patch):
    """Maps of one layer and head of a model with other patches: all in its first token."""
    maps = MapSet(made_job(name, "done"), "test")
    tokens = from_index(TokenIndex.of(store.mask, PatchGrid(store.mask.shape, patch, True)))
    values = np.full((1, 1, tokens.n_tokens), 1e-6)
    values[0, 0, 0] = 1
    of = fingerprint(maps.job, store.fingerprint)
    maps.save("attention", values, of)
    maps.save_tokens(tokens)
    maps.add_facts(fingerprint=of, n_layers=1, n_heads=1, n_tokens=tokens.n_tokens)
    return maps, tokens


def test_maps_over_other_patches_stand_side_by_side_voxel_by_voxel(wanted, store):
    other, tokens = other_maps(store, "coarse", (12, 14, 10))
    look = MapView(wanted, 1, False, HeadsChoice(smoothing_mm=0), "left", False)
    name, second, head = second_map._like(look, other)
    assert (name, second.layer, head) == ("coarse, layer 1, head 1", 0, 0), "it has no head 2"
    several, names = second_map.pair(look, second_map.SecondMap(name, second, head), store)
    assert several.shape == (4, *store.mask.shape)
    assert names[2:] == ("more in Layer 1, head 2 (chosen)", f"more in {name}")
    there = np.zeros(store.mask.shape, bool)
    there[store.mask] = tokens.share[[0]].toarray().ravel() > 0
    assert several[1][there].min() > 10 * several[1][store.mask & ~there].max()
    np.testing.assert_allclose(several[0] - several[1], several[2] - several[3], atol=1e-4)
    assert (several[3] > 0)[there].all()
    assert not (several[3] > 0)[store.mask & ~there].any()
    assert "of the mass lies elsewhere" in second_map.difference_words(several, store.mask)


def test_permuted_labels_have_a_column():
    facts = {**FACTS, "permuted": {"occlusion": 0.12}}
    assert trust_table(facts).loc[0, "Permuted r"] == 0.12


def test_the_best_method_is_named_or_none_is_trusted():
    rows = trust_table(FACTS)
    assert best_words(rows).startswith("1 of 1 methods point to what the decoder uses; Occlusion")
    worse = {"areas": {"occlusion": {**FACTS["faithfulness"]["areas"]["occlusion"]}}}
    worse["areas"]["occlusion"]["deletion"] = [0.1, -0.1, 0.3]
    assert "trust none" in best_words(trust_table({**FACTS, "faithfulness": worse}))


def test_marks_without_a_decoder_are_said():
    truth = {"occlusion": {"auc": 0.5}, "true ratings": {"auc": 0.73}}
    words = mark_words(truth | {"what was planted": {"auc": 1.0, "auc_smooth": 0.91}})
    assert "true ratings 0.73; what was planted 1.00 (0.91 smoothed)" in words
    assert mark_words({"occlusion": {"auc": 0.5}}) == ""


@pytest.mark.parametrize(
    ("low", "word", "n"), [((-0.01, -0.02), "no", 1), ((0.02, 0.1), "by voxel and smoothed", 0)]
)
def test_the_even_map_has_a_row_and_methods_no_better_say_so(low, word, n):
    over = {"auc": [0.1, low[0], 0.2], "auc_smooth": [0.2, low[1], 0.3]}
    truth = {"occlusion": {"auc": 0.7, "auc_smooth": 0.9, "over_even": over}}
    truth[EVEN] = {"auc": 0.57, "auc_smooth": 0.73}
    facts = {**FACTS, "truth": truth}
    rows = with_even(trust_table(facts), facts)
    assert rows["Method"].tolist()[-1] == "Even over what is read"
    assert rows["AUC"].tolist() == [0.7, 0.57]
    assert rows.loc[0, "Above even"] == word
    assert f"{n} of 1 methods show no more than that choice" in even_words(truth)
    assert EVEN not in mark_words(truth)


def test_maps_judged_before_there_was_an_even_one_have_no_row():
    rows = with_even(trust_table(FACTS), FACTS)
    assert len(rows) == 1
    assert even_words(FACTS["truth"]) == ""


def test_subjects_are_compared_voxel_by_voxel_where_they_share_a_space(store, monkeypatch):
    values = np.random.default_rng(0).random((2, int(store.mask.sum())))

    def training(name, subject, space, simulated):
        facts = {"fingerprint": subject, "space": space, "simulated": simulated}
        data = SimpleNamespace(mask=store.mask, grid=store.grid, **facts)
        return OtherMaps(name, SimpleNamespace(store=data))

    monkeypatch.setattr(agreement, "shown", lambda _: SimpleNamespace(mass=values))
    several = [("a", "1"), ("a again", "1"), ("b", "2")]
    for space, simulated in (("MNI", False), ("T1w", True)):
        found = agreement.by_subject([training(*one, space, simulated) for one in several])
        assert list(found) == ["a", "b"], "one training of each subject"
        np.testing.assert_allclose(found["b"], values.mean(0))
    with pytest.raises(DataError, match="a is in a space of its own"):
        agreement.by_subject([training(*one, "T1w", False) for one in several])


def test_a_film_says_of_which_head_it_is(wanted):
    look = MapView(wanted, 1, False, HeadsChoice(20, True, 8), "left", True)
    words = "Attention, layer 1 · test · mean of 32 trials"
    assert film.subtitle_of(words, look, "epochs") == (
        "Attention, layer 1, head 2 · test · mean of 32 trials"
    )
    assert (
        film.subtitle_of(words, look, "layers") == "Attention, head 2 · test · mean of 32 trials"
    )
    other = look._replace(wanted=wanted._replace(method="occlusion"))
    assert film.subtitle_of(words, other, "epochs") == words


@pytest.mark.parametrize(
    ("state", "message", "stopped"),
    [
        ("failed", "maps: interrupted; the maps that were made are kept", True),
        ("failed", "maps: the disk is full", False),
        ("done", "maps: interrupted", False),
    ],
)
def test_stopping_is_no_failure(state, message, stopped):
    assert attention_make.was_stopped(SimpleNamespace(state=state, message=message)) is stopped
    assert not attention_make.was_stopped(None)


def test_the_reports_200_voxels_come_from_whole_patches_or_a_part_of_one(wanted):
    tokens = wanted.maps.tokens()
    inside = np.asarray((tokens.share > 0).sum(1)).ravel()
    first = int(inside.argmax())
    mass = tokens.to_voxels(np.eye(tokens.n_tokens)[first])
    assert report_figure.patches_of(mass, wanted) == 1
    weights = np.zeros(tokens.n_tokens)
    order = np.argsort(-inside)[:3]
    weights[order] = (3, 2, 1)
    needed = 1 + int((np.cumsum(inside[order]) < 200).sum())
    assert report_figure.patches_of(tokens.to_voxels(weights), wanted) == needed
    assert report_figure._span([1]) == "1 patch"
    assert report_figure._span([1, 4, 1200]) == "1 to 1,200 patches"
