"""What MkDocs calls while it builds the site: each hook hands over to a plain function."""

import logging
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url
from watchdog.observers.polling import PollingObserver

from softmax_ce.site import (
    assets,
    checks,
    explorables,
    math_font,
    notebook,
    outputs,
    rebuild,
    verified,
)

LOGO = Path(__file__).parent / "theme" / ".icons" / "softmax.svg"
STYLE_SHEET = "assets/book.css"
FONT_LICENCE = "assets/math-licence.txt"
LEDGER = "verified.json"
LEDGER_PAGE = "verified.md"
MKDOCSTRINGS_CSS = "assets/_mkdocstrings.css"  # badges and tables that the reference has not


log = logging.getLogger("mkdocs.softmax_ce")
_written: dict[str, str] = {}  # the Markdown of each page, without what the checks say of it
_explorables: dict[str, str] = {}  # the sources of the interactive pictures, by name
_rows = ""  # the address of the page that has a row for each equation


def on_startup(command: str, **_: Any) -> None:
    """Leave no bytecode in the watched package: it would make `mkdocs serve` build again."""
    sys.dont_write_bytecode = True
    checks.start(stays=command == "serve")


def on_config(config: MkDocsConfig) -> None:
    """Keep compiled templates, list no icons, and index what is new in a page."""
    rebuild.lighten(config.theme)
    plugins: Any = config.plugins
    rebuild.keep_templates(plugins["mkdocstrings"].get_handler("python").env)
    index = plugins["material/search"].search_index
    index.add_entry_from_context = partial(rebuild.index, index, index.add_entry_from_context)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Drop what no page loads; add the style sheet, and what the finished pages will fill."""
    for file in [file for file in files if assets.is_unused(file.src_uri)]:
        files.remove(file)
    script = assets.mended_script(_joined(files, assets.SCRIPTS))
    files.append(File.generated(config, "assets/book.js", content=script))
    files.append(File.generated(config, STYLE_SHEET, content=_joined(files, assets.STYLES)))
    _take_explorables(files, config)
    for file in list(files.documentation_pages()):
        if file.src_uri.endswith(".py"):
            files.append(File.generated(config, _ipynb(file), content=""))
        else:
            files.append(File.generated(config, _source(file), content=file.content_string))
    files.append(File.generated(config, str(config.theme["favicon"]), abs_src_path=str(LOGO)))
    files.append(File.generated(config, FONT_LICENCE, content=math_font.licence()))
    files.append(File.generated(config, LEDGER, content=""))
    rebuild.begin(config, files)
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, **_: Any) -> None:
    """Have the pages checked, and the modules whose docstrings they show; execute notebooks."""
    plugins: Any = config.plugins
    for page in nav.pages:
        if page.file.src_uri.endswith(".py"):
            notebook.start(Path(str(page.file.abs_src_path)), plugins["mkdocs-jupyter"].config)
    pages = [_path(page.file) for page in nav.pages]
    if any(verified.DOCSTRINGS in page.file.content_string for page in nav.pages):
        pages += verified.modules()
    checks.ask([*pages, *verified.README])


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Tie every output to its block, and the page to its source."""
    page.edit_url = get_relative_url(_source(page.file), page.url)
    return _checked(page, outputs.mark(markdown), files)


def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> Page:
    """Render a page when it has changed, and a notebook as the other pages are rendered."""
    checks.await_figures()
    render = partial(rebuild.render, page)
    if page.file.src_uri.endswith(".py"):
        render = partial(_render_notebook, page, page.render)
    setattr(page, "render", render)  # noqa: B010, mypy forbids the other
    return page


def _render_notebook(page: Page, mkdocs_jupyter: Any, config: MkDocsConfig, files: Files) -> None:
    nb = notebook.executed_by(partial(mkdocs_jupyter, config, files))
    downloads = files.get_file_from_path(_ipynb(page.file))
    assert downloads is not None
    downloads.content_string = notebook.to_ipynb(nb, config.site_url or "")
    page.edit_url = page.file.name + ".py"
    page.meta["description"] = nb.metadata.get("description")
    page.markdown = _checked(page, notebook.to_markdown(nb, page.file.name), files)
    rebuild.render(page, config, files)


def _checked(page: Page, markdown: str, files: Files) -> str:
    """The Markdown of a page with what the checks say of it, as far as they have spoken."""
    _written[page.file.src_uri] = markdown
    if checks.known is None:
        return markdown
    addresses = {_path(file): file.url for file in files.documentation_pages()}
    return verified.checked(markdown, _path(page.file), checks.known, addresses)


