"""Every message that the pages use, read from templates and source: what the catalogs must know."""

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2 import nodes

from app.web import words
from app.web.render import TEMPLATES, environment

WEB = Path(words.__file__).parent


def in_templates() -> Iterator[str]:
    for path in sorted(TEMPLATES.glob("*.html")):
        tree = environment().parse(path.read_text())
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                first = call.args[0]
                assert isinstance(first, nodes.Const), f"{path.name}: a message is written out, not computed"
                yield str(first.value)


def in_source() -> Iterator[str]:
    for path in sorted(WEB.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "say":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    yield str(first.value)
                else:
                    table = ast.unparse(first).split("[")[0]
                    assert table in vars(words), f"{path.name}: {ast.unparse(node)}"


def in_tables() -> Iterator[str]:
    for table in words.TABLES:
        yield from table.values()


def all_messages() -> set[str]:
    return {*in_templates(), *in_source(), *in_tables()}
