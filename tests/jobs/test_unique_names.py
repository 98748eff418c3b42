"""Folders of jobs and studies side by side: by name, under a free one, whole or not at all."""

import os

import pytest

from thingsviz.core.errors import ConfigError, JobError
from thingsviz.jobs import unique_names

PLANTS = unique_names.FolderKind("plant", "plants", "the Garden page")


def write(path):
    (path / unique_names.RECIPE).write_text("{}")


def make(root, name="fern", **more):
    return unique_names.made(root, name, PLANTS, write, **more)


def test_a_taken_name_gets_a_number_and_stays_a_name(tmp_path):
    root = tmp_path / "new" / "root"
    assert [make(root).name for _ in range(3)] == ["fern", "fern-2", "fern-3"]
    long = "f" * 80
    assert [make(root, long).name for _ in range(2)] == [long, "f" * 74 + "-2"]
    assert unique_names.opened(root, "f" * 74 + "-2", PLANTS).is_dir()


def test_a_name_may_be_taken_by_what_lies_elsewhere(tmp_path):
    assert make(tmp_path, taken={"fern", "fern-2"}.__contains__).name == "fern-3"


def test_when_all_names_are_taken(tmp_path):
    with pytest.raises(ConfigError, match="there are 9,999 plants named 'fern': choose another"):
        make(tmp_path, taken=lambda name: True)


def test_the_newest_recipe_comes_first_and_only_recipes_count(tmp_path):
    for k, name in enumerate("bac"):
        os.utime(make(tmp_path, name) / unique_names.RECIPE, (k, k))
    (tmp_path / "empty").mkdir()
    make(tmp_path, ".hidden")
    assert [path.name for path in unique_names.listed(tmp_path)] == ["c", "a", "b"]
    assert unique_names.listed(tmp_path / "nowhere") == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_nothing_is_left_of_what_could_not_be_filled(tmp_path, error):
    def fail(path):
        write(path)
        raise error

    with pytest.raises(error):
        unique_names.made(tmp_path, "fern", PLANTS, fail)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence(tmp_path):
    def full(path):
        raise OSError(28, "No space left on device")

    with pytest.raises(JobError, match="no space is left to write in"):
        unique_names.made(tmp_path, "fern", PLANTS, full)


@pytest.mark.parametrize("name", ["..", "a/b", "", "gone", "x\0y"])
def test_nothing_outside_is_opened(tmp_path, name):
    write(tmp_path)
    with pytest.raises(JobError, match=r"cannot be a folder|no plant .gone. in .* Garden"):
        unique_names.opened(tmp_path, name, PLANTS)
