"""Every message that the pages use, read from templates and source: what the catalogs must know."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from jinja2 import nodes

import app.web
from app.web import words
from app.web.render import TEMPLATES, environment
from app.web.tables import Listing

WEB = Path(app.web.__file__).parent


def in_templates() -> Iterator[str]:
    for path in sorted(TEMPLATES.rglob("*.html")):
        tree = environment().parse(path.read_text())
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                first = call.args[0]
                assert isinstance(first, nodes.Const), f"{path.name}: a message is written out, not computed"
                yield str(first.value)


def in_source() -> Iterator[str]:
    """Sentences handed to `say`, written out or taken from a table of the module (or one it imports)."""
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "say" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield str(first.value)
                else:
                    yield from table_of(path, ast.unparse(first)).values()


def table_of(path: Path, written: str) -> dict[str, str]:
    """The table behind `say(TABLE[key])` or `say(TABLE.get(…))`, looked up where it is used."""
    parts = path.relative_to(WEB.parent.parent).with_suffix("").parts
    found = vars(import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts)))
    for name in written.split("[")[0].removesuffix(".get").split("."):
        found = found[name] if isinstance(found, dict) else vars(found)[name]
    return dict(found)


def in_tables() -> Iterator[str]:
    for table in words.TABLES:
        yield from table.values()


def listings() -> dict[str, Listing]:
    """Every list that some module of the pages declares, by its address."""
    found = {}
    for path in sorted(WEB.rglob("*.py")):
        parts = path.relative_to(WEB.parent.parent).with_suffix("").parts
        module = import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        found |= {one.page: one for one in vars(module).values() if isinstance(one, Listing)}
    return found


def in_listings() -> Iterator[str]:
    for one in listings().values():
        yield from one.messages()


@cache
def all_messages() -> frozenset[str]:
    """Read once a worker: it looks through every template and module."""
    return frozenset((*in_templates(), *in_source(), *in_tables(), *in_listings()))
