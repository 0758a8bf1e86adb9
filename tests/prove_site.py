"""`python tests/prove_site.py SITE`: every link of a built site leads somewhere, and its pages are valid HTML.

Links to other sites are not asked. The HTML is judged by html-validate, which npm fetches; without npm a line says that
it was not.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VALIDATOR = "html-validate@10.17.0"
VALIDATOR_S = 300  # seconds that npm and the validator may take
# tables of notebooks bring their style, which belongs into the head and which every browser reads in the body too
STYLE_IN_BODY = "<style> element is not permitted as content under <div>"


@dataclass
class Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    links: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for key, value in attributes:
            if value and key in ("href", "src"):
                self.links.append(value)
            elif value and key in ("id", "name"):
                self.names.add(value)

    handle_startendtag = handle_starttag


def read_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def broken_links(site: Path) -> list[str]:
    """Links to files or places that a site does not have, each with the page that it is on."""
    pages = {path.resolve(): read_page(path) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            place = unquote(parts.fragment)
            if not there.exists() or (place and there in pages and place not in pages[there].names):
                broken.append(f"{path.relative_to(site.resolve())}: {link}")
    return broken


def html_errors(paths: list[Path]) -> list[str] | None:
    """What is not valid in some HTML files, a line each with its file; None when npm cannot fetch the validator."""
    npx = shutil.which("npx")
    if npx is None:
        return None
    line = [npx, "--yes", VALIDATOR, "--preset", "standard", "--formatter", "text", *map(str, paths)]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=VALIDATOR_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode and not re.search(r":\d+:\d+: ", done.stdout):
        return None  # npm did not reach its registry
    return [error for error in done.stdout.splitlines() if error.strip() and STYLE_IN_BODY not in error]


def main() -> None:
    site = Path(sys.argv[1])
    errors = broken_links(site)
    invalid = html_errors(sorted(site.rglob("*.html")))
    if invalid is None:
        print(f"The HTML was not validated: npm fetches no {VALIDATOR} here")
    if errors := errors + (invalid or []):
        sys.exit("\n".join(errors))


if __name__ == "__main__":
    main()
