"""A job as a zip: there and back, and everything that is not let in."""

import json
import stat
import zipfile

import numpy as np
import pytest

from models.transformer.patches import PatchGrid, TokenIndex
from models.transformer.token_map import from_index
from tests.finished_jobs import folder
from thingsviz.core.errors import JobError, ThingsvizError
from thingsviz.core.locks import try_lock
from thingsviz.core.users import os_user
from thingsviz.explain.map_files import EpochMaps, MapSet, map_sets
from thingsviz.jobs.about import read_about, write_about
from thingsviz.jobs.arrays import write_arrays
from thingsviz.jobs.job_folder import JobFolder
from thingsviz.jobs.recipe import dump_config
from thingsviz.jobs.weights import kept_epochs
from thingsviz.reports import bundle
from thingsviz.reports.bundle import LIST, export_job, import_job
from thingsviz.reports.bundle_more import EPOCHS, MAPS, kind_of, size_of

GRID = PatchGrid((4, 4, 4), (2, 2, 2), pad=True)
TOKENS = from_index(TokenIndex.of(np.ones((4, 4, 4), bool), GRID))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("THINGSVIZ_JOBS", str(tmp_path / "here"))
    return tmp_path


@pytest.fixture
def job(here) -> JobFolder:
    made = folder("mine")
    made.checkpoints.mkdir()
    write_arrays(made.checkpoints / "best.safetensors", {"w": np.ones((2, 3), np.float32)})
    write_arrays(made.checkpoints / "state-0001.safetensors", {"w": np.ones(2)})
    return made


@pytest.fixture
def there(here, job, monkeypatch):
    """Another machine, with the exported job as a file."""
    export_job(job, here / "mine.zip")
    monkeypatch.setenv("THINGSVIZ_JOBS", str(here / "there"))
    return here / "mine.zip"


def rewritten(path, change):
    """The same zip with its (name, content) entries changed."""
    with zipfile.ZipFile(path) as old:
        entries = {info.filename: old.read(info) for info in old.infolist()}
    change(entries)
    with zipfile.ZipFile(path, "w") as new:
        for name, content in entries.items():
            new.writestr(name, content)


def nothing_is_left(root):
    return not any((root / "there").glob("*")) and not any((root / "there").glob(".import*"))


def test_a_job_opens_on_another_machine_as_it_was(job, there):
    found = import_job(there)
    assert found.path.parent.name == "there"
    assert found.name == "mine"
    assert dump_config(found.config()) == dump_config(job.config())
    assert found.scores().equals(job.scores())
    assert found.predictions().equals(job.predictions())
    assert found.manifest() == job.manifest()
    assert found.is_done()
    assert not list(found.checkpoints.glob("state-*"))
    best = "checkpoints/best.safetensors"
    assert found.file(best).read_bytes() == job.file(best).read_bytes()


def test_a_job_from_elsewhere_is_its_importers_and_says_where_it_came_from(job, here, monkeypatch):
    write_about(job, owner="first", title="My best", tags=("vit",), note="Slow.")
    export_job(job, here / "mine.zip")
    monkeypatch.setenv("THINGSVIZ_JOBS", str(here / "there"))
    about = read_about(import_job(here / "mine.zip", owner="second"))
    assert (about.owner, about.title, about.tags) == ("second", "My best", ("vit",))
    assert about.note == "Brought in from mine in mine.zip, where it was first's.\n\nSlow."
    assert read_about(import_job(here / "mine.zip")).owner == os_user()


@pytest.mark.parametrize("said", [None, "words", {"owner": 3}, {"note": "x" * 5000}])
def test_a_zip_that_says_nothing_sound_of_its_job_is_let_in_without_it(there, said):
    def change(entries):
        head = json.loads(entries[LIST])
        entries[LIST] = json.dumps(head | {"about": said})

    rewritten(there, change)
    about = read_about(import_job(there, owner="second"))
    assert (about.owner, about.title) == ("second", "")
    assert about.note == "Brought in from mine in mine.zip."


def test_a_taken_name_gets_a_number(there):
    assert [import_job(there).name for _ in range(3)] == ["mine", "mine-2", "mine-3"]


def test_a_running_job_is_not_exported(job, here):
    import os

    handle = try_lock(job.file("lock"))
    with pytest.raises(ThingsvizError, match="'mine' is running: stop it"):
        export_job(job, here / "x.zip")
    os.close(handle)
    assert not (here / "x.zip").exists()


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "checkpoints/../../evil", "evil.py", "checkpoints/evil.pkl"],
)
def test_only_a_jobs_own_files_are_let_in(there, here, name):
    rewritten(there, lambda entries: entries.update({name: b"x"}))
    with pytest.raises(ThingsvizError, match="is none of its files"):
        import_job(there)
    assert nothing_is_left(here)
    assert not list(here.rglob("evil*"))


