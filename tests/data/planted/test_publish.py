import errno
import json
import multiprocessing

import pytest

from thingsviz.core.errors import DataError
from thingsviz.data.planted.publish import check_place, is_planted, publishing


def fill(folder, text="new"):
    (folder / "derivatives" / "planted").mkdir(parents=True)
    (folder / "data.txt").write_text(text)
    (folder / "dataset_description.json").write_text(json.dumps({"Simulated": True}))


def left_behind(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_seen_before_the_end(tmp_path):
    out = tmp_path / "deep" / "data"
    with publishing(out) as part:
        fill(part)
        assert not out.exists()
        assert part.name.startswith(".")
    assert is_planted(out)
    assert left_behind(out.parent) == ["data"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path, error):
    def work():
        with publishing(tmp_path / "data") as part:
            fill(part)
            raise error

    with pytest.raises(error):
        work()
    assert left_behind(tmp_path) == []


def test_a_full_disk_is_one_sentence_and_keeps_the_old(tmp_path):
    with publishing(tmp_path / "data") as part:
        fill(part, "old")

    def work():
        with publishing(tmp_path / "data") as part:
            fill(part)
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError, match=r"no space is left to plant .*data'"):
        work()
    assert (tmp_path / "data" / "data.txt").read_text() == "old"
    assert left_behind(tmp_path) == ["data"]


def test_an_older_planted_dataset_is_replaced(tmp_path):
    for text in ("old", "new"):
        with publishing(tmp_path / "data") as part:
            fill(part, text)
    assert (tmp_path / "data" / "data.txt").read_text() == "new"
    assert left_behind(tmp_path) == ["data"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "data").mkdir()
    with publishing(tmp_path / "data") as part:
        fill(part)
    assert is_planted(tmp_path / "data")


def test_what_a_killed_planter_left_is_taken_over(tmp_path):
    rest = tmp_path / ".data.planting"
    (rest / "betas_vol").mkdir(parents=True)
    (rest / "old.txt").write_text("half")
    with publishing(tmp_path / "data") as part:
        assert list(part.iterdir()) == []
        fill(part)
    assert not (tmp_path / "data" / "old.txt").exists()


def plant_slowly(out, started, go_on):
    with publishing(out) as part:
        fill(part)
        started.set()
        go_on.wait(20)


def test_a_second_planter_is_told_and_does_no_harm(tmp_path):
    context = multiprocessing.get_context("fork")
    started, go_on = context.Event(), context.Event()
    first = context.Process(target=plant_slowly, args=(tmp_path / "data", started, go_on))
    first.start()
    assert started.wait(20)
    with (
        pytest.raises(DataError, match="being planted by another process"),
        publishing(tmp_path / "data"),
    ):
        pass
    go_on.set()
    first.join(20)
    assert first.exitcode == 0
    assert is_planted(tmp_path / "data")


def test_other_places_are_refused(tmp_path):
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.tex").write_text("all I have")
    with pytest.raises(DataError, match="holds other files than a planted dataset"):
        check_place(other)
    with pytest.raises(DataError, match="is not a folder"):
        check_place(other / "chapter.tex")
    (tmp_path / "link").symlink_to(other)
    with pytest.raises(DataError, match="is not a folder"):
        check_place(tmp_path / "link")
    assert (other / "chapter.tex").exists()


def test_a_real_dataset_is_not_planted(tmp_path):
    fill(tmp_path)
    assert is_planted(tmp_path)
    for text in ('{"Simulated": false}', "[1]", "no JSON", '{"Simulated": "yes"}'):
        (tmp_path / "dataset_description.json").write_text(text)
        assert not is_planted(tmp_path)
    assert not is_planted(tmp_path / "nowhere")


def test_a_parent_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DataError, match=r"cannot be written .*: give a folder of yours"),
        publishing(tmp_path / "file" / "data"),
    ):
        pass
