"""Rating jobs name concepts too: rows of their own beside those of the ratings."""

import pandas as pd
import pytest

from models.classify.identification import similarity
from thingsviz.analysis.classes.hit_table import headline_metric
from thingsviz.figures.scores.scores import headline
from thingsviz.pipeline.tasks.base import Predicted
from thingsviz.pipeline.tasks.registry import open_task


@pytest.fixture
def trained(make_job, run):
    """A finished concept-level decoder of the tiny subject."""
    job = make_job(name="decoder", model={"name": "concept_decoder"})
    assert run(job) == (0, "")
    return job


def test_a_rating_job_s_scores_hold_what_it_names(trained):
    table = trained.scores()
    assert table[["model", "part", "n_averaged", "target", "metric"]].duplicated().sum() == 0
    rows = table[table["metric"].eq("top10") & table["part"].eq("test")]
    rows = rows[rows["n_averaged"].eq("single")].set_index("model")
    assert set(rows.index) == {"concept_decoder", "chance", "prior", "ridge"}
    assert rows.loc["chance", "value"] == pytest.approx(10 / 32)
    own = rows.loc["concept_decoder"]
    assert own["low"] < own["value"] < own["high"]
    assert own["p"] < 0.05  # a planted signal of 32 concepts is found
    assert _by_hand(trained, "lives") == own["hits"]
    table_ = trained.predictions().query("part == 'test' and n_averaged == 1")
    assert table_["rank"].le(10).sum() == own["hits"]
    assert {"top1", "top5", "top10"} <= set(table["metric"])
    assert headline(table).metric == "r"
    assert headline_metric(set(table["metric"])) == "r"


def _by_hand(job, rated):
    """Count the hits of Top-10 with pandas, from the job's own table of predictions."""
    material, targets = open_task(job), list(job.config().targets)
    frame = pd.DataFrame(material.ratings, columns=targets).assign(concept=material.concepts)
    own = frame[frame[rated].notna()].drop_duplicates("concept").set_index("concept")[targets]
    known = own.loc[sorted(set(material.concepts[material.split.train]))]
    table = job.predictions().query("part == 'test' and n_averaged == 1")
    guess = table[[f"pred_{t}" for t in targets]].to_numpy()
    r = similarity(guess, own.to_numpy(), known.mean().to_numpy(), known.std(ddof=0).to_numpy())
    r = pd.DataFrame(r, columns=own.index)
    place = [int((r.loc[i] > r.loc[i, c]).sum()) for i, c in enumerate(table["concept"])]
    return sum(p < 10 for p in place)


def test_one_property_names_nothing(make_job, run):
    job = make_job(name="one", model={"name": "ridge"}, targets=["lives"])
    assert run(job) == (0, "")
    assert not job.scores()["metric"].str.startswith("top").any()
    assert open_task(job).more_rows(Predicted(job.predictions())) == []
    assert job.predictions()["rank"].isna().all()
