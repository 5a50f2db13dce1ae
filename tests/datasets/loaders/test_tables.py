"""Tables are read whatever program wrote them, and cells are understood however they are spelled."""

import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lfdtcmen import DataError
from lfdtcmen.datasets.loaders.tables import frame_number, is_missing, read_table, select_columns
from tests.datasets.layouts import write_csv, write_xlsx

HEADER = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Emotion"]
ROWS = [["Zoë", "a", 1, 3, 9, "4,12", "happy"], ["Bérénice", "b", 2, 4, 8, "R2+R1", "sad"]]
TEXT = [[str(cell) for cell in row] for row in ROWS]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_text_is_the_same_table(tmp_path, encoding, delimiter):
    table = read_table(write_csv(tmp_path / "t.csv", [HEADER, *ROWS], delimiter, encoding))
    assert table.columns.tolist() == ["subject", "filename", "onset", "apex", "offset", "au", "emotion"]
    assert table.to_numpy().tolist() == TEXT
    assert table.index.tolist() == [2, 3]
    assert bool(table.attrs.get("remarks")) == (encoding == "cp1252")


def test_a_table_that_is_not_unicode_is_said(tmp_path):
    table = read_table(write_csv(tmp_path / "t.csv", [HEADER, ["王丽", "a", 1, 3, 9, "4", "happy"]], ",", "gbk"))
    remark = "the table is not UTF-8 and was read as cp1252: save it so if names look wrong"
    assert select_columns(table, ["onset"]).attrs["remarks"] == [remark]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end(tmp_path, end):
    (tmp_path / "t.csv").write_bytes(end.join(["Subject;Onset;Note", "a;1;", "", 'b;2;"two\nlines"']).encode())
    table = read_table(tmp_path / "t.csv")
    assert table["subject"].tolist() == ["a", "b"]
    assert table.index[0] == 2


def test_a_workbook_is_the_same_table(tmp_path):
    book = write_xlsx(tmp_path / "t.xlsx", [HEADER, *ROWS])
    assert read_table(book).to_numpy().tolist() == TEXT
    assert read_table(book.rename(tmp_path / "t.csv")).to_numpy().tolist() == TEXT  # whatever it is called


def test_cells_of_a_workbook_become_text(tmp_path):
    row = [12.0, 12.5, True, None, "  x ", "#N/A", "'007"]
    table = read_table(write_xlsx(tmp_path / "t.xlsx", [HEADER, row]))
    assert table.to_numpy().tolist() == [["12", "12.5", "True", "", "x", "#N/A", "'007"]]


def test_the_named_sheet_then_the_one_with_the_best_header(tmp_path):
    book = openpyxl.Workbook()
    for name, rows in {
        "about": [["Subject"], ["x"]],
        "Label ": [HEADER[:5], ["y"] * 5],
        "more": [HEADER, ["z"] * 7],
    }.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx", "label")["subject"].tolist() == ["y"]
    for wanted in ("Sheet9", None):  # "Label " and "more" fit both
        with pytest.raises(DataError, match=r"2 sheets of the workbook fit \(Label , more\)"):
            read_table(tmp_path / "t.xlsx", wanted)
    book["Label "].sheet_state = "hidden"
    book.save(tmp_path / "t.xlsx")
    for wanted in ("label", "Sheet9", None):
        assert read_table(tmp_path / "t.xlsx", wanted)["subject"].tolist() == ["z"]
    assert "sheet more" in read_table(tmp_path / "t.xlsx").attrs["where"]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_not_read(tmp_path, state):
    book = openpyxl.Workbook()
    for name, rows in {"old": [[*HEADER, "FPS"], ["z"] * 8], "new": [HEADER, ["y"] * 7]}.items():
        for row in rows:
            (book[name] if name in book.sheetnames else book.create_sheet(name)).append(row)
    book["old"].sheet_state = state
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx", "old")["subject"].tolist() == ["y"]


def test_a_formula_without_its_value_is_no_empty_cell(tmp_path):
    path = write_xlsx(tmp_path / "t.xlsx", [HEADER, ["a", "b", 1, "=C2+4", None, '=IF(1,"","")', "sad"]])
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "u.xlsx", "w") as saved:
        for name in whole.namelist():  # a spreadsheet program saves an empty text as a value
            saved.writestr(name, whole.read(name).replace(b'<c r="F2">', b'<c r="F2" t="str">'))
    assert read_table(tmp_path / "u.xlsx").to_numpy().tolist() == [["a", "b", "1", "=C2+4", "", "", "sad"]]


def test_a_field_in_several_columns_is_said(tmp_path):
    rows = [["Subject", "Clip", "Onset", "Onset", "Emotion"], list("ab12c")]
    table = select_columns(read_table(write_csv(tmp_path / "t.csv", rows)), ("subject", "onset"))
    assert table.attrs["remarks"] == ["several columns may be the onset: onset is read, not onsetcolumn4"]


