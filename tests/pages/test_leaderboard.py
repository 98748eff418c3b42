from functools import partial

import nibabel as nib
import numpy as np
import pytest

from tests.ui.strips import bare_scores
from thingsviz.commands import leaderboard
from thingsviz.data.store.beta_store import BetaStore
from thingsviz.data.things.layout import open_dataset
from thingsviz.queue import background_tasks


@pytest.fixture
def page(visit):
    return partial(visit, "leaderboard.py")


def test_without_a_board_the_page_offers_to_compute_it(page, tiny, monkeypatch):
    started = []
    monkeypatch.setattr("thingsviz.ui.actions.begin_task", lambda *a: started.append(a))
    app = page()
    assert "No leaderboard of these data yet" in app.info[0].value
    # where responses repeat is known without any fit
    assert len(app.get("plotly_chart")) == 1
    words = next(c.value for c in app.caption if "voxels repeat" in c.value)
    assert "5,798 voxels" in words
    assert float(words.split("own table is ")[1][:4]) > 0.4  # of 8 images with 4 repeats
    next(b for b in app.button if b.label == "Compute the leaderboard").click().run()
    assert started == [("leaderboard", (str(tiny / "tiny"), "--subject", "sub-01"))]
    assert "leaderboard" in background_tasks.KINDS


def test_a_board_is_fields_brain_and_table(page, tiny):
    assert leaderboard.main([str(tiny / "tiny")]) == 0
    app = page()
    assert len(app.get("plotly_chart")) == 3
    table = app.dataframe[0].value
    assert {"region", "property", "r", "span", "chance", "p", "q", "ceiling"} <= set(table)
    assert "subject" not in table  # there is one
    assert table["span"].str.fullmatch(r"−?\d\.\d\d to −?\d\.\d\d|–").all()
    assert table["r"].is_monotonic_decreasing
    assert any("What this could not show" in c.value for c in app.caption)
    assert bare_scores(app) == []
    control = next(b for b in app.get("button_group") if b.label == "Responses")
    control.set_value("single").run()
    assert app.dataframe[0].value["n"].eq("32, 8").all()
    app.selectbox(key="w_board_property").set_value("heavy").run()
    assert not app.exception


def test_a_board_of_ones_own_regions_names_them(page, tiny, tmp_path):
    store = BetaStore.open(open_dataset(tiny / "tiny"), "sub-01")
    labels = np.zeros(store.mask.shape, np.int16)
    half = labels.shape[0] // 2
    labels[:half], labels[half:] = 1, 2
    path = tmp_path / "halves.nii.gz"
    nib.save(nib.Nifti1Image(labels, store.grid.matrix), path)
    path.with_name("halves.tsv").write_text("index\tname\n1\tfirst half\n2\tsecond half\n")
    assert leaderboard.main([str(tiny / "tiny"), "--regions", str(path)]) == 0
    app = page()
    assert not app.exception
    words = [c.value.replace("\\", "") for c in app.caption]
    assert any("Regions: halves (your parcellation" in w for w in words), words
    assert any("knows the data's own regions only" in i.value for i in app.info)
