import pytest

from thingsviz.data.prepare.journal import Journal
from thingsviz.data.prepare.read_run import FinishedPiece
from thingsviz.data.store.manifest import note_source


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".sub-01.building"


def piece(name, source=None):
    return FinishedPiece(name, source, (0, 4))


def test_what_was_noted_is_known_again(little, folder):
    journal = Journal(folder, "sign")
    journal.start()
    source = note_source(little, little.ratings_file)
    for one in (piece("a", source), piece("b")):
        journal.add(one)
    again = Journal(folder, "sign")
    again.start()
    assert again.done(little) == {"a": piece("a", source), "b": piece("b")}


def test_another_work_starts_anew(little, folder):
    first = Journal(folder, "one")
    first.start()
    first.add(piece("a"))
    (folder / "betas.npy").touch()
    other = Journal(folder, "two")
    assert other.done(little) == {}
    other.start()
    assert [path.name for path in folder.iterdir()] == ["journal.jsonl"]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_torn_anywhere_harms_no_other(little, folder, cut):
    journal = Journal(folder, "sign")
    journal.start()
    journal.add(piece("a"))
    journal.add(piece("b"))
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    journal.add(piece("c"))
    assert set(journal.done(little)) - {"b"} == {"a", "c"}


def test_a_piece_whose_source_changed_does_not_count(little, folder):
    journal = Journal(folder, "sign")
    journal.start()
    journal.add(piece("a", note_source(little, little.ratings_file)))
    little.ratings_file.write_text("other")
    assert journal.done(little) == {}
    little.ratings_file.unlink()
    assert journal.done(little) == {}


def test_nothing_is_done_without_a_journal(little, folder):
    assert Journal(folder, "sign").done(little) == {}


def test_a_journal_of_other_bytes_is_not_believed(little, folder):
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(b"sign\n\xff\xfe{}\nnull\n[1]\n")
    assert Journal(folder, "sign").done(little) == {}


def test_a_changed_digit_in_a_line_makes_the_piece_be_made_again(little, folder):
    journal = Journal(folder, "sign")
    journal.start()
    for i in range(3):
        journal.add(FinishedPiece(f"run {i}", None, (i, i + 1), row_crcs=[3 + i]))
    assert [one.rows for one in journal.done(little).values()] == [(0, 1), (1, 2), (2, 3)]
    text = journal.path.read_text()
    journal.path.write_text(text.replace('"rows": [1, 2]', '"rows": [9, 2]'))
    assert set(journal.done(little)) == {"run 0", "run 2"}
