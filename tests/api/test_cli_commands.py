"""The command line as people meet it: help, settings, keys, imports, checks; each with its exit code and words."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from anyio.lowlevel import checkpoint
from sqlalchemy import text

from app.cli import main, parser
from app.cli.check import check
from app.core.db import begin, make_engine
from tests.builders import unique

ROOT = Path(__file__).parent.parent.parent


def sparelane(*words, url="", **environment):
    """Run `python -m app …` as a process of its own; gives what it printed and its exit code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SPARELANE_")}
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env=kept | {"DATABASE_URL": url} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def plain_environment(monkeypatch):
    """The environment without the settings that the tests themselves run with."""
    for name in [name for name in os.environ if name.startswith("SPARELANE_")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def here(plain_environment, capsys):
    """Run a command in this process: what it printed and its exit code, without a new interpreter's second."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*words, url):
        plain_environment.setenv("DATABASE_URL", url)
        code = main(words)
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, printed.out, printed.err)

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def fresh_url(clone):
    """A migrated database of this test's own."""
    return clone(unique("cli"))


def all_parsers(top):
    """Every command and subcommand with its words."""
    yield top
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from all_parsers(one)


@pytest.mark.parametrize("one", list(all_parsers(parser())), ids=lambda one: one.prog)
def test_every_command_explains_itself_in_a_sentence(one):
    assert one.description
    assert one.description.endswith(".")
    assert "-h, --help" in one.format_help()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["fly"], 2),
        (["--help"], 0),
        (["import", "wishes", "x.csv"], 2),
        (["keys", "create", "--role", "king"], 2),
    ],
)
def test_argparse_answers_what_is_no_command(words, code, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == code
    assert "usage:" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SPARELANE_COLOR", "red", "SPARELANE_COLOR is no setting"),
        ("PORT", "http", "PORT must be a whole number"),
        ("SPARELANE_WORKER", "maybe", "SPARELANE_WORKER must be inside or apart"),
        ("DATABASE_URL", "sqlite:///x", "PostgreSQL alone"),
    ],
)
def test_T83_a_bad_setting_is_named_before_anything_starts(plain_environment, capsys, name, value, said):
    plain_environment.setenv(name, value)
    assert main(["check"]) == 2
    assert said in capsys.readouterr().err


def test_a_missing_file_and_a_bad_end_are_said(plain_environment, capsys):
    plain_environment.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x")
    assert main(["import", "parts", "/nowhere/parts.csv"]) == 2
    assert main(["keys", "create", "--role", "admin", "--name", "x", "--expires", "soon"]) == 2
    assert main(["keys", "create", "--role", "admin", "--name", "x", "--expires", "2027-01-01T10:00:00"]) == 2
    assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert "There is no file" in said
    assert said.count("--expires") == 2


@pytest.mark.anyio
async def test_a_key_made_beside_the_running_service_works_at_once_until_it_is_ended(app, database_url):
    made = sparelane(
        "keys", "create", "--role", "warehouse", "--name", "Yinchuan", "--place", "YC-WH", url=database_url
    )
    assert (made.returncode, made.stderr) == (0, "")
    key = made.stdout.strip()
    assert made.stdout == f"{key}\n"
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://sparelane.test", headers=headers) as client:
        me = (await client.get("/v1/me")).json()
        assert (me["role"], me["name"], me["places"], me["customers"]) == ("warehouse", "Yinchuan", ["YC-WH"], None)
        listed = sparelane("keys", "list", url=database_url)
        assert me["id"] in listed.stdout
        assert key not in listed.stdout
        assert sparelane("keys", "revoke", me["id"], url=database_url).returncode == 0
        for _ in range(1000):  # the notice of a revocation in another process comes within milliseconds
            await checkpoint()  # lets the loop hear it: nothing here waits on the network
            if (last := (await client.get("/v1/me")).status_code) == 401:
                break
        assert last == 401


def test_a_key_that_has_ended_already_is_refused_in_words(here, database_url):
    refused = here("keys", "create", "--role", "admin", "--name", "x", "--expires", "2020-01-01", url=database_url)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "expires_at" in refused.stderr


def test_import_says_how_it_went_and_writes_the_report(here, database_url, tmp_path):
    part = unique("PT")
    file, report = tmp_path / "parts.csv", tmp_path / "bad.csv"
    file.write_text(f"number,name,tracking\n{part},电源,none\n{part}-B,x,sometimes\n", encoding="gb18030")
    bad = here("import", "parts", str(file), "--report", str(report), "--language", "zh-CN", url=database_url)
    assert bad.returncode == 1
    assert "line 3: tracking: “sometimes”不是此字段可取的值" in bad.stdout
    assert f"{part}-B,x,sometimes" in report.read_text(encoding="utf-8-sig")
    file.write_text(f"number,name,tracking\n{part},电源,none\n", encoding="utf-8")
    dry = here("import", "parts", str(file), "--dry-run", url=database_url)
    assert (dry.returncode, dry.stdout) == (0, "1 rows, all good; dry run, nothing was imported.\n")
    done = here("import", "parts", str(file), url=database_url)
    assert (done.returncode, done.stdout) == (0, "1 rows imported.\n")
    again = here("import", "parts", str(file), url=database_url)
    assert again.returncode == 1
    headings = tmp_path / "headings.csv"
    headings.write_text("number,color\nA,red\n")
    refused = here("import", "parts", str(headings), url=database_url)
    assert refused.returncode == 1
    assert "color: There is no such column" in refused.stderr


def test_migrate_and_seal_say_what_they_did(here, fresh_url):
    url = fresh_url
    assert here("migrate", url=url).stdout.startswith("The database has the newest schema")
    assert here("keys", "create", "--role", "admin", "--name", "x", url=url).returncode == 0
    assert here("seal", url=url).stdout == "1 events sealed.\n"
    assert here("check", url=url).stdout == "All invariants hold.\n"


async def sabotaged(url):
    """What check says before and after an event is changed by someone who may do anything."""
    owner = make_engine(url, pool_size=2, role=None)
    try:
        before = await check(owner)
        async with begin(owner) as db:
            await db.execute(text("ALTER TABLE event DISABLE TRIGGER event_append_only"))
            await db.execute(text('UPDATE event SET data = \'{"role": "finance"}\''))
        return before, await check(owner)
    finally:
        await owner.dispose()


def test_check_names_each_difference_and_exits_with_one(here, fresh_url):
    url = fresh_url
    assert here("keys", "create", "--role", "admin", "--name", "x", url=url).returncode == 0
    assert here("seal", url=url).returncode == 0
    before, found = asyncio.run(sabotaged(url))
    assert before == []
    assert len(found) == 1
    assert found[0].startswith("events: event evt_")
    told = here("check", url=url)
    assert (told.returncode, told.stdout) == (1, f"{found[0]}\n1 differences.\n")
