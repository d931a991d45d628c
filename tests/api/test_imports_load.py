"""Loading: all rows or none, every bad row named, nothing doubled, thousands in seconds."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from app.accounts.rules import Actor, duty_actor
from app.cli import demo_network as demo
from app.cli.check import check
from app.core.db import make_engine, reading
from app.integrations.imports import KINDS, Work, import_table, read_file, read_table
from app.integrations.imports.holiday_years import calendar_table
from tests.builders import unique

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
BEHIND = datetime(2026, 1, 1, tzinfo=UTC)
"""A machine's clock that is behind the demo's last day."""
DEMO = Path(__file__).parent.parent.parent / "demo"


def work():
    return Work(actor=duty_actor("tests"), now=NOW, currency="CNY")


def lines(*rows):
    return read_table("\n".join(rows).encode())


async def count(engine, table, column, value):
    async with reading(engine) as db:
        return await db.scalar(text(f"SELECT count(*) FROM {table} WHERE {column} = :value"), {"value": value})


async def place_and_part(engine, tracking="none"):
    place, part = unique("PL"), unique("PT")
    places = lines("code,name,kind,latitude,longitude,timezone", f"{place},p,own,38.4,106.2,Asia/Shanghai")
    assert (await import_table(engine, KINDS["places"], places, work())).bad == []
    parts = lines("number,name,tracking", f"{part},p,{tracking}")
    assert (await import_table(engine, KINDS["parts"], parts, work())).bad == []
    return place, part


async def test_T132_one_bad_row_undoes_all_and_every_bad_row_is_named(engine):
    good, model = unique("PT"), unique("MD")
    table = lines(
        "code,name,positions",
        f'{model}-1,m,"[{{""position"":""psu"",""part_number"":""{good}"",""key"":true}}]"',
        f"{model}-2,m,",
        f"{model}-2,twice,",
        f"{model}-3,m,[]x",
    )
    outcome = await import_table(engine, KINDS["models"], table, work())
    assert [(one.line, one.code) for one in outcome.bad] == [
        (2, "network.unknown_reference"),
        (4, "network.already_there"),
        (5, "imports.expected"),
    ]
    assert outcome.failed == 3
    assert await count(engine, "model", "code", f"{model}-2") == 0


async def test_T132_a_bad_row_at_the_end_undoes_the_many_before_it(engine):
    prefix = unique("PT")
    rows = [f"{prefix}-{n},x,none" for n in range(60)] + [f"{prefix}-60,x,sometimes"]
    outcome = await import_table(engine, KINDS["parts"], lines("number,name,tracking", *rows), work())
    assert [(one.line, one.field) for one in outcome.bad] == [(62, "tracking")]
    assert await count(engine, "part", "number", f"{prefix}-0") == 0


async def test_a_dry_run_judges_and_writes_nothing(engine):
    part = unique("PT")
    table = lines("number,name,tracking", f"{part},x,none")
    assert (await import_table(engine, KINDS["parts"], table, work(), dry_run=True)).bad == []
    assert await count(engine, "part", "number", part) == 0
    assert (await import_table(engine, KINDS["parts"], table, work())).bad == []
    assert await count(engine, "part", "number", part) == 1


async def test_T132_areas_lanes_and_calendars_are_refused_the_second_time(engine):
    place, _ = await place_and_part(engine)
    area = unique("AREA")
    files = {
        "areas": lines("code,name,sources", f"{area},a,{place}"),
        "lanes": lines(
            "carrier,from_place,to_area,cutoffs,transit_hours,cost", f"SF,{place},{area},10:30;18:00,24,9.50"
        ),
        "calendars": calendar_table("SG:2031", today=NOW.date()),
    }
    for kind, table in files.items():
        assert (await import_table(engine, KINDS[kind], table, work())).bad == [], kind
        again = await import_table(engine, KINDS[kind], table, work())
        assert again.failed == again.rows, kind


async def test_a_receipt_is_all_lines_with_one_place_and_reference_and_comes_in_once(engine):
    place, part = await place_and_part(engine)
    reference = unique("RC")
    head = "place,reference,part_number,quantity,unit_cost,currency,received_at"
    at = "2026-11-01T10:00:00+08:00"
    table = lines(head, f"{place},{reference},{part},3,10.00,CNY,{at}", f"{place},{reference},{part},2,12.5,CNY,{at}")
    assert (await import_table(engine, KINDS["receipts"], table, work())).bad == []
    async with reading(engine) as db:
        on_hand = await db.scalar(text("SELECT sum(on_hand) FROM stock_balance WHERE part = :part"), {"part": part})
        receipts = await db.scalar(
            text("SELECT count(DISTINCT reference) FROM stock_movement WHERE part = :part"), {"part": part}
        )
    assert (on_hand, receipts) == (5, 1)
    again = await import_table(engine, KINDS["receipts"], table, work())
    assert [(one.line, one.code) for one in again.bad] == [(2, "imports.already_there"), (3, "imports.already_there")]
    assert await count(engine, "stock_movement", "part", part) == 2


async def test_a_bad_receipt_names_its_lines(engine):
    place, part = await place_and_part(engine, tracking="serial")
    head = "place,reference,part_number,quantity,unit_cost,currency,serials,received_at"
    table = lines(
        head,
        f"{place},R-1,{part},2,10.00,CNY,S1;S2,",
        f"{place},R-1,{part},2,10.00,CNY,S3,",
        f"{place},R-1,NONE-SUCH,1,10.00,CNY,,",
        f"{place},R-2,{part},1,10.00,CNY,S4,2026-11-01T10:00:00+08:00",
        f"{place},R-2,{part},1,10.00,CNY,S5,2026-11-02T10:00:00+08:00",
        f"NOWHERE,R-3,{part},1,10.00,CNY,S6,",
    )
    outcome = await import_table(engine, KINDS["receipts"], table, work())
    assert [(one.line, one.field, one.code) for one in outcome.bad] == [
        (3, "serials", "line.serials_count"),
        (4, "part_number", "part.unknown"),
        (6, "", "imports.receipt_differs"),
        (7, "", "place.not_found"),
    ]


async def device_of(engine):
    """A registered device; its serial."""
    customer, contract, site, model, serial = (unique(one) for one in ("C", "HT", "S", "M", "CAM"))
    files = {
        "contracts": lines("number,customer,currency,accepted_on", f"{contract},{customer},CNY,2024-02-28"),
        "sites": lines(
            "code,customer,name,latitude,longitude,timezone", f"{site},{customer},s,38.4,106.2,Asia/Shanghai"
        ),
        "parts": lines("number,name,tracking", f"{model}-PSU,psu,none"),
        "models": lines(
            "code,name,positions",
            f'{model},m,"[{{""position"":""psu"",""part_number"":""{model}-PSU"",""key"":true}}]"',
        ),
        "devices": lines("serial,model,site,contract", f"{serial},{model},{site},{contract}"),
    }
    for kind, table in files.items():
        assert (await import_table(engine, KINDS[kind], table, work())).bad == [], kind
    return serial, files["devices"]


EVENTS = "ref,serial,type,occurred_at,position,cause,system_stopped,new_serial,reason,event_ref"


async def test_T132_devices_come_in_once_and_a_serial_given_twice_is_named(engine):
    serial, table = await device_of(engine)
    again = await import_table(engine, KINDS["devices"], table, work())
    assert [(one.line, one.field, one.code) for one in again.bad] == [(2, "serial", "device.exists")]
    row = ",".join(table.rows[0].cells[name] for name in table.columns[1:])
    twice = lines(
        ",".join(table.columns), f"{serial}-A,{row}", f"{serial}-A,{row}", f"{serial}-B,{row.replace('M-', 'X-')}"
    )
    outcome = await import_table(engine, KINDS["devices"], twice, work())
    assert [one.line for one in outcome.bad] == [3, 4]
    assert await count(engine, "device", "serial", f"{serial}-A") == 0


async def test_events_name_each_other_and_follow_a_swapped_serial(engine):
    serial, _ = await device_of(engine)
    table = lines(
        EVENTS,
        f"E1,{serial},component_replaced,2025-03-01T10:00:00+08:00,psu,undetermined,true,,,",
        f"E2,{serial},operation_confirmed,2025-03-01T11:00:00+08:00,psu,,,,,",
        f"E3,{serial},corrected,2025-03-20T10:00:00+08:00,,customer,,,looked into,E1",
        f"E4,{serial},device_replaced,2025-06-01T10:00:00+08:00,,defect,true,{serial}-N,,",
        f"E5,{serial}-N,operation_confirmed,2025-06-01T11:00:00+08:00,unit,,,,,",
    )
    assert (await import_table(engine, KINDS["device_events"], table, work())).bad == []
    async with reading(engine) as db:
        corrected = await db.scalar(
            text("""
                SELECT o.type FROM warranty_event c JOIN warranty_event o ON o.id = c.corrects
                WHERE c.serial = :serial AND c.type = 'corrected'
            """),
            {"serial": serial},
        )
    assert corrected == "component_replaced"
    again = await import_table(engine, KINDS["device_events"], table, work())
    assert [(one.line, one.code) for one in again.bad] == [(line, "imports.already_there") for line in range(2, 7)]


async def test_each_bad_event_is_named_and_no_good_one_for_its_sake(engine):
    serial, _ = await device_of(engine)
    table = lines(
        EVENTS,
        f"E1,{serial},component_replaced,2025-03-01T10:00:00+08:00,psu,defect,true,,,",
        f"E2,{serial},component_replaced,2025-03-02T10:00:00+08:00,wheel,defect,true,,,",
        f"E3,{serial},operation_confirmed,2025-03-03T11:00:00+08:00,psu,,,,,",
        f"E4,{serial},corrected,2025-03-20T10:00:00+08:00,,customer,,,looked into,E9",
        "E5,NONE-SUCH,operation_confirmed,2025-03-03T11:00:00+08:00,psu,,,,,",
        f"E6,{serial},component_replaced,2025-04-01T10:00:00,psu,defect,true,,,",
    )
    outcome = await import_table(engine, KINDS["device_events"], table, work())
    assert [(one.line, one.code) for one in outcome.bad] == [
        (3, "position.unknown"),
        (5, "imports.unknown_ref"),
        (6, "device.not_found"),
        (7, "imports.no_offset"),
    ]
    assert await count(engine, "warranty_event", "serial", serial) == 1  # the acceptance of its registration


async def test_scope_holds_in_imports_too(engine):
    _, table = await device_of(engine)
    stranger = Actor(id="t", name="t", role="admin", customers=frozenset({"OTHER"}))
    outcome = await import_table(
        engine, KINDS["devices"], table, Work(actor=stranger, now=NOW, currency="CNY"), dry_run=True
    )
    assert {one.code for one in outcome.bad} >= {"contract.not_found", "site.not_found"}


@pytest.fixture(scope="module")
def empty_url(clone, worker_id):
    return clone(f"demo_{worker_id}")


async def test_the_demo_network_loads_whole_under_any_clock_checks_clean_and_only_once(empty_url):
    engine = make_engine(empty_url, pool_size=4)
    try:
        rows = await demo.load_demo(engine, currency="CNY", now=BEHIND)
        assert rows == sum(len(read_file(DEMO / f"{kind}.csv").rows) for kind in demo.ORDER if kind != "calendars") + 13
        assert await check(engine) == []
        assert await demo.load_demo(engine, currency="CNY", now=NOW) is None
        for kind in demo.ORDER:
            again = await import_table(engine, KINDS[kind], demo.table_of(kind, NOW), work())
            assert again.failed == again.rows, kind
        async with reading(engine) as db:
            assert await db.scalar(text("SELECT count(*) FROM installation")) == 2000
    finally:
        await engine.dispose()


WRITING = text("SELECT count(*) FROM pg_locks WHERE relation = 'part'::regclass AND mode = 'RowExclusiveLock'")
WAITING = text("""
    SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE NOT l.granted AND a.datname = current_database()
