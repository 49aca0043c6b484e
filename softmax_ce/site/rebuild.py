"""What `mkdocs serve` remembers from one build to the next, so that it renders the edited page."""

import logging
import re
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.utils import CountHandler

from softmax_ce.site import math_text
from softmax_ce.verify import cache
from softmax_ce.verify.sources import everything

RENDERED = ("content", "toc", "_title_from_render", "present_anchor_ids")
_common: tuple[Any, ...] = ()
_pages: dict[str, tuple[Any, dict[str, Any]]] = {}
_entries: dict[str, tuple[Any, list[Any]]] = {}


def begin(config: MkDocsConfig, files: Files) -> None:
    """Note, once a build, what goes into every page: addresses, configuration and our sources."""
    global _common
    addresses = {file.src_uri: file.url for file in files}
    _common = addresses, Path(config.config_file_path).read_bytes(), everything()


def render(page: Page, config: MkDocsConfig, files: Files) -> None:
    """`page.render`, unless its Markdown and all else that goes into the page are as they were."""
    uri, inputs = page.file.src_uri, (page.markdown, dict(page.meta), *_common)
    plugins: Any = config.plugins
    inventory = plugins["mkdocstrings"].handlers.inventory  # the names that a page documents
    if uri in _pages and _pages[uri][0] == inputs:
        kept = _pages[uri][1]
        for name in RENDERED:
            setattr(page, name, kept[name])
        page.links_to_anchors = {files.src_uris[to]: links for to, links in kept["links"].items()}
        inventory.update(kept["inventory"])
        return

    config.mdx_configs["softmax_ce.site.mathml"] = {"file": page.file.abs_src_path}
    others = set(inventory)
    if _warns(lambda: Page.render(page, config, files)):
        return  # for the next build shall warn, too
    kept = {name: getattr(page, name) for name in RENDERED}
    kept["links"] = {to.src_uri: links for to, links in (page.links_to_anchors or {}).items()}
    kept["inventory"] = {name: inventory[name] for name in inventory.keys() - others}
    _pages[uri] = inputs, kept


def _warns(run: Callable[[], None]) -> bool:
    counter, log = CountHandler(), logging.getLogger("mkdocs")
    counter.setLevel(logging.WARNING)
    log.addHandler(counter)
    try:
        run()
    finally:
        log.removeHandler(counter)
    return bool(counter.get_counts())


def index(search_index: Any, parse: Callable[[Page], None], page: Page) -> None:
    """Put a page into the search index: what it held before, if the page has not changed."""
    inputs = (page.title, page.content, dict(page.meta))
    if page.url not in _entries or _entries[page.url][0] != inputs:
        held = len(search_index.entries)
        readable = copy(page)
        content = re.sub(r"<svg\b.*?</svg>", "", page.content or "", flags=re.DOTALL)
        readable.content = math_text.as_text(content)
        parse(readable)
        _entries[page.url] = inputs, search_index.entries[held:]
    else:
        search_index.entries += _entries[page.url][1]


def keep_templates(env: Environment) -> None:
    """Keep what the templates of `env` are compiled to, until they change."""
    env.bytecode_cache = FileSystemBytecodeCache(cache.folder("templates"))