@pytest.mark.parametrize("name", ["../evil", "checkpoints/../../evil", "evil.py"])
def test_a_path_that_the_list_names_too_is_not_let_in(there, here, name):
    rewritten(there, set_entry(name, b"x"))
    with pytest.raises(JobError):
        import_job(there)
    assert nothing_is_left(here)
    assert not list(here.rglob("evil*"))


def test_links_are_not_let_in(there, here):
    def link(entries):
        entries.pop("log.txt")

    rewritten(there, link)
    with zipfile.ZipFile(there, "a") as file:
        info = zipfile.ZipInfo("log.txt")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    with pytest.raises(ThingsvizError, match=r"'log.txt' is no plain file"):
        import_job(there)
    assert nothing_is_left(here)


def change_list(**more):
    def change(entries):
        entries[LIST] = json.dumps(json.loads(entries[LIST]) | more).encode()

    return change


def set_entry(name, content):
    def change(entries):
        entries[name] = content
        head = json.loads(entries[LIST])
        import hashlib

        sha = hashlib.sha256(content).hexdigest()
        head["files"][name] = {"size": len(content), "sha256": sha}
        entries[LIST] = json.dumps(head).encode()

    return change


def same_size(name):
    """Other bytes of the same number, for which the zip's own CRC is right."""

    def change(entries):
        entries[name] = bytes(byte ^ 1 for byte in entries[name])

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_list(version=99), "of version 99, but"),
        (change_list(kind="a cake"), "holds a 'a cake'"),
        (change_list(name="../up"), "its job.json cannot be read"),
        (change_list(files={}), "names other files than it holds"),
        (lambda entries: entries.update({LIST: b"not json"}), "its job.json cannot be read"),
        (lambda entries: entries.pop(LIST), "it has no job.json"),
        (lambda entries: entries.update({"log.txt": b"other words"}), "log.txt in .* is damaged"),
        (same_size("log.txt"), "log.txt in .* is damaged"),
        (set_entry("config.json", b'{"dataset": "demo", "extra": 1}'), "extra"),
        (set_entry("config.json", b"[]"), "should hold a JSON object"),
        (set_entry("scores.json", b'{"no": "rows"}'), "cannot be read"),
        (set_entry("predictions.parquet", b"not parquet"), "cannot be read"),
        (set_entry("checkpoints/best.safetensors", b"\x80\x04pickle"), "cannot be read"),
    ],
)
def test_what_is_not_as_it_should_be_is_one_sentence(there, here, change, words):
    rewritten(there, change)
    with pytest.raises(ThingsvizError, match=words) as caught:
        import_job(there)
    assert "\n" not in str(caught.value)
    assert nothing_is_left(here)


def test_a_bomb_is_refused_before_it_is_unpacked(there, here, monkeypatch):
    monkeypatch.setattr(bundle, "MOST_BYTES", 1000)
    with pytest.raises(ThingsvizError, match="holds more than 1,000 bytes"):
        import_job(there)
    monkeypatch.setattr(bundle, "MOST_JSON", 10)
    with pytest.raises(ThingsvizError, match="is larger than 10 bytes"):
        import_job(there)
    assert nothing_is_left(here)


def test_a_file_that_is_no_zip_and_one_that_is_not_there(here):
    (here / "x.zip").write_bytes(b"PK not a zip")
    with pytest.raises(ThingsvizError, match="cannot be read as a zip"):
        import_job(here / "x.zip")
    with pytest.raises(ThingsvizError, match="there is no file"):
        import_job(here / "nowhere.zip")


def test_a_sent_file_is_called_as_its_sender_calls_it_and_takes_no_other_name(there):
    with there.open("rb") as file:
        assert import_job(file, "sent.zip", rename=False).name == "mine"
    with (
        there.open("rb") as file,
        pytest.raises(
            ThingsvizError, match=r"sent\.zip holds a job named 'mine', and one of that"
        ),
    ):
        import_job(file, "sent.zip", rename=False)
    assert [p.name for p in there.parent.joinpath("there").iterdir()] == ["mine"]


@pytest.mark.parametrize("at", range(2, 46, 4))
def test_a_damaged_directory_of_a_zip_is_one_sentence(there, here, at):
    """The last 46 bytes and the first entry say where everything is."""
    raw = bytearray(there.read_bytes())
    start = raw.rfind(b"PK\x05\x06") if at < 20 else raw.rfind(b"PK\x01\x02")
    raw[start + at % 42] ^= 0xA5
    there.write_bytes(raw)
    try:
        import_job(there)
    except JobError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert not list((here / "there").glob("*"))


