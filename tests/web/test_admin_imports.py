"""Files on their way in: tried out, mended, loaded whole, told apart; nothing is written before it is asked for."""

import asyncio
import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.core.db import begin, reading
from app.integrations.imports import KINDS, read_table
from app.integrations.imports.mending import merged
from tests.builders import unique
from tests.cast import a_world
from tests.conftest import START
from tests.web.visitors import token_in, user_signed_in

pytestmark = pytest.mark.anyio
HEAD = "code,name,kind,latitude,longitude,timezone"


def places(*codes: str, bad: str | None = None) -> bytes:
    rows = [HEAD, *(f"{code},{code},own,38.4,106.2,Asia/Shanghai" for code in codes)]
    return "\n".join(rows + ([f"{bad},{bad},own,138.4,106.2,Asia/Shanghai"] if bad else [])).encode()


async def settled(app) -> None:
    """What was begun beside a request is done."""
    await asyncio.gather(*getattr(app.state, "import_tasks", ()))


async def sent(app, browser, content: bytes, *, kind: str = "places", path: str = "/admin/imports", **fields: str):
    """Send a file and wait until it was looked at; gives the answer."""
    token = token_in((await browser.get("/admin/imports")).text)
    data = {"token": token, "once": unique("once"), "kind": kind} | fields
    answer = await browser.post(path, data=data, files={"file": ("网点.csv", content)})
    await settled(app)
    return answer


async def pressed(app, browser, path: str, verb: str):
    token = token_in((await browser.get(path)).text)
    answer = await browser.post(f"{path}/{verb}", data={"token": token, "once": unique("once")})
    await settled(app)
    return answer


async def test_T132_a_file_is_tried_out_then_loaded_once_and_known_again(app, engine, api):
    browser = await user_signed_in(app, engine, "admin")
    codes = [unique("PL"), unique("PL")]
    path = (await sent(app, browser, places(*codes))).headers["Location"]
    page = (await browser.get(path)).text
    assert ("2 × place made" in page, "Load 2 rows" in page, "网点.csv" in page) == (True, True, True)
    assert (await api.get(f"/v1/places/{codes[0]}")).status_code == 404
    await pressed(app, browser, path, "load")
    loaded = (await browser.get(path)).text
    assert ("loaded" in loaded, "Load 2 rows" in loaded) == (True, False)
    assert (await api.get(f"/v1/places/{codes[1]}")).status_code == 200
    await pressed(app, browser, path, "load")
    again = (await sent(app, browser, places(*codes))).headers["Location"]
    page = (await browser.get(again)).text
    assert ("This very file was loaded already" in page, path in page) == (True, True)
    assert "2 of 2 rows are bad" in page
    async with reading(engine) as db:
        run = path.rsplit("/", 1)[1]
        types = (
            await db.execute(text("SELECT type FROM event WHERE subject = :run ORDER BY seq"), {"run": run})
        ).scalars()
        assert list(types) == ["import.sent", "import.loaded"]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
async def test_failed_rows_go_out_with_their_reason_and_come_back_mended(app, engine, api, ending):
    browser = await user_signed_in(app, engine, "admin")
    good, bad, other = unique("PL"), unique("PL"), unique("PL")
    content = places(good, bad=bad) + f"\n{other},{other},castle,38.4,106.2,Asia/Shanghai".encode()
    path = (await sent(app, browser, content)).headers["Location"]
    page = (await browser.get(path)).text
    assert "2 of 3 rows are bad: nothing is loaded" in page
    file = await browser.get(f"{path}/failed.{ending}")
    table = read_table(file.content)
    assert table.columns == ["import_line", "import_error", *HEAD.split(",")]
    assert [str(row.cells["import_line"]) for row in table.rows] == ["3", "4"]
    assert str(table.rows[0].cells["import_error"]).startswith("latitude: ")
    mended = io.StringIO()
    writer = csv.writer(mended)
    writer.writerow(table.columns)
    for row in table.rows:
        cells = row.cells | {"latitude": "38.5", "kind": "branch"}
        writer.writerow([cells.get(name, "") for name in table.columns])
    again = await sent(app, browser, mended.getvalue().encode(), path=f"{path}/mended")
    page = (await browser.get(again.headers["Location"])).text
    assert "3 × place made" in page
    await pressed(app, browser, again.headers["Location"], "load")
    kinds = [(await api.get(f"/v1/places/{code}")).json()["kind"] for code in (good, bad, other)]
    assert kinds == ["own", "branch", "branch"]