def on_env(env: Any, config: MkDocsConfig, files: Files) -> Any:
    """Await the checks; cut the math font, now that every page's formulas are known."""
    if checks.known is None:  # after a save there is little to wait for
        _prepare(config, files)
    ledger = checks.answer()
    for fault in ledger.faults():
        log.warning("%s", fault)
    file = files.get_file_from_path(LEDGER)
    assert file is not None
    file.content_string = ledger.as_json()
    global _rows
    rows = files.get_file_from_path(LEDGER_PAGE)
    _rows = rows.url if rows else ""
    for page in _pages(files):
        markdown = _checked(page, _written[page.file.src_uri], files)
        if markdown != page.markdown:
            page.markdown = markdown
            rebuild.render(page, config, files)
    style_sheet = files.get_file_from_path(STYLE_SHEET)
    assert style_sheet is not None
    style_sheet.content_string = assets.with_font(style_sheet.content_string, _font(files))
    config.extra_css.remove(MKDOCSTRINGS_CSS)
    return env


def _prepare(config: MkDocsConfig, files: Files) -> None:
    """While the checks run, put into the cache what is wanted afterwards: few pages change."""
    plugins: Any = config.plugins
    index = plugins["material/search"].search_index
    held = len(index.entries)
    for page in _pages(files):
        index.add_entry_from_context(page)
    del index.entries[held:]
    _font(files)


def _font(files: Files) -> bytes:
    return math_font.cut(math_font.characters([page.content or "" for page in _pages(files)]))


def _pages(files: Files) -> list[Page]:
    return [file.page for file in files.documentation_pages() if file.page]


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Mend what the theme leaves out for those who read without eyes or mouse; mark equations.

    A page with something to move loads the script for it.
    """
    assert checks.known is not None
    if _rows:
        address = get_relative_url(_rows, page.url)
        output = verified.marked(output, _path(page.file), checks.known, address)
    script = get_relative_url(explorables.SCRIPT, page.url)
    return assets.mended_page(explorables.placed(output, _explorables, script))


def on_post_template(output: str, template_name: str, **_: Any) -> str:
    """Leave out of the sitemap the day on which it was built, which says nothing of a page."""
    return re.sub(r"\s*<lastmod>.*</lastmod>", "", output) if "sitemap" in template_name else output


def on_serve(server: LiveReloadServer, config: MkDocsConfig, **_: Any) -> None:
    """Look for saved files ten times a second, not twice: our folders are small."""
    watched = (config.docs_dir, config.config_file_path)
    for path in watched:
        server.unwatch(path)
    server.observer = PollingObserver(timeout=0.1)
    for path in watched:
        server.watch(path)


def on_post_build(config: MkDocsConfig) -> None:
    """Write the search index as a script, which a page opened from a folder can load, too.

    And leave the solutions out of a workbook's script.
    """
    site = Path(config.site_dir)
    for script in site.rglob("*.py"):
        written = script.read_text(encoding="utf-8")
        script.write_text(notebook.to_script(written, config.site_url or ""), encoding="utf-8")
    (site / MKDOCSTRINGS_CSS).unlink()
    (site / "sitemap.xml.gz").unlink()  # it carries the day, too, and no one asks for it
    index = site / "search" / "search_index.json"
    text = f"var __index = {index.read_text(encoding='utf-8')}"
    index.with_suffix(".js").write_text(text, encoding="utf-8")
    index.unlink()


def _take_explorables(files: Files, config: MkDocsConfig) -> None:
    """Make one script of the explorables' modules, which are no files of their own from now on."""
    _explorables.clear()
    for file in [file for file in files if file.src_uri.startswith(explorables.FOLDER)]:
        _explorables[file.name + Path(file.src_uri).suffix] = file.content_string
        files.remove(file)
    script = explorables.joined(_explorables)
    files.append(File.generated(config, explorables.SCRIPT, content=script))


def _joined(files: Files, names: tuple[str, ...]) -> str:
    """What these assets hold, which are no files of their own from now on."""
    texts = []
    for name in names:
        (file,) = (file for file in files if file.src_uri.startswith(f"assets/{name}."))
        texts.append(file.content_string)
        files.remove(file)
    return assets.joined(texts)


def _path(file: File) -> str:
    return Path(os.path.relpath(str(file.abs_src_path), checks.ROOT)).as_posix()


def _source(file: File) -> str:
    return f"sources/{file.src_uri}.txt"


def _ipynb(file: File) -> str:
    return file.src_uri.removesuffix(".py") + ".ipynb"
