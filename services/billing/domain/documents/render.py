"""Draw the PDF of a document.  Facts reach the template as JSON data and never as source."""

import io
import json
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path

import segno
import typst

from services.billing.domain.documents.data import Document, DocumentKind, InvoiceDocument

TEMPLATES = Path(__file__).parent / "templates"

LAYOUT = 1
"""Layout of new documents; a stored document keeps the one it was made with."""


@cache
def _fonts() -> typst.Fonts:
    # Only the embedded fonts, so that a document looks the same on every machine.
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


def render_pdf(kind: DocumentKind, document: Document, *, layout: int = LAYOUT) -> bytes:
    """Return the PDF, the same bytes for the same document.

    It takes some hundredths of a second of CPU: call it in a thread.
    """
    data = document.printed()
    if isinstance(document, InvoiceDocument):
        data["qr"] = qr_svg(document.qr_text) if document.qr_text else None
    folder = TEMPLATES / f"v{layout}"
    compiler = typst.Compiler(input=str(folder / f"{kind}.typ"), root=str(folder), font_paths=_fonts())
    pdf = compiler.compile(
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        timestamp=datetime.combine(document.day, time(), UTC),
    )
    assert isinstance(pdf, bytes)
    return pdf


def qr_svg(text: str) -> str:
    """Return the payment code as SVG, in UTF-8 without an ECI header, which banks' readers do not expect."""
    drawing = io.BytesIO()
    segno.make_qr(text, error="m", encoding="utf-8", boost_error=False).save(drawing, kind="svg", border=2)
    return drawing.getvalue().decode()
