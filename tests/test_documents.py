"""The documents under test: links resolve, commands exist, settings are complete, examples have the shape they show."""

import argparse
import json
import re
from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

import bootstrap
from app.cli import parser
from app.core.settings import Settings
from app.fulfillment.schemas import RequestIn, RequestOut
from app.integrations.providers import providers
from app.integrations.rules.catalog import TYPES
from tools import events

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "demo" / "README.md"])
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATHS = re.compile(r"`((?:app|tests|docs|demo|tools|migrations|bench)/[\w./*-]+)`")
IN_ORDER = (
    "What it decides", "Try it", "Run the tests", "The map of the house", "The words", "The command line", "Settings",
    "Production", "Measured", "License",
)  # fmt: skip

documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@documents
def test_links_lead_somewhere(document):
    broken = [
        link
        for link in LINK.findall(document.read_text(encoding="utf-8"))
        if not link.startswith(("http://", "https://", "#", "mailto:"))
        and not (document.parent / link.partition("#")[0]).exists()
    ]
    assert broken == []


@documents
def test_named_files_exist(document):
    named = set(PATHS.findall(document.read_text(encoding="utf-8")))
    generic = {"app/locales/<language>/<wing>.po"}
    assert [path for path in sorted(named - generic) if not any(ROOT.glob(path.rstrip("/")))] == []


def choices(one):
    """The subcommands of a parser by name."""
    found = [action for action in one._actions if isinstance(action, argparse._SubParsersAction)]
    return found[0].choices if found else {}


@documents
def test_commands_exist(document):
    for words in re.findall(r"python -m app ([a-z][a-z -]*)", document.read_text(encoding="utf-8")):
        here = parser()
        for word in words.split():
            if not choices(here):
                break
            assert word in choices(here), words
            here = choices(here)[word]


@documents
def test_tasks_exist(document):
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`(?:[A-Z]+=\S+ )*(?:time )?make ([a-z-]+)`", text) + re.findall(
        r"^make ([a-z-]+)$", text, re.M
    )
    named += re.findall(r"bootstrap\.py ([a-z]+)", text)
    assert set(named) <= set(bootstrap.TASKS)
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^[a-z ]*\b{task}\b[a-z ]*:", makefile, re.M) for task in named)


def test_the_readme_tells_in_order():
    assert README.startswith("# Sparelane\n\nSparelane ")
    assert [line[3:] for line in README.splitlines() if line.startswith("## ")] == list(IN_ORDER)


def test_the_settings_table_is_the_settings():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", README, re.M))
    meant = {
        one.metadata["name"]: f"{f'`{one.default}`' if one.default else 'empty'} | {one.metadata['words']}"
        for one in fields(Settings)
    }
    assert rows == meant


def test_the_map_names_every_wing():
    named = set(re.findall(r"^\| `app/(\w+)` \|", README, re.M))
    wings = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")} - {"cli"}
    assert named == wings


def test_every_command_is_in_the_readme():
    def leaves(one, words):
        inner = choices(one)
        return [leaf for name, sub in inner.items() for leaf in leaves(sub, [*words, name])] or [" ".join(words)]

    missing = [words for words in leaves(parser(), []) if f"python -m app {words}" not in README]
    assert missing == []


def test_the_request_and_its_answer_have_the_api_s_shape():
    request = re.search(r"-d '(\{.*?\n\})'", README, re.S)[1].replace("'$(date -u +%FT%TZ)'", "2026-11-22T08:00:00Z")
    asked = msgspec.json.decode(request, type=RequestIn)
    answer = re.search(r"```json\n(.*?)\n```", README, re.S)[1]
    given = msgspec.json.decode(answer, type=RequestOut)
    assert list(json.loads(answer)) == list(RequestOut.__struct_fields__)
    assert given.device_serial == asked.device_serial
    assert given.lines[0].part_number == asked.lines[0].part_number
    assert given.price.amount == "0.00"


def test_the_glossary_has_each_word_in_both_languages():
    rows = [line for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines() if "|" in line]
    words = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[2:]]
    assert len(words) > 40
    assert [row for row in words if len(row) != 3 or not re.search(r"[\u4e00-\u9fff]", row[2])] == []
    assert len({row[0] for row in words}) == len(words)


def test_every_decision_is_listed_and_numbered_once():
    folder = ROOT / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("0*.md"))
    listed = re.findall(r"\]\((0[^)]+)\)", (folder / "README.md").read_text())
    assert listed == pages
    assert [name[:4] for name in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for name in pages:
        text = (folder / name).read_text()
        assert "**Decided.**" in text
        assert len(text.splitlines()) <= 40, "one page at most"


def test_the_license_is_whole():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "APPENDIX" in text


def test_the_page_of_events_is_the_catalog():
    assert (ROOT / "docs" / "events.md").read_text(encoding="utf-8") == events.page()


def test_every_event_of_a_request_is_in_the_catalog_or_kept_inside():
    inside = {"cost_recorded"}
    sources = [path.read_text() for path in (ROOT / "app" / "fulfillment" / "service").glob("*.py")]
    names = {name for text in sources for name in re.findall(r'event="([a-z_]+)"', text)}
    names |= {name for text in sources for name in re.findall(r'_(?:moved|step)\(\s*frame, [^"]*?"([a-z_]+)"', text)}
    names -= {"priority_changed"}
    assert len(names) > 20
    assert {name for name in names - inside if f"part_request.{name}" not in TYPES} == set()


def test_the_guide_names_every_profile():
    guide = (ROOT / "docs" / "integrating.md").read_text(encoding="utf-8")
    assert [name for name in providers() if f"| `{name}` |" not in guide] == []