""")


async def test_T133_an_import_killed_in_the_middle_leaves_nothing(engine, database_url, tmp_path):
    first, second = unique("PT"), unique("PT")
    file = tmp_path / "parts.csv"
    file.write_text(f"number,name,tracking\n{first},x,none\n{second},x,none\n")
    add = text("INSERT INTO part (number, name, tracking, created_at) VALUES (:number, 'x', 'none', :now)")
    async with engine.connect() as rival, rival.begin() as held:
        await rival.execute(add, {"number": second, "now": NOW})  # the import must wait for us at its second row
        importing = await anyio.open_process(
            [sys.executable, "-m", "app", "import", "parts", str(file)],
            cwd=DEMO.parent,
            stdout=None,
            stderr=None,
            env={name: value for name, value in os.environ.items() if not name.startswith("SPARELANE_")}
            | {"DATABASE_URL": database_url},
        )
        async with reading(engine) as db:
            with anyio.fail_after(30):
                while not await db.scalar(WAITING):
                    await anyio.lowlevel.checkpoint()
        importing.kill()
        await importing.wait()
        await held.rollback()
    with anyio.fail_after(30):
        async with reading(engine) as db:
            while await db.scalar(WRITING):
                await anyio.lowlevel.checkpoint()
    assert await count(engine, "part", "number", first) == 0
    assert await count(engine, "part", "number", second) == 0
