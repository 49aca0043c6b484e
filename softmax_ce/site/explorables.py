"""The interactive pictures: their modules become one script, and only their pages load it.

A browser loads no modules from a folder, and would ask for each of them; one classic script does.
"""

import re
from collections import Counter
from collections.abc import Mapping

FOLDER = "assets/explorables/"
SCRIPT = "assets/explorables.js"
STYLE = "page.css"
IMPORT = re.compile(r'^import\b[^;]*?\bfrom "\./([^"]+)";\n', re.MULTILINE)
TOP = re.compile(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)

# The script comes when an element is less than a screen away, or a link holds a state for one.
LOADS = """<script data-loads="{script}">
{{
  const load = () => {{
    near.disconnect()
    removeEventListener("hashchange", ifLinked)
    document.body.append(Object.assign(document.createElement("script"), {{ src: "{script}" }}))
  }}
  const near = new IntersectionObserver(
    (all) => all.some((one) => one.isIntersecting) && load(), {{ rootMargin: "100%" }})
  const ifLinked = () => /^#[a-z]+-[a-z]+=/.test(location.hash) && load()
  document.querySelectorAll("{names}").forEach((element) => near.observe(element))
  addEventListener("hashchange", ifLinked)
  ifLinked()
}}
</script>
"""


def joined(sources: Mapping[str, str]) -> str:
    """The modules, by the names of their files, as one script: each after those it imports."""
    modules = {name: source for name, source in sources.items() if name.endswith(".js")}
    script = "\n".join(_inside(modules[name]) for name in _ordered(modules))
    twice = [name for name, times in Counter(TOP.findall(script)).items() if times > 1]
    if twice:
        raise ValueError(f"two modules of {FOLDER} name the same at their top: {twice}")
    return f'(() => {{\n"use strict";\n{script}}})();\n'


def placed(html: str, sources: Mapping[str, str], script: str) -> str:
    """A page with its explorables, and what they load; a page that has none, as it is."""
    names = "|".join(name.removesuffix(".js") for name in sources if "-" in name)
    element = rf'<(?:{names})(?: \w+(?:="[^"]*")?)*></(?:{names})>'
    if not names or not re.search(element, html):
        return html
    html = re.sub(rf"<p>({element})</p>", r"\1", html)
    style = re.sub(r"/\*.*?\*/\s*", "", sources[STYLE], flags=re.DOTALL)
    html = html.replace("</head>", f"<style>\n{style}</style>\n</head>", 1)
    loads = LOADS.format(names=names.replace("|", ", "), script=script)
    return html.replace("</body>", f"{loads}</body>", 1)


def _ordered(modules: Mapping[str, str]) -> list[str]:
    ordered: list[str] = []

    def add(name: str, importing: tuple[str, ...] = ()) -> None:
        if name not in modules or name in importing:
            raise ValueError(f"{FOLDER}{importing[-1]} imports {name}, which it cannot")
        for other in IMPORT.findall(modules[name]):
            add(other, (*importing, name))
        if name not in ordered:
            ordered.append(name)

    for name in sorted(modules):
        add(name)
    return ordered


def _inside(module: str) -> str:
    """A module without its imports, the word export, and lines that are only a comment."""
    module = re.sub(r"^export ", "", IMPORT.sub("", module), flags=re.MULTILINE)
    return re.sub(r"^\s*//.*\n", "", module, flags=re.MULTILINE)