async def test_mended_rows_take_the_places_of_the_failed_ones(app):
    kind = KINDS["parts"]
    table = read_table(b"number,name,tracking,hazardous\nA,a,none,true\nB,b,no,\nC,=1+1,none,\nD,d,no,")
    mended = read_table(b"import_line,import_error,number,name,tracking\n3,bad,B,b,lot\n,,E,new,none")
    rows = read_table(merged(kind, table, {3, 5}, mended)).rows
    assert [(row.cells["number"], row.cells["tracking"]) for row in rows] == [
        ("A", "none"), ("B", "lot"), ("C", "none"), ("E", "none"),
    ]  # fmt: skip
    assert (rows[0].cells["hazardous"], rows[2].cells["name"]) == ("true", "=1+1")


async def test_a_file_that_is_no_table_is_refused_in_words(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    path = (await sent(app, browser, b"code,nonsense\nA,B")).headers["Location"]
    page = (await browser.get(path)).text
    assert ("The whole file is refused" in page, "nonsense: " in page, "latitude: " in page) == (True, True, True)
    assert (await browser.get(f"{path}/part")).text.count("hx-trigger") == 0


async def test_T130_what_is_too_large_or_empty_is_said_beside_the_field(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    for content, words in ((b"", "is empty"), (b"x" * (10 * 1024 * 1024 + 1), "over 10 MB")):
        answer = await sent(app, browser, content)
        assert (answer.status_code in (413, 422), words in answer.text) == (True, True), words
    token = token_in((await browser.get("/admin/imports")).text)
    none = await browser.post("/admin/imports", data={"token": token, "once": unique("once"), "kind": "places"})
    assert (none.status_code, 'id="wrong-file"' in none.text) == (422, True)


async def test_T131_a_stated_encoding_is_believed(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    code = unique("PL")
    content = f"{HEAD}\n{code},银川仓,own,38.4,106.2,Asia/Shanghai".encode("utf-16-le")
    path = (await sent(app, browser, content, encoding="utf-16-le")).headers["Location"]
    assert "1 × place made" in (await browser.get(path)).text
    wrong = await sent(app, browser, b"\xff\xfe\xfd", encoding="utf-8")
    assert (wrong.status_code, 'id="wrong-encoding"' in wrong.text) == (400, True)


async def test_rows_that_turned_bad_meanwhile_load_nothing(app, engine, api):
    world = await a_world(api)
    browser = await user_signed_in(app, engine, "admin")
    devices = [unique("SN"), unique("SN")]
    rows = "\n".join(f"{one},{world.model},{world.site},{world.contract}" for one in devices)
    path = (await sent(app, browser, f"serial,model,site,contract\n{rows}".encode(), kind="devices")).headers[
        "Location"
    ]
    page = (await browser.get(path)).text
    assert ("2 × device registered" in page, "Load 2 rows" in page) == (True, True)
    await api.post("/v1/devices", json=world.device_body(devices[1]))
    await pressed(app, browser, path, "load")
    page = (await browser.get(path)).text
    assert "1 of 2 rows are bad: nothing is loaded" in page
    assert (await api.get(f"/v1/devices/{devices[0]}")).status_code == 404


async def test_a_broken_off_run_says_so_and_starts_again(app, engine, clock):
    browser = await user_signed_in(app, engine, "admin")
    path = (await sent(app, browser, places(unique("PL")))).headers["Location"]
    run = path.rsplit("/", 1)[1]
    async with begin(engine) as db:
        await db.execute(text("UPDATE import_run SET state = 'checking' WHERE id = :run"), {"run": run})
    assert "hx-trigger" in (await browser.get(f"{path}/part")).text
    clock.set(START + timedelta(minutes=3))
    assert "It was broken off" in (await browser.get(path)).text
    await pressed(app, browser, path, "again")
    assert "Load 1 rows" in (await browser.get(path)).text


async def test_customers_met_on_the_way_are_counted(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    content = f"number,customer,currency\n{unique('HT')},{unique('NEW')},CNY".encode()
    page = (await browser.get((await sent(app, browser, content, kind="contracts")).headers["Location"])).text
    assert re.findall(r"<li>([^<]+)</li>", page) == [
        "1 × contract made", "1 × customers named for the first time, by their code alone",
    ]  # fmt: skip


async def test_an_empty_file_of_each_kind_has_its_columns(app, engine):
    browser = await user_signed_in(app, engine, "admin")
    for kind in KINDS:
        file = await browser.get("/admin/imports/empty.csv", params={"kind": kind})
        assert (file.status_code, file.content.startswith(b"\xef\xbb\xbf")) == (200, True), kind
    assert (await browser.get("/admin/imports/empty.csv", params={"kind": "unicorns"})).status_code == 404
