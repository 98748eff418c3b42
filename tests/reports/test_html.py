"""A report in one file: it parses, asks nobody for anything, and shows each number in full."""

import re
from html.parser import HTMLParser

import pytest

from tests.figures.plain import scores
from tests.finished_jobs import class_table, folder
from thingsviz.core import json_files
from thingsviz.core.errors import JobError
from thingsviz.figures.scores.scores import ScoreQuestion, score_info
from thingsviz.reports import html_page as page
from thingsviz.reports.comparable import read_finished
from thingsviz.reports.comparison import class_tests
from thingsviz.reports.html_job import comparison_report, hits_table, job_report, with_interval

VOID = {"meta", "br", "img", "hr", "line", "circle", "rect", "polyline"}


class Checker(HTMLParser):
    """Fails on tags that do not match; collects what would be fetched."""

    def __init__(self):
        super().__init__()
        self.open, self.fetched, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value for key, value in attrs if key in {"src", "href", "srcset", "data"}]
        assert tag not in {"script", "link", "iframe", "object"}

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def checked(text) -> str:
    """The words of a report that is sound."""
    reader = Checker()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    assert all(value.startswith("data:") for value in reader.fetched)
    assert not re.search(r"https?://|url\(|@import", text)
    return re.sub(r"\s+", " ", " ".join(reader.words))


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path))


def test_a_job_with_every_number_and_its_interval():
    words = checked(job_report(folder("one")))
    for row in scores().query("model == 'vit3d'").itertuples():
        asked = ScoreQuestion("test", "single", row.target, row.metric)
        assert with_interval(score_info(scores(), "vit3d", asked)) in words
    assert "0.350 (0.250 to 0.550)" in words
    for part in ("SIMULATED", "noise ceiling", "What this could not show", "abc123", "3,456"):
        assert part in words
    assert "12 s of training; 3,456 parameters; 700 MB at most." in words


def test_measured_data_carry_no_mark():
    job = folder("real")
    json_files.write_sealed(job.file("manifest.json"), job.manifest() | {"simulated": False})
    assert "SIMULATED" not in re.sub(r"<pre>.*?</pre>", "", job_report(job), flags=re.S)


def test_a_comparison_says_whether_they_differ():
    jobs = [folder("good", 0.9, 1), folder("bad", 0.1, 2)]
    words = checked(comparison_report(jobs))
    assert "r of good minus that of bad is +" in words
    assert "good is better" in words
    assert words.count("0.350 (0.250 to 0.550)") >= 4
    assert "Settings that differ" not in words


def test_settings_that_differ_are_called_as_on_the_form():
    more = {"name": "vit3d", "patch_size": [12, 13, 15]}
    words = checked(comparison_report([folder("one"), folder("two", model=more)]))
    assert "Patch size" in words
    assert "12 × 13 × 15" in words
    assert "model.patch_size" not in words


def test_class_jobs_are_compared_by_hits():
    jobs = [folder("sharp"), folder("blunt", model={"name": "mean"})]
    for job, share in zip(jobs, (0.6, 0.1), strict=True):
        class_table(share, 3).to_parquet(job.file("predictions.parquet"))

    table = checked(hits_table(class_tests([read_finished(job) for job in jobs], "test")))
    assert re.search(r"\d+ of 60", table)
    assert "p (McNemar)" in table


def test_what_is_not_comparable_is_refused():
    with pytest.raises(JobError, match="split by trial"):
        comparison_report([folder("one"), folder("two", split={"kind": "trial"})])
    with pytest.raises(JobError, match="needs two jobs"):
        comparison_report([folder("three")])


def test_names_with_markup_are_words():
    body = page.page("<b>x</b>", [page.text("a & <script>")], simulated=False)
    assert "<script>" not in body
    assert "&lt;b&gt;x&lt;/b&gt;" in body
    assert checked(body)


def test_numbers_stand_at_the_right_and_words_at_the_left():
    table = page.table(["a", "b", "c", "d"], [["1", "−0.5 (−1 to 2)", "3-D CNN", None]])
    assert table.count('class="n"') + table.count("class=n") == 2
    assert "<td>3-D CNN</td>" in table
    assert "<td>1</td>" in table
