import json

import pytest

from thingsviz.core.errors import DataError
from thingsviz.data.store.manifest import (
    Source,
    fingerprint,
    first_change,
    note_source,
    read_manifest,
    sources_of,
)
from thingsviz.data.volumes.gzip_stream import Digest

A, B = Source("a", 1, 10, "x"), Source("b", 2, 20, "y")


def test_the_fingerprint_depends_on_content_not_on_dates_or_order():
    assert fingerprint([A, B]) == fingerprint([B, A._replace(mtime_ns=99)])
    assert fingerprint([A, B]) != fingerprint([A, B._replace(sha256="z")])
    assert fingerprint([A]) != fingerprint([A, B])


def test_a_source_is_described_by_its_bytes(little):
    source = note_source(little, little.ratings_file)
    assert source.path == "image/02_object-level/_property-ratings.tsv"
    assert source.size == little.ratings_file.stat().st_size
    assert len(source.sha256) == 64


def test_a_file_that_grew_while_it_was_read(little):
    with pytest.raises(DataError, match="changed while it was read"):
        note_source(little, little.ratings_file, Digest(3, "x"))


def test_changes_are_named(little):
    path = little.ratings_file
    manifest = {"sources": [note_source(little, path)._asdict()]}
    assert first_change(little, manifest, [path]) == ""
    assert first_change(little, manifest, []).endswith("_property-ratings.tsv is gone")
    both = [path, little.image_paths_file]
    assert first_change(little, manifest, both).endswith("image-paths.csv is new")
    path.write_text("other")
    assert first_change(little, manifest, [path]).endswith("_property-ratings.tsv has changed")


def test_a_manifest_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_manifest(tmp_path)


@pytest.mark.parametrize("lost", ["kind", "files", "fingerprint", "sources", "shape"])
def test_a_manifest_must_be_complete(store, lost):
    path = store.folder / "manifest.json"
    whole = json.loads(path.read_text())
    assert sources_of(whole)
    path.write_text(
        json.dumps({name: v for name, v in whole.items() if name not in {lost, "crc32"}})
    )
    with pytest.raises(DataError, match=f"{lost} should be"):
        read_manifest(store.folder)


@pytest.mark.parametrize(("name", "value"), [("path", []), ("size", "1"), ("mtime_ns", None)])
def test_sources_are_of_their_kinds(store, name, value):
    path = store.folder / "manifest.json"
    data = json.loads(path.read_text())
    del data["crc32"]
    data["sources"][0][name] = value
    path.write_text(json.dumps(data))
    with pytest.raises(DataError, match=f"sources.0.{name} should be"):
        read_manifest(store.folder)
