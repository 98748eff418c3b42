"""Who is next: plain cases, and what holds for any line."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from thingsviz.queue.limits import Limits
from thingsviz.queue.schedule import (
    HEAD_START_S,
    RunningJob,
    StartingJob,
    WaitingJob,
    choose,
    in_order,
)


def names(starts):
    return [start.name for start in starts]


def test_first_come_first_served():
    line = [WaitingJob("b", "ana", 20), WaitingJob("a", "ana", 30), WaitingJob("c", "ben", 10)]
    assert [job.name for job in in_order(line)] == ["c", "b", "a"]
    assert names(choose(line, [], Limits(slots=2))) == ["c", "b"]
    assert names(choose(line, [RunningJob("x", "ana")], Limits(slots=2))) == ["c"]
    assert choose(line, [RunningJob("x", "ana")], Limits()) == []


def test_a_user_at_the_quota_is_passed_over():
    line = [WaitingJob("a1", "ana", 1), WaitingJob("a2", "ana", 2), WaitingJob("b1", "ben", 3)]
    assert names(choose(line, [], Limits(slots=3, quota=1))) == ["a1", "b1"]
    assert names(choose(line, [RunningJob("a0", "ana")], Limits(slots=3, quota=1))) == ["b1"]


def test_a_short_job_passes_a_long_one_that_has_just_come_but_not_for_ever():
    short = WaitingJob("short", "ana", 1000, short=True)
    assert in_order([WaitingJob("long", "ben", 990), short])[0].name == "short"
    early = WaitingJob("long", "ben", 999 - HEAD_START_S)
    assert in_order([early, short])[0].name == "long"


def test_each_has_a_gpu_of_its_own_and_the_rest_share_the_places():
    line = [WaitingJob(f"n{i}", "ana", i, wants_gpu=True) for i in range(3)]
    line.append(WaitingJob("ridge", "ana", 9))
    found = choose(line, [RunningJob("old", "ben", "0")], Limits(gpus=("0", "1")))
    assert found == [StartingJob("n0", "1"), StartingJob("ridge", "")]


def test_without_gpus_all_share_the_places():
    line = [WaitingJob("net", "ana", 1, wants_gpu=True), WaitingJob("ridge", "ana", 2)]
    assert choose(line, [], Limits()) == [StartingJob("net", "")]


WAITING = st.builds(
    WaitingJob,
    name=st.text("abcdefgh", min_size=1, max_size=4),
    owner=st.sampled_from("xyz"),
    submitted=st.floats(0, 5000),
    short=st.booleans(),
    wants_gpu=st.booleans(),
)
LIMITS = st.builds(
    Limits,
    slots=st.integers(1, 4),
    gpus=st.lists(st.sampled_from("0123"), unique=True).map(tuple),
    quota=st.none() | st.integers(1, 3),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(WAITING, max_size=12, unique_by=lambda w: w.name), LIMITS)
def test_no_place_is_given_twice_and_none_is_left_empty(line, limits):
    by_name = {job.name: job for job in line}
    running, left = [], list(line)
    for start in choose(line, [], limits):
        job = by_name[start.name]
        running.append(RunningJob(job.name, job.owner, start.gpu))
        left.remove(job)
    taken = [job.gpu for job in running if job.gpu]
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(limits.gpus)
    assert sum(not job.gpu for job in running) <= limits.slots
    if limits.quota is not None:
        assert all(n <= limits.quota for n in Counter(job.owner for job in running).values())
    # Nothing more could start beside those: the choice is as large as it can be.
    assert choose(left, running, limits) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(WAITING, min_size=1, max_size=12, unique_by=lambda w: w.name))
def test_without_a_quota_the_first_in_line_is_the_first_to_start(line):
    assert names(choose(line, [], Limits(slots=1)))[0] == in_order(line)[0].name
