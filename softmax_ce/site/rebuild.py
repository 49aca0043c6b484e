"""What is remembered from one build to the next, on disk: only an edited page is rendered again."""

import json
import logging
import pickle
import re
import sys
from collections.abc import Callable
from copy import copy
from glob import glob
from pathlib import Path
from typing import Any
from unittest.mock import patch

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.theme import Theme
from mkdocs.utils import CountHandler

from softmax_ce.site import math_text
from softmax_ce.verify import cache
from softmax_ce.verify.sources import PACKAGE, everything

RENDERED = ("content", "toc", "_title_from_render", "present_anchor_ids")
_common = ""


def begin(config: MkDocsConfig, files: Files) -> None:
    """Note, once a build, what goes into every page: addresses, configuration, sources, tools."""
    global _common
    addresses = repr({file.src_uri: file.url for file in files})
    ours = (file.read_bytes() for file in sorted((PACKAGE / "site").glob("*.py")))
    tools = repr(sorted(tool.name for path in sys.path for tool in Path(path).glob("*.dist-info")))
    configured = Path(config.config_file_path).read_bytes()
    _common = cache.key(addresses, configured, *everything().values(), *ours, tools)


def render(page: Page, config: MkDocsConfig, files: Files) -> None:
    """`page.render`, unless its Markdown and all else that goes into the page are as they were."""
    file = _file("pages", page, "pickle")
    key = cache.key(page.markdown or "", repr(page.meta), _common)
    plugins: Any = config.plugins
    inventory = plugins["mkdocstrings"].handlers.inventory  # the names that a page documents
    autorefs = plugins["autorefs"]
    if known := cache.read(file, key):
        kept = pickle.loads(known)
        for name in RENDERED:
            setattr(page, name, kept[name])
        page.links_to_anchors = {files.src_uris[to]: links for to, links in kept["links"].items()}
        inventory.update(kept["inventory"])
        for arguments, options in kept["anchors"]:
            autorefs.register_anchor(page, *arguments, **options)
        return

    config.mdx_configs["softmax_ce.site.mathml"] = {"file": page.file.abs_src_path}
    others = set(inventory)
    with patch.object(autorefs, "register_anchor", wraps=autorefs.register_anchor) as anchors:
        if _warns(lambda: Page.render(page, config, files)):
            return  # for the next build shall warn, too
    kept = {name: getattr(page, name) for name in RENDERED}
    kept["links"] = {to.src_uri: links for to, links in (page.links_to_anchors or {}).items()}
    kept["inventory"] = {name: inventory[name] for name in inventory.keys() - others}
    kept["anchors"] = [(call.args[1:], call.kwargs) for call in anchors.call_args_list]
    cache.write(file, key, pickle.dumps(kept))


def _file(folder: str, page: Page, kind: str) -> str:
    return f"{folder}/{page.file.src_uri.replace('/', '-')}.{kind}"


def _warns(run: Callable[[], None]) -> bool:
    """Whether there was a warning, also one that `--quiet` keeps from the terminal."""
    counter, log = CountHandler(), logging.getLogger("mkdocs")
    counter.setLevel(logging.WARNING)
    level, handlers = log.level, [(handler, handler.level) for handler in log.handlers]
    for handler, its_level in handlers:
        handler.setLevel(max(level, its_level))
    log.setLevel(min(level, logging.WARNING))
    log.addHandler(counter)
    try:
        run()
    finally:
        log.removeHandler(counter)
        log.setLevel(level)
        for handler, its_level in handlers:
            handler.setLevel(its_level)
    return bool(counter.get_counts())


def index(search_index: Any, parse: Callable[[Page], None], page: Page) -> None:
    """Put a page into the search index: what it held before, if the page has not changed."""
    file = _file("searched", page, "json")
    key = cache.key(str(page.title), page.content or "", repr(page.meta), _common)
    if known := cache.read(file, key):
        search_index.entries += json.loads(known)
        return
    held = len(search_index.entries)
    readable = copy(page)
    content = re.sub(r"<svg\b.*?</svg>", "", page.content or "", flags=re.DOTALL)
    content = re.sub(r"<pre\b.*?</pre>", _plain, content, flags=re.DOTALL)
    readable.content = math_text.as_text(content)
    parse(readable)
    cache.write(file, key, json.dumps(search_index.entries[held:]).encode())


def _plain(code: re.Match[str]) -> str:
    """Code without its thousands of colours, each of which would be parsed to be dropped."""
    return re.sub(r"</?span\b[^>]*>", "", code[0])


class _Templates(FileSystemLoader):
    """Templates, listed without hidden ones: the theme has 14,000 icons that MkDocs would drop."""

    def list_templates(self) -> list[str]:
        listed = {
            name
            for folder in self.searchpath
            for name in glob("**/*", root_dir=folder, recursive=True)
            if Path(folder, name).is_file()
        }
        return sorted(listed)


def lighten(theme: Theme) -> None:
    """Have the templates of the theme listed without its icons, and kept as they are compiled."""
    get_env = theme.get_env

    def light() -> Environment:
        env = get_env()
        env.loader = _Templates(theme.dirs)
        keep_templates(env)
        return env

    theme.get_env = light  # type: ignore[method-assign]


def keep_templates(env: Environment) -> None:
    """Keep what the templates of `env` are compiled to, until they change."""
    env.bytecode_cache = FileSystemBytecodeCache(cache.folder("templates"))
