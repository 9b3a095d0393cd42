"""The generated pages below `docs/`."""

from devtools.documents import events, regulations


def pages() -> dict[str, str]:
    """Return the path below `docs/` and the text of every generated page."""
    return {"regulations/index.md": regulations.index(), "events.md": events.events()}
