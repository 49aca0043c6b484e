"""One script for the interactive pictures, light, and only where one is."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from softmax_ce.site.explorables import joined, placed

MODULES = Path(__file__).parents[2] / "docs" / "assets" / "explorables"
KB = 1000

SHARED = 'import { one } from "./low.js";\n// Says.\nexport const shared = one;\n'
ELEMENT = (
    'import {\n  shared,\n} from "./apart.js";\n\nexport class Some {}\n  // of it\nuse(shared);\n'
)
SOURCES = {
    "an-element.js": ELEMENT,
    "apart.js": SHARED,
    "low.js": "export function one() {}\n",
    "page.css": "/* Room. */\nan-element { display: block; }\n",
}
PAGE = "<head></head><body><p><an-element></an-element></p></body>"


def test_a_module_stands_after_those_that_it_imports_without_imports_exports_and_comments() -> None:
    assert joined(SOURCES) == (
        '(() => {\n"use strict";\n'
        "function one() {}\n\nconst shared = one;\n\n\nclass Some {}\nuse(shared);\n"
        "})();\n"
    )


def test_a_name_at_the_top_of_two_modules_is_refused() -> None:
    with pytest.raises(ValueError, match=r"name the same at their top: \['one'\]"):
        joined(SOURCES | {"apart.js": SHARED + "const one = 1;\n"})


def test_an_import_of_nothing_or_in_a_circle_is_refused() -> None:
    for other in ("none.js", "apart.js"):
        with pytest.raises(ValueError, match=f"low.js imports {other}, which it cannot"):
            joined(SOURCES | {"low.js": f'import {{ a }} from "./{other}";\n'})


def test_an_element_stands_alone_and_its_page_loads_the_script_once() -> None:
    html = placed(PAGE, SOURCES, "../x.js")
    assert html.startswith(
        "<head><style>\nan-element { display: block; }\n</style>\n</head>"
        '<body><an-element></an-element><script data-loads="../x.js">'
    )
    assert html.count("<script") == 1
    assert 'document.querySelectorAll("an-element")' in html


def test_an_element_may_have_attributes() -> None:
    for written in ("<an-element small>", '<an-element state="1,2&amp;T=3" small>'):
        page = PAGE.replace("<an-element>", written)
        assert f"<body>{written}</an-element>" in placed(page, SOURCES, "x.js")


def test_a_page_without_an_element_stays_as_it_is() -> None:
    for page in ("<head></head><p>Text</p>", "<head></head><code>&lt;an-element&gt;</code>"):
        assert placed(page, SOURCES, "x.js") == page
    assert placed(PAGE, {}, "x.js") == PAGE


def test_only_pages_with_an_element_load_the_script_of_the_site(site: Path) -> None:
    tags = [module.stem for module in MODULES.glob("*-*.js")]
    assert "softmax-explorer" in tags
    for path in site.rglob("*.html"):
        page = BeautifulSoup(path.read_text(), "html.parser")
        found = page.select(",".join(tags))
        scripts = page.select("script[data-loads$='explorables.js']")
        assert len(scripts) == (1 if found else 0), path.name
        assert all(element.parent and element.parent.name != "p" for element in found)
    assert not (site / "assets" / "explorables").exists(), "the modules are in the one script"


def test_the_script_is_light(site: Path) -> None:
    weight = len(gzip.compress((site / "assets" / "explorables.js").read_bytes(), 6))
    print(f"\nassets/explorables.js: {weight / KB:.1f} kB compressed")
    assert weight <= 20 * KB, f"all explorables together weigh {weight} bytes: 20 kB are theirs"


def test_the_script_of_the_site_is_one_that_a_browser_reads(site: Path) -> None:
    script = site / "assets" / "explorables.js"
    assert re.findall(r"^\s*(?:import|export)\b", script.read_text(), re.MULTILINE) == []
    if node := shutil.which("node"):
        checked = subprocess.run([node, "--check", script], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
