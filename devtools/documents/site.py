"""A hook of MkDocs: links to files outside of `docs/` work in the site too.

Pages link relatively to other pages, to code and to tests, so that the links work in an editor and on the hosting
platform.  Some pages outside of `docs/` are part of the site; a link to any other file leads into the repository where
`repo_url` is set, and becomes plain text where it is not.  A link to what does not exist is left to MkDocs, which
fails.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
    "findings.md": "findings/README.md",
}
"""Address in the site -> file of the checkout."""
CODE = re.compile(r"(^[ ]*```.*?^[ ]*```[ ]*$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<path>(?![a-z]+:|/)[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that stand outside of `docs/`."""
    for uri, source in PAGES.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the page's relative links."""
    uris = {file.abs_src_path: file.src_uri for file in files}
    own_uri, own_path = page.file.src_uri, Path(page.file.abs_src_path or "")

    def rewrite(link: re.Match[str]) -> str:
        target = (own_path.parent / link["path"]).resolve()
        if not target.exists() or not target.is_relative_to(ROOT):
            return link[0]
        if str(target) in uris:
            address = posixpath.relpath(uris[str(target)], posixpath.dirname(own_uri))
            return f"[{link['text']}]({address}{link['anchor'] or ''})"
        if not config.repo_url:
            return link["text"]
        return f"[{link['text']}]({config.repo_url.rstrip('/')}/blob/HEAD/{target.relative_to(ROOT)})"

    parts = CODE.split(markdown)
    parts[::2] = [LINK.sub(rewrite, prose) for prose in parts[::2]]
    return "".join(parts)