def test_the_header_may_follow_a_text_and_rows_keep_the_numbers_of_the_file(tmp_path):
    rows = [["Micro-expressions; the subject is ..."], [], ["Version", 2], HEADER, [], ROWS[0], ["", " ", ""], ROWS[1]]
    for table in (read_table(write_csv(tmp_path / "t.csv", rows)), read_table(write_xlsx(tmp_path / "t.xlsx", rows))):
        assert table.index.tolist() == [6, 8]
        assert table["filename"].tolist() == ["a", "b"]


def test_a_workbook_that_states_a_wrong_size_is_read_whole(tmp_path):
    book = write_xlsx(tmp_path / "whole.xlsx", [HEADER, *ROWS])
    with zipfile.ZipFile(book) as whole, zipfile.ZipFile(tmp_path / "t.xlsx", "w") as wrong:
        for name in whole.namelist():
            wrong.writestr(name, whole.read(name).replace(b'<dimension ref="A1:G3"', b'<dimension ref="A1:A1"'))
    assert b'"A1:A1"' in zipfile.ZipFile(tmp_path / "t.xlsx").read("xl/worksheets/sheet1.xml")
    assert read_table(tmp_path / "t.xlsx").to_numpy().tolist() == TEXT


def test_headers_without_a_name_or_with_one_twice(tmp_path):
    table = read_table(
        write_csv(tmp_path / "t.csv", [["Subject", "", "ONSET  frame", "Subject"], ["a", "b", "c", "d", "e"], ["f"]])
    )
    assert table.columns.tolist() == ["subject", "column2", "onsetframe", "subjectcolumn4"]
    assert table.to_numpy().tolist() == [["a", "b", "c", "d"], ["f", "", "", ""]]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_below(tmp_path):
    (tmp_path / "t.csv").write_text('Subject,Onset,AU\na,1,"4\nb,2,"4,12"\nc,3,5\n')
    table = read_table(tmp_path / "t.csv")
    assert table["subject"].tolist() == ["a", "b", "c"]
    assert table["au"].tolist() == ["4", "4,12", "5"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the table is empty"),
        (b"\n \n", "the table is empty"),
        (b"PK\x03\x04 not a zip", "the workbook cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old .xls workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe", "not a table"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, content, message):
    (tmp_path / "t.xlsx").write_bytes(content)
    with pytest.raises(DataError, match=f"{message}.*t.xlsx"):
        read_table(tmp_path / "t.xlsx")


def test_a_workbook_that_is_cut_off_is_said(tmp_path):
    book = write_xlsx(tmp_path / "t.xlsx", [HEADER, *ROWS])
    whole = book.read_bytes()
    for kept in (100, len(whole) // 2, len(whole) - 30):
        book.write_bytes(whole[:kept])
        with pytest.raises(DataError, match="workbook cannot be read"):
            read_table(book)


def test_a_missing_file_is_said(tmp_path):
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(DataError, match="no such annotation file"):
            read_table(path)


@settings(max_examples=200)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_no_file_crashes_the_reader(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "random.csv"
    path.write_bytes(content)
    try:
        table = read_table(path)
    except DataError:
        return
    assert all(isinstance(cell, str) for row in table.to_numpy() for cell in row)
    assert table.columns.is_unique


@settings(max_examples=100)
@given(
    rows=st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=3, max_size=3), max_size=6)
)
def test_every_cell_of_a_csv_comes_back(tmp_path_factory, rows):
    path = write_csv(tmp_path_factory.getbasetemp() / "cells.csv", [["Subject", "Onset", "AU"], *rows])
    expected = [[cell.strip() for cell in row] for row in rows]
    assert read_table(path).to_numpy().tolist() == [row for row in expected if any(row)]


def test_columns_get_the_names_of_the_manifest(tmp_path):
    table = read_table(
        write_csv(tmp_path / "t.csv", [["Sub", "emotion", "Estimated Emotion", "FPS", "hat"], list("abcde")])
    )
    selected = select_columns(table, ("subject", "emotion"))
    assert selected.iloc[0].to_dict() == {"subject": "a", "fps": "d", "emotion": "b"}
    assert "hat" in select_columns(table, ("hat",), {"hat": ("hat",)})
    with pytest.raises(DataError, match=r"no column for onset, apex \[.*t.csv\]; expected .*found: Sub, emotion"):
        select_columns(table, ("subject", "onset", "apex"))


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" 012 ", 12), ("12.0", 12), ("12.", 12), ("12,00", 12), ("+3", 3), ("", None), ("/", None),
     ("?", None), ("NaN", None), ("-", None), ("#N/A", None), ("\u0661\u0662", 12),
     ("frame_0012.jpg", 12), ("7.PNG", 7)],
)  # fmt: skip
def test_frame_numbers_in_cells(text, number):
    assert frame_number(text) == number
    assert is_missing(text) == (number is None)


@pytest.mark.parametrize("text", ["-1", "12.5", "1.000", "1,000", "1e3", "1_0", "ten", "46-50", "inf", "9" * 20, "na"])
def test_what_is_no_frame_number_is_said(text):
    with pytest.raises(DataError, match="not a frame number"):
        frame_number(text)
