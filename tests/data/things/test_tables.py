import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingsviz.core.errors import DataError
from thingsviz.data.things.tables import read_table, require_columns, to_numbers

CELLS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=8).map(
    lambda text: text.replace('"', "'").strip() or "x"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.tsv"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_all_line_endings_read_alike(path, newline):
    path.write_bytes(newline.join(["a\tb", "1\t2", "3\t4", ""]).encode())
    assert read_table(path).cells.to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_a_byte_order_mark_is_no_part_of_the_header(path):
    path.write_text("a\tb\n1\t2\n", encoding="utf-8-sig")
    assert list(read_table(path).cells.columns) == ["a", "b"]


def test_utf16_with_mark(path):
    path.write_text("a\tb\nÄ\t2\n", encoding="utf-16")
    assert read_table(path).cells["a"].tolist() == ["Ä"]


def test_windows_text_is_read_with_a_warning(path):
    path.write_bytes("a\tb\ncafé\t2\n".encode("cp1252"))
    cells, warnings = read_table(path)
    assert cells["a"].tolist() == ["café"]
    assert warnings == [
        "table.tsv is not UTF-8: read as Windows-1252, look at its accented letters"
    ]


def test_quoted_newlines_and_separators_stay_in_their_cell(path):
    path.write_text('"a\nb"\tc\n"1\t2"\t3\n')
    cells = read_table(path).cells
    assert list(cells.columns) == ["a\nb", "c"]
    assert cells.iloc[0].tolist() == ["1\t2", "3"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a\tb\n1\n", "row 2 has 1 cells where the header has 2"),
        (b"a\tb\n1\t2\n1\t2\t3\n", "row 3 has 3 cells where the header has 2"),
        (b"a\ta\n1\t2\n", "names the column 'a' twice"),
        (b"\x89PNG\x00\x00", "holds zero bytes"),
    ],
)
def test_what_is_no_table_is_refused(path, raw, message):
    path.write_bytes(raw)
    with pytest.raises(DataError, match=message):
        read_table(path)


def test_empty_lines_do_not_count(path):
    path.write_text("a\tb\n\n1\t2\n \t \n\n")
    assert len(read_table(path).cells) == 1


def test_a_missing_file_is_one_sentence(path):
    with pytest.raises(DataError, match=r"table\.tsv' cannot be read \(No such file"):
        read_table(path)


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read(tmp_path_factory, rows, newline):
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    lines = ["\t".join(row) for row in [["x", "y", "z"], *rows]]
    path.write_bytes((newline.join(lines) + newline).encode())
    assert read_table(path).cells.to_numpy().tolist() == rows


@given(st.binary(max_size=300))
def test_any_bytes_give_a_table_or_one_sentence(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("t") / "t.tsv"
    path.write_bytes(raw)
    try:
        cells, _ = read_table(path)
    except DataError:
        return
    assert len(cells.columns)


def test_required_columns(path):
    table = pd.DataFrame({"a": ["1"]})
    require_columns(path, table, ["a"])
    with pytest.raises(DataError, match="lacks the column 'b'"):
        require_columns(path, table, ["a", "b"])


def test_numbers_with_gaps(path):
    cells = pd.Series(["1", " 2.5 ", "", "n/a", "NaN", "-3e2"], name="x")
    np.testing.assert_array_equal(to_numbers(path, cells), [1, 2.5, np.nan, np.nan, np.nan, -300])


@pytest.mark.parametrize("cell", ["abc", "1,5", "inf", "1 2", "--"])
def test_text_among_numbers_is_refused_with_its_place(path, cell):
    cells = pd.Series(["1", cell], name="size_mean")
    with pytest.raises(DataError, match=r"in column 'size_mean', table row 3, is not a number"):
        to_numbers(path, cells)
