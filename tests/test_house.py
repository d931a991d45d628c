"""The laws of the house, read from its source: imports go down, rooms keep to their floor, nothing grows too large."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
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


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
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


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_go_down_a_floor_or_to_a_lower_wing(path):
    here = module(path)
    if len(here) < 2 or here[1] in TOP:
        return
    wrong = []
    for imported in imports(path):
        there = target(imported)
        if there is None or len(there) < 2 or there == here:
            continue
        if there[1] in TOP:
            wrong.append(f"{imported}: nobody imports the entrance")
        elif here[1] == there[1]:
            if here[1] not in ("core", "web"):
                mine, theirs = FLOORS.get(room(here) or "", 9), FLOORS.get(room(there) or "", -1)
                same_room = room(here) == room(there)
                if theirs > mine or (
                    theirs == mine and not same_room and {room(here), room(there)} != {"queries", "schemas"}
                ):
                    wrong.append(f"{imported}: up a floor or across it")
        elif WINGS[there[1]] >= WINGS[here[1]]:
            wrong.append(f"{imported}: up a wing or across it")
    assert wrong == []


@pytest.mark.parametrize("path", [one for one in SOURCES if room(module(one)) in ("rules", "solver")], ids=name)
def test_rules_know_no_database_no_http_no_clock(path):
    wing = module(path)[1]
    may = {"ortools", "numba"} if room(module(path)) == "solver" else set()
    for imported in imports(path):
        top = imported.split(".")[0]
        if top == "app":
            allowed = imported.startswith((f"app.{wing}.rules", f"app.{wing}.solver")) or any(
                imported.startswith(one) for one in RULES_MAY
            )
            assert allowed, imported
        else:
            assert top not in {"sqlalchemy", "litestar", "httpx", "asyncpg", "structlog"}, imported
            assert top not in {"ortools", "numba"} or top in may, imported


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_wing_has_only_rooms_of_the_house(path):
    here = module(path)
    if len(here) > 2 and here[1] not in {"core", "web", "integrations", *TOP}:
        assert room(here) in FLOORS, here
    assert len(here) < 2 or here[1] in WINGS or here[1] in TOP, here


@pytest.mark.parametrize("path", ALL, ids=name)
def test_nothing_grows_too_large_and_everything_says_what_it_is(path):
    text = path.read_text()
    tree = ast.parse(text)
    assert text.count("\n") <= (LONGEST_TEST if path.is_relative_to(ROOT / "tests") else LONGEST_FILE)
    if path.name != "__init__.py" or text.strip():
        assert ast.get_docstring(tree), "a module says in a sentence or two what lives here"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_clock_tells_time(path):
    if path == APP / "core" / "clock.py":
        return
    telling = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.localtime"}
    assert not telling & set(calls(path))
    assert not re.search(
        r"\b(now\(\)\s+(AT|-|\+)|CURRENT_TIMESTAMP|CURRENT_DATE|clock_timestamp\(\))", path.read_text()
    )


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_edge_commits(path):
    if path == APP / "core" / "db.py":
        return
    assert not [one for one in calls(path) if one.endswith((".commit", ".begin_nested")) and "clock" not in one]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_names_are_the_trades(path):
    shapeless = {"manager", "helper", "helpers", "utils", "util", "common", "misc"}
    assert not shapeless & set(path.stem.split("_"))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            words = set(re.split(r"_|(?<=[a-z])(?=[A-Z])", node.name.lower() if "_" in node.name else node.name))
            assert not {word.lower() for word in words} & {"manager", "helper", "utils"}, node.name


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


def codes() -> set[str]:
    """Every code of a refusal or reason in the source."""
    found: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
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
