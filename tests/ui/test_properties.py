"""Properties of the pages' helpers: any text, number or address is shown or refused properly."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from models.catalog.config import CONFIGS
from models.training.config import FitConfig
from thingsviz.core.errors import ConfigError, ThingsvizError
from thingsviz.core.trial_key import TrialKey
from thingsviz.core.typography import PERCENT
from thingsviz.figures.scores.scores import METRICS, Reference, ScoreInfo, ScoreQuestion
from thingsviz.ui.job_choice.job_list import ago
from thingsviz.ui.job_choice.score_strip import METRIC_TERMS, p_text, sentence_of, value_text
from thingsviz.ui.shell.frame import plain
from thingsviz.ui.shell.glossary import GLOSSARY
from thingsviz.ui.training.form_fields import fields_of, form_key, sizes_of, sizes_text
from thingsviz.ui.training.question_form import shares_of
from thingsviz.ui.trials.pickers import parse_key

seeded = settings(derandomize=True, deadline=None, max_examples=40)
MARKS = r"\*_[]$<>#~|:"
WITHOUT_CODE = some.text(some.sampled_from(MARKS + "ab 1.é\n") | some.characters(), max_size=40)
WITHOUT_CODE = WITHOUT_CODE.filter(lambda text: "`" not in text)


def unescaped(text):
    """What a Markdown reader makes of backslashes before punctuation."""
    return re.sub(r"\\([\\*_\[\]$<>#~|:])", r"\1", text)


@seeded
@given(WITHOUT_CODE)
@example(MARKS)
@example(r"\\server\share_1")
def test_plain_text_is_read_as_it_was_written(text):
    shown = plain(text)
    assert unescaped(shown) == text
    left = re.sub(r"\\.", "", shown, flags=re.DOTALL)
    assert not set(left) & set(MARKS), "every mark is escaped"


@seeded
@given(WITHOUT_CODE, WITHOUT_CODE, WITHOUT_CODE)
def test_code_is_left_alone_and_what_surrounds_it_is_not(before, code, after):
    shown = plain(f"{before}`{code}`{after}")
    assert shown == f"{plain(before)}`{code}`{plain(after)}"


def answer(read):
    """What `read` returns, and the sentence with which it refuses instead."""
    try:
        return read(), ""
    except ConfigError as error:
        return None, str(error)


ADDRESS = some.dictionaries(
    some.sampled_from(["session", "run", "trial", "subject", "x"]),
    some.text(max_size=60) | some.text("0123456789", max_size=7),
)


@seeded
@given(ADDRESS)
@example({"run": "9" * 5000})
@example({"trial": "1\n2"})
@example({"session": "²"})
def test_an_address_is_read_or_refused_in_one_short_line(asked):
    wanted = [asked.get(part, "1") for part in ("session", "run", "trial")]
    if all(re.fullmatch(r"[0-9]{1,5}", text) for text in wanted):
        assert parse_key(asked) == TrialKey(*map(int, wanted))
        return
    with pytest.raises(ThingsvizError) as refused:
        parse_key(asked)
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 480


@pytest.mark.parametrize("term", GLOSSARY)
def test_the_bold_words_are_followed_by_a_meaning(term):
    found = re.fullmatch(r"\*\*([^*]+)\*\*: (\S.*)", GLOSSARY[term])
    assert found, term
    assert found[1].strip() == found[1]
    assert len(found[2].split()) >= 5
    assert "  " not in found[2]


def test_terms_are_lower_case_and_no_meaning_is_given_twice():
    assert all(term == term.strip().lower() for term in GLOSSARY)
    assert len(set(GLOSSARY.values())) == len(GLOSSARY)
    assert set(METRIC_TERMS) == set(METRICS)


@seeded
@given(some.floats(-1, 1), some.sampled_from(sorted(METRICS)))
@example(-0.0049, "r")
def test_a_written_score_is_the_score_and_has_a_true_minus(value, metric):
    value = value if metric == "r" else abs(value)  # errors and confidence are never negative
    text = value_text(value, metric)
    assert "-" not in text
    read = float(text.replace("−", "-").removesuffix(PERCENT))
    if metric == "confidence":
        assert abs(read / 100 - value) <= 5.1e-5
    elif metric == "r":
        assert abs(read - value) <= 0.0051
        assert text != "−0.00"
    else:
        assert read == pytest.approx(value, rel=5.1e-3)


@seeded
@given(some.floats(0, 1))
@example(0.0)
@example(0.0005)
def test_a_written_p_is_never_zero(p):
    text = p_text(p)
    assert "0.000" not in text
    if "=" in text:
        assert abs(float(text.split()[-1]) - p) <= 5.1e-4
    else:
        assert p < 0.001


@seeded
@given(some.floats(-1, 1), some.sampled_from(["single", "mean of 12"]), some.integers(0, 10**5))
def test_a_score_is_never_told_without_what_belongs_to_it(value, averaged, n):
    beside = (Reference("ridge", "ridge", "baseline", 0.25),)
    question = ScoreQuestion(n_averaged=averaged)
    info = ScoreInfo("m", question, value, None, None, None, n, 7, beside)
    sentence = sentence_of(info)
    assert sentence.startswith(f"Pearson r {value_text(value)} (no interval); ridge 0.25; ")
    assert f"; no permutation p; {n:,} " in sentence
    assert ("averaged test images" in sentence) == (averaged != "single")
    assert sentence.endswith("of 7 concepts.")


@seeded
@given(some.integers(0, 10**8))
@example(60)
@example(86_399)
@example(86_400)
def test_ago_is_the_largest_whole_unit(seconds):
    text = ago(1000, 1000 + seconds)
    if seconds < 60:
        assert text == "just now"
        return
    n, unit, _ = text.split()
    lengths = {"minute": 60, "hour": 3600, "day": 86_400}
    assert unit.endswith("s") == (int(n) > 1)
    length = lengths[unit.removesuffix("s")]
    assert int(n) * length <= seconds < (int(n) + 1) * length
    assert not any(seconds >= longer for longer in lengths.values() if longer > length)


@seeded
@given(
    some.tuples(*[some.integers(0, 10**6)] * 3),
    some.sampled_from(["×", "x", ",", ";", " ", " × ", "  x ", ", "]),
)
def test_sizes_come_back_whatever_stands_between(sizes, between):
    assert sizes_of(between.join(map(str, sizes)), "Patch") == sizes
    assert sizes_of(sizes_text(sizes), "Patch") == sizes


@seeded
@given(some.text("0123456789 ×x,;.-+e\n", max_size=12) | some.text(max_size=12))
def test_any_other_sizes_are_refused_with_what_was_written(text):
    sizes, refusal = answer(lambda: sizes_of(text, "Patch"))
    if sizes is None:
        assert refusal.startswith(f"Patch {text!r} should be three whole numbers")
    else:
        assert list(sizes) == [int(n) for n in re.findall(r"\d+", text)]


@seeded
@given(
    some.integers(1, 1000),
    some.integers(0, 1000),
    some.integers(0, 1000),
    some.sampled_from(["/", ":", ", ", " ; ", " "]),
)
def test_shares_keep_their_proportions(train, validation, test, between):
    parts = (train, validation, test)
    shares = shares_of(between.join(map(str, parts)))
    assert sum(shares) == pytest.approx(1)
    assert shares == pytest.approx([part / sum(parts) for part in parts], abs=1e-9)


@seeded
@given(some.text("0123456789./:,; -einfa", max_size=14) | some.text(max_size=14))
@example("1e309/1/1")
@example("1_0/1/1")
def test_any_text_for_shares_is_three_shares_or_a_sentence(text):
    shares, refusal = answer(lambda: shares_of(text))
    if shares is None:
        assert repr(text) in refusal
    else:
        assert len(shares) == 3
        assert min(shares) >= 0
        assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("config", [*CONFIGS.values(), FitConfig])
def test_a_default_is_among_what_its_widget_allows(config):
    for field in fields_of(config):
        if field.kind == "choice":
            assert field.default in field.options, field.name
            assert len(set(field.options)) == len(field.options)
        elif field.kind == "switch":
            assert isinstance(field.default, bool), field.name
        elif field.kind == "sizes":
            assert sizes_text(sizes_of(field.default, field.title)) == field.default
        elif field.default is None:
            assert field.optional, field.name
        else:
            assert field.low is None or field.low <= field.default, field.name
            assert field.high is None or field.default <= field.high, field.name


def test_no_two_settings_of_one_form_share_a_key_or_a_title():
    groups = {**CONFIGS, "fit": FitConfig}
    keys = [form_key(group, f.name) for group, config in groups.items() for f in fields_of(config)]
    assert len(set(keys)) == len(keys) > 5
    for config in groups.values():
        titles = [field.title for field in fields_of(config)]
        assert len(set(titles)) == len(titles)
