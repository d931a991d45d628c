"""The laws of the house, read from its source: imports go down, rooms keep to their floor, nothing grows too large."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache, lru_cache
from pathlib import Path

import pytest

from app.core.i18n import LANGUAGES, catalog
from app.core.settings import Settings

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"
WINGS = {
    "core": 0, "accounts": 1, "network": 2, "warranty": 3, "stock": 3, "routing": 3, "levels": 3, "billing": 4,
    "fulfillment": 5, "aftercare": 6, "integrations": 7, "web": 8,
}  # fmt: skip
FLOORS = {
    "rules": 0, "providers": 0, "solver": 1, "travel": 1, "models": 1, "queries": 2, "schemas": 2, "service": 3,
    "guards": 4, "api": 5, "jobs": 5,
}  # fmt: skip
TOP = {"main", "cli", "worker", "__main__"}
RULES_MAY = {"app.core.errors", "app.core.money"}
LONGEST_FILE, LONGEST_TEST, LONGEST_FUNCTION = 400, 600, 60
SOURCES = sorted(APP.rglob("*.py"))
ALL = SOURCES + sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "tools").rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module(path: Path) -> list[str]:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


@lru_cache(maxsize=1)
def nodes(path: Path) -> list[ast.AST]:
    """Everything in a source file; kept while its laws are looked at."""
    return list(ast.walk(ast.parse(path.read_text())))


def imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def room(parts: list[str]) -> str | None:
    """The room a module of a wing lies in: `rules` for app.stock.rules.ledger."""
    return parts[2] if len(parts) > 2 else None


def target(imported: str) -> list[str] | None:
    """The parts of an imported module of ours, cut where it stops being a module or package."""
    parts = imported.split(".")
    if parts[0] != "app":
        return None
    while parts and not (ROOT.joinpath(*parts).with_suffix(".py").exists() or ROOT.joinpath(*parts).is_dir()):
        parts.pop()
    return parts


def crossing(path: Path) -> Iterator[str]:
    """Imports that go up a floor or wing, or across one."""
    here = module(path)
    if len(here) < 2 or here[1] in TOP:
        return
    for imported in imports(path):
        there = target(imported)
        if there is None or len(there) < 2 or there == here:
            continue
        if there[1] in TOP:
            yield f"{imported}: nobody imports the entrance"
        elif here[1] != there[1]:
            if WINGS[there[1]] >= WINGS[here[1]]:
                yield f"{imported}: up a wing or across it"
        elif here[1] not in ("core", "web"):
            mine, theirs = FLOORS.get(room(here) or "", 9), FLOORS.get(room(there) or "", -1)
            sisters = room(here) == room(there) or {room(here), room(there)} == {"queries", "schemas"}
            if theirs > mine or (theirs == mine and not sisters):
                yield f"{imported}: up a floor or across it"


def worldly(path: Path) -> Iterator[str]:
    """What a rule imports and should not know."""
    here = module(path)
    if room(here) not in ("rules", "solver"):
        return
    may = {"ortools", "numba"} if room(here) == "solver" else set()
    own = tuple(f"app.{here[1]}.{one}" for one in ("rules", "solver"))
    for imported in imports(path):
        top = imported.split(".")[0]
        if top == "app":
            if not imported.startswith((*own, *RULES_MAY)):
                yield imported
        elif top in {"sqlalchemy", "litestar", "httpx", "asyncpg", "structlog", "ortools", "numba"} - may:
            yield imported


def misplaced(path: Path) -> Iterator[str]:
    """A wing or room that is none of the house's."""
    here = module(path)
    if len(here) > 1 and here[1] not in WINGS and here[1] not in TOP:
        yield f"no wing is called {here[1]}"
    if len(here) > 2 and here[1] not in {"core", "web", "integrations", *TOP} and room(here) not in FLOORS:
        yield f"no room is called {room(here)}"


def overgrown(path: Path) -> Iterator[str]:
    """What is too long, or does not say what lives in it."""
    text = path.read_text()
    longest = LONGEST_TEST if path.is_relative_to(ROOT / "tests") else LONGEST_FILE
    if text.count("\n") > longest:
        yield f"over {longest} lines"
    if (path.name != "__init__.py" or text.strip()) and not ast.get_docstring(nodes(path)[0]):
        yield "a module says in a sentence or two what lives here"
    for node in nodes(path):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno - node.lineno >= LONGEST_FUNCTION
        ):
            yield f"{node.name} is over {LONGEST_FUNCTION} lines"


def calls(path: Path) -> set[str]:
    return {ast.unparse(node.func) for node in nodes(path) if isinstance(node, ast.Call)}


def clocks(path: Path) -> Iterator[str]:
    """Who tells the time besides the clock."""
    if path == APP / "core" / "clock.py":
        return
    telling = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.localtime"}
    yield from sorted(telling & calls(path))
    in_sql = re.search(r"\b(now\(\)\s+(AT|-|\+)|CURRENT_TIMESTAMP|CURRENT_DATE|clock_timestamp\(\))", path.read_text())
    if in_sql:
        yield in_sql[0]


