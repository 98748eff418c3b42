from thingsviz.data.prepare.pieces import Piece
from thingsviz.data.prepare.progress import MEGABYTE, ByteProgress


def piece(name, megabytes):
    return Piece(name, megabytes * MEGABYTE, lambda *_: None)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_bytes_become_share_and_time_left():
    pieces, clock, seen = [piece("a", 30), piece("b", 70)], Clock(), []
    meter = ByteProgress(pieces, pieces, seen.append, clock)
    clock.now = 10
    meter.tick("a", 25 * MEGABYTE)
    meter.report()
    assert seen[-1] == (25, 100, "0 of 2 runs read, 30 s left")
    meter.tick("a", 31 * MEGABYTE)
    meter.report()
    assert seen[-1].done == 30
    assert seen[-1].message.startswith("1 of 2 runs read")


def test_what_was_done_before_counts_as_done_but_not_as_speed():
    pieces, clock, seen = [piece("a", 50), piece("b", 50)], Clock(), []
    meter = ByteProgress(pieces, pieces[1:], seen.append, clock)
    clock.now = 5
    meter.tick("b", 25 * MEGABYTE)
    meter.report()
    assert seen[-1] == (75, 100, "0 of 1 runs read, 5 s left")


def test_no_guess_in_the_first_second():
    seen = []
    ByteProgress([piece("a", 1)], [piece("a", 1)], seen.append, Clock()).report()
    assert seen == [(0, 1, "0 of 1 runs read")]
