"""The spreadsheet of a purchase order for the supplier."""

from collections.abc import Sequence
from io import BytesIO

import xlsxwriter

from shared.contracts.orders import PurchaseOrderLine

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HEADINGS = (
    ("№", 5),
    ("Производитель", 20),
    ("Артикул", 22),
    ("Описание", 48),
    ("Количество", 12),
    ("Цена, ₽", 14),
    ("Сумма, ₽", 14),
)


def escape_formula(value: str) -> str:
    """Return text that no spreadsheet takes for a formula, also after an export to CSV."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value


def purchase_order(number: str, office_name: str, lines: Sequence[PurchaseOrderLine]) -> bytes:
    """Return an .xlsx file; every text cell is a string, never a formula or a link."""
    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("Заказ")
        bold = book.add_format({"bold": True})
        heading = book.add_format({"bold": True, "bg_color": "#E6EBF0", "border": 1, "text_wrap": True})
        cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
        price = book.add_format({"border": 1, "num_format": "#,##0.00", "valign": "top"})
        total = book.add_format({"bold": True, "num_format": "#,##0.00"})
        sheet.write_string(0, 0, escape_formula(f"Заказ {number}, {office_name}"), bold)
        for column, (title, width) in enumerate(_HEADINGS):
            sheet.set_column(column, column, width)
            sheet.write_string(2, column, title, heading)
        for index, line in enumerate(lines, start=1):
            row = 2 + index
            sheet.write_number(row, 0, index, cell)
            for column, value in enumerate((line.brand, line.article, line.description), start=1):
                sheet.write_string(row, column, escape_formula(value), cell)
            sheet.write_number(row, 4, line.quantity, cell)
            sheet.write_number(row, 5, float(line.purchase_price), price)
            sheet.write_number(row, 6, float(line.purchase_price * line.quantity), price)
        last = 2 + len(lines)
        sheet.write_string(last + 1, 5, "Итого", bold)
        sheet.write_number(last + 1, 6, float(sum(line.purchase_price * line.quantity for line in lines)), total)
        sheet.freeze_panes(3, 0)
    return buffer.getvalue()