def commits(path: Path) -> Iterator[str]:
    """Who ends a transaction besides the edge."""
    if path != APP / "core" / "db.py":
        ending = sorted(one for one in calls(path) if one.endswith((".commit", ".begin_nested")))
        yield from (one for one in ending if "clock" not in one)


def shapeless(path: Path) -> Iterator[str]:
    """Names that are not the trade's."""
    yield from {"manager", "helper", "helpers", "utils", "util", "common", "misc"} & set(path.stem.split("_"))
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            words = re.split(r"_|(?<=[a-z])(?=[A-Z])", node.name.lower() if "_" in node.name else node.name)
            if {word.lower() for word in words} & {"manager", "helper", "utils"}:
                yield node.name


LAWS = (crossing, worldly, misplaced, overgrown, clocks, commits, shapeless)


@cache
def broken() -> dict[str, list[str]]:
    """What breaks each law. The tests and tools only have to be short and say what they are."""
    found: dict[str, list[str]] = {law.__name__: [] for law in LAWS}
    for path in ALL:
        for law in LAWS if path.is_relative_to(APP) else (overgrown,):
            found[law.__name__] += [f"{name(path)}: {wrong}" for wrong in law(path)]
    return found


@pytest.mark.parametrize("law", [law.__name__ for law in LAWS])
def test_every_source_file_keeps_the_law(law):
    assert broken()[law] == []


def test_the_laws_see_what_breaks_them(tmp_path, monkeypatch):
    """A house of one file that breaks each law."""
    monkeypatch.setattr("tests.test_house.ROOT", tmp_path)
    monkeypatch.setattr("tests.test_house.APP", tmp_path / "app")
    for folder in ("app/stock/rules", "app/web", "app/stock/attic"):
        (tmp_path / folder).mkdir(parents=True)
    bad = tmp_path / "app" / "stock" / "rules" / "utils.py"
    long = "\n".join("    x = 1" for _ in range(LONGEST_FUNCTION + 1))
    bad.write_text(
        f"import sqlalchemy\nimport app.web\nfrom datetime import date\nnow = date.today()\ndb.commit()\ndef f():\n{long}\n"
    )
    attic = tmp_path / "app" / "stock" / "attic" / "old.py"
    attic.write_text("")
    assert list(crossing(bad)) == ["app.web: up a wing or across it"]
    assert list(worldly(bad)) == ["sqlalchemy", "app.web"]
    assert list(misplaced(attic)) == ["no room is called attic"]
    assert len(list(overgrown(bad))) == 2
    assert list(clocks(bad)) == ["date.today"]
    assert list(commits(bad)) == ["db.commit"]
    assert list(shapeless(bad)) == ["utils"]


def test_every_setting_is_documented():
    readme = (ROOT / "README.md").read_text()
    missing = [one.metadata["name"] for one in fields(Settings) if f"`{one.metadata['name']}`" not in readme]
    assert missing == []


def test_the_environment_is_read_in_one_place():
    readers = [
        name(path)
        for path in SOURCES
        if "os.environ" in path.read_text() and path.name not in ("settings.py", "embedded.py")
    ]
    assert readers == []


@cache
def codes() -> set[str]:
    """Every code of a refusal or reason in the source."""
    found: set[str] = set()
    for path in SOURCES:
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                for line in node.body:
                    target_name = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
                    value = getattr(line, "value", None)
                    if isinstance(target_name, ast.Tuple) and isinstance(value, ast.Tuple):
                        found |= {
                            str(one.value)
                            for at, one in zip(target_name.elts, value.elts, strict=True)
                            if isinstance(at, ast.Name) and at.id == "code" and isinstance(one, ast.Constant)
                        }
                    elif (
                        isinstance(target_name, ast.Name)
                        and target_name.id == "code"
                        and isinstance(value, ast.Constant)
                    ):
                        found.add(str(value.value))
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("Reason", "FieldError"):
                found |= {str(one.value) for one in node.args[1:2] if isinstance(one, ast.Constant)}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_is_explained(language):
    assert sorted(codes() - set(catalog(language))) == []


def test_both_languages_say_the_same_things():
    english, chinese = catalog("en"), catalog("zh-CN")
    assert sorted(set(english) ^ set(chinese)) == []
    placeholders = re.compile(r"{(\w+)}")
    different = [
        code for code in english if set(placeholders.findall(english[code])) != set(placeholders.findall(chinese[code]))
    ]
    assert different == []


def test_every_route_says_who_may_call_it():
    from app.main import create_app

    app = create_app(Settings(), "postgresql://nobody@/nowhere")
    undeclared = [
        f"{handler.handler_name} {route.path}"
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if "roles" not in handler.opt and "OPTIONS" not in handler.http_methods and not route.path.startswith("/schema")
    ]
    assert undeclared == []


def test_the_locks_name_no_package_host():
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", lock.read_text())
