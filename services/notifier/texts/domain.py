"""Check what head office writes into a template.

Allowed are words, the simplest markup, data, conditions, and one list inside another.
"""

from html.parser import HTMLParser

from jinja2 import nodes

MAX_SOURCE = 20_000
MAX_LOOP_DEPTH = 2
TAGS = {
    *("p", "br", "b", "strong", "i", "em", "u", "s", "a", "ul", "ol", "li", "h1", "h2", "h3", "div", "span", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td", "small", "blockquote"),
}
ATTRIBUTES = {
    *("style", "href", "width", "height", "align", "valign", "colspan", "rowspan", "cellpadding", "cellspacing"),
    *("border", "role", "bgcolor"),
}
LINKS = ("https://", "http://", "mailto:", "tel:", "{{ public_url", "{{ confirmation_url", "{{public_url")
_FOREIGN = (nodes.Extends, nodes.Block, nodes.Include, nodes.Import, nodes.FromImport, nodes.Macro, nodes.CallBlock)


def template_problems(tree: nodes.Template) -> list[str]:
    """Return the constructs that a template of head office may not have."""
    foreign = [node for node in tree.find_all(_FOREIGN) if not _is_signature(node)]
    found = [f"строка {node.lineno}: так шаблоны не соединяют" for node in foreign]
    if _loops(tree) > MAX_LOOP_DEPTH:
        found.append("циклы вложены слишком глубоко")
    return found


def _is_signature(node: nodes.Node) -> bool:
    """Return whether the node includes the office's name and contacts, which every text may."""
    included = node.template if isinstance(node, nodes.Include) else None
    return isinstance(included, nodes.Const) and included.value == "_signature.txt"


def _loops(node: nodes.Node) -> int:
    inner = max((_loops(child) for child in node.iter_child_nodes()), default=0)
    return inner + isinstance(node, nodes.For)


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.problems.append(f"тег <{tag}> не разрешён")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.problems.append(f"атрибут {name} не разрешён")
            elif name == "href" and not (value or "").strip().lower().startswith(LINKS):
                self.problems.append(f"ссылка «{value}» не разрешена")
            elif name == "style" and any(word in (value or "").lower() for word in ("url(", "expression", "@import")):
                self.problems.append("в оформлении не разрешены внешние адреса")

    def handle_decl(self, decl: str) -> None:
        self.problems.append("объявления не разрешены")

    def unknown_decl(self, data: str) -> None:
        self.problems.append("объявления не разрешены")


def markup_problems(page: str) -> list[str]:
    """Return tags, attributes and links beyond what letters need: nothing may run or load."""
    reader = _Markup()
    reader.feed(page)
    reader.close()
    return list(dict.fromkeys(reader.problems))
