"""Letters about events: what they say."""

import io

import python_calamine

from services.notifier.delivery.spreadsheet import escape_formula, purchase_order
from tests.support.notifier import line


def test_no_cell_is_a_formula() -> None:
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "https://example.ru", "{=1+1}", "007"]
    content = purchase_order("=HYPERLINK(1)", "Офис", [line(article=value) for value in hostile])
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    cells = [row[2] for row in sheet.to_python()[3 : 3 + len(hostile)]]
    assert all(isinstance(cell, str) and not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in cells)
    assert cells[-3:] == ["https://example.ru", "{=1+1}", "007"]
    assert escape_formula("W 914/2") == "W 914/2"
