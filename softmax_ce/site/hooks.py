"""What MkDocs calls while it builds the site: each hook hands over to a plain function."""

import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url
from watchdog.observers.polling import PollingObserver

from softmax_ce.site import assets, math_font, notebook, outputs, rebuild

LOGO = Path(__file__).parent / "theme" / ".icons" / "softmax.svg"
STYLE_SHEET = "assets/book.css"
FONT_LICENCE = "assets/math-licence.txt"
MKDOCSTRINGS_CSS = "assets/_mkdocstrings.css"  # badges and tables that the reference has not


def on_startup(**_: Any) -> None:
    """Leave no bytecode in the watched package: it would make `mkdocs serve` build again."""
    sys.dont_write_bytecode = True


def on_config(config: MkDocsConfig) -> None:
    """Keep the reference's compiled templates, and index for the search what is new in a page."""
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
    for file in list(files.documentation_pages()):
        if file.src_uri.endswith(".py"):
            files.append(File.generated(config, _ipynb(file), content=""))
        else:
            files.append(File.generated(config, _source(file), content=file.content_string))
    files.append(File.generated(config, str(config.theme["favicon"]), abs_src_path=str(LOGO)))
    files.append(File.generated(config, FONT_LICENCE, content=rebuild.font_licence()))
    rebuild.begin(config, files)
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Tie every output to its block, and the page to its source."""
    page.edit_url = get_relative_url(_source(page.file), page.url)
    return outputs.mark(markdown)


def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> Page:
    """Render a page when it has changed, and a notebook as the other pages are rendered."""
    render = partial(rebuild.render, page)
    if page.file.src_uri.endswith(".py"):
        render = partial(_render_notebook, page, page.render)
    setattr(page, "render", render)  # noqa: B010, mypy forbids the other
    return page


def _render_notebook(page: Page, mkdocs_jupyter: Any, config: MkDocsConfig, files: Files) -> None:
    nb = notebook.executed_by(partial(mkdocs_jupyter, config, files))
    downloads = files.get_file_from_path(_ipynb(page.file))
    assert downloads is not None
    downloads.content_string = notebook.to_ipynb(nb)
    page.edit_url = page.file.name + ".py"
    page.meta["description"] = nb.metadata.get("description")
    page.markdown = notebook.to_markdown(nb, page.file.name)
    rebuild.render(page, config, files)


def on_env(env: Any, config: MkDocsConfig, files: Files) -> Any:
    """Cut the math font, now that every page's formulas are known; keep the compiled templates."""
    pages = [file.page.content or "" for file in files.documentation_pages() if file.page]
    font = rebuild.cut_font(math_font.characters(pages))
    style_sheet = files.get_file_from_path(STYLE_SHEET)
    assert style_sheet is not None
    style_sheet.content_string = assets.with_font(style_sheet.content_string, font)
    config.extra_css.remove(MKDOCSTRINGS_CSS)
    rebuild.keep_templates(env)
    return env


def on_post_page(output: str, **_: Any) -> str:
    """Mend what the theme leaves out for those who read without eyes or mouse."""
    return assets.mended_page(output)


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
    """Write the search index as a script too, for pages opened from a folder."""
    site = Path(config.site_dir)
    (site / MKDOCSTRINGS_CSS).unlink()
    (site / "sitemap.xml.gz").unlink()  # it carries the day, too, and no one asks for it
    index = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    (site / "search" / "search_index.js").write_text(f"var __index = {index}", encoding="utf-8")


def _joined(files: Files, names: tuple[str, ...]) -> str:
    """What these assets hold, which are no files of their own from now on."""
    texts = []
    for name in names:
        (file,) = (file for file in files if file.src_uri.startswith(f"assets/{name}."))
        texts.append(file.content_string)
        files.remove(file)
    return assets.joined(texts)


def _source(file: File) -> str:
    return f"sources/{file.src_uri}.txt"


def _ipynb(file: File) -> str:
    return file.src_uri.removesuffix(".py") + ".ipynb"