@pytest.fixture
def mapped(job):
    """The job with maps of its result and of two kept epochs, and films that can be made again."""
    for kind, values in ((MapSet, np.ones(3)), (EpochMaps, np.ones((2, 3)))):
        there = kind(job, "concept-aircraft carrier", "be-moved")
        there.save("attention", values, "of these weights")
        there.save_tokens(TOKENS)
        there.add_facts(fingerprint="of these weights", n_layers=1, epochs=[0, 4])
        (there.path / "attention_layer1_head1.gif").write_bytes(b"GIF")
    for epoch in (0, 4):
        write_arrays(job.checkpoints / f"epoch-{epoch:05d}.safetensors", {"w": np.ones(2)})
    return job


def test_maps_and_kept_epochs_stay_here_unless_wished_for(mapped, here):
    own = export_job(mapped, here / "own.zip")
    assert not [name for name in own if "maps" in name or "epoch" in name]
    maps = set(export_job(mapped, here / "maps.zip", [MAPS])) - set(own)
    assert {name.rsplit("/", 1)[1] for name in maps} == {
        "attention.safetensors",
        "facts.json",
        "tokens.arrays",
    }
    assert len(maps) == 6
    epochs = set(export_job(mapped, here / "epochs.zip", [EPOCHS])) - set(own)
    assert epochs == {f"checkpoints/epoch-{n:05d}.safetensors" for n in (0, 4)}
    assert size_of(mapped, EPOCHS) == sum(mapped.file(n).stat().st_size for n in epochs) > 0
    (folder("plain")).checkpoints.mkdir()
    assert size_of(JobFolder(mapped.path.parent / "plain"), MAPS) == 0


def test_maps_and_epochs_open_elsewhere_as_they_were(mapped, here, monkeypatch):
    export_job(mapped, here / "all.zip", [MAPS, EPOCHS])
    monkeypatch.setenv("THINGSVIZ_JOBS", str(here / "there"))
    found = import_job(here / "all.zip")
    for kind in (MapSet, EpochMaps):
        (there,) = map_sets(found, kind)
        (before,) = map_sets(mapped, kind)
        assert (there.part, there.target) == ("concept-aircraft carrier", "be-moved")
        assert there.facts() == before.facts()
        np.testing.assert_array_equal(
            there.load("attention", "of these weights"), before.load("attention")
        )
        assert there.tokens().n_tokens == TOKENS.n_tokens
    assert kept_epochs(found) == [0, 4]


PLACE = "maps/test--all"


@pytest.mark.parametrize(
    "name",
    [
        f"{PLACE}/../../evil.safetensors",
        f"{PLACE}/evil.safetensors",
        f"{PLACE}/attention.pkl",
        f"{PLACE}/deeper/facts.json",
        "maps/../facts.json",
        "maps/test--../facts.json",
        "maps/evil--all/facts.json",
        "maps/epochs/epochs/test--all/facts.json",
        "/maps/test--all/facts.json",
        "maps/facts.json",
        "checkpoints/epoch-1.safetensors",
        "checkpoints/epoch-٠٠٠٠١.safetensors",
    ],
)
def test_only_maps_and_epochs_by_their_own_names_are_let_in(there, here, name):
    assert kind_of(name) is None
    rewritten(there, lambda entries: entries.update({name: b"x"}))
    with pytest.raises(ThingsvizError, match="is none of its files"):
        import_job(there)
    assert nothing_is_left(here)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("attention.safetensors", b"\x80\x04pickle", "cannot be read"),
        ("facts.json", b'{"n_layers": 1000000000}', "n_layers is 1000000000"),
        ("facts.json", b'{"truth": [1]}', "truth should hold a row a method"),
        ("facts.json", b'{"epochs": ["x"]}', "cannot be shown"),
        ("facts.json", b"[" * 90_000, "cannot be read"),
        ("tokens.arrays", b"", "cannot be read"),
    ],
)
def test_maps_that_no_page_could_show_are_not_let_in(
    mapped, here, monkeypatch, name, content, words
):
    export_job(mapped, here / "x.zip", [MAPS])
    monkeypatch.setenv("THINGSVIZ_JOBS", str(here / "there"))
    at = "maps/concept-aircraft carrier--be-moved/"
    rewritten(here / "x.zip", set_entry(at + name, content))
    with pytest.raises(ThingsvizError, match=words) as caught:
        import_job(here / "x.zip")
    assert "\n" not in str(caught.value)
    assert nothing_is_left(here)


def test_more_files_than_a_job_can_have_are_refused(mapped, here, monkeypatch):
    export_job(mapped, here / "x.zip", [MAPS])
    monkeypatch.setattr(bundle, "MOST_FILES", 8)
    with pytest.raises(ThingsvizError, match="holds more than 8 files"):
        import_job(here / "x.zip")
    with pytest.raises(ThingsvizError, match="leave out its maps or its kept epochs"):
        export_job(mapped, here / "y.zip", [MAPS])
    assert not (here / "y.zip").exists()
