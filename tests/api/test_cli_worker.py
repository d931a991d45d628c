"""The worker's loops and the logs: one failing duty stops nobody, waking is prompt, stopping too, secrets stay out."""

import asyncio
import io
import logging

import pytest
import structlog
from sqlalchemy import text

from app.core.logs import configure_logs, covered
from app.core.settings import Settings
from app.worker import DUTIES, Context, Duty, Worker, in_transaction, step
from tests.builders import unique

pytestmark = pytest.mark.anyio
PROMPT_S = 10


@pytest.fixture
async def context(engine, clock):
    return Context(engine, clock, Settings(), None)


def counting(name, every_s, *, wakes=False, fails=0):
    """A duty that counts its runs and tells of each; the first `fails` runs raise."""
    ran = asyncio.Queue()
    runs = 0

    async def run(_):
        nonlocal runs
        runs += 1
        ran.put_nowait(runs)
        if runs <= fails:
            raise RuntimeError("as planned")
        return 1

    return Duty(name, run, every_s, wakes), ran


async def soon(queue):
    return await asyncio.wait_for(queue.get(), PROMPT_S)


async def test_every_duty_runs_at_once_and_again_by_its_timer(context):
    quick, ran = counting("quick", 0.06)
    async with Worker(context, [quick]):
        assert [await soon(ran) for _ in range(3)] == [1, 2, 3]


async def test_a_failing_duty_is_tried_again_and_stops_nobody(context):
    broken, tried = counting("broken", 0.01, fails=2)
    sound, ran = counting("sound", 0.06)
    async with Worker(context, [broken, sound]):
        assert [await soon(tried) for _ in range(3)] == [1, 2, 3]
        assert await soon(ran) == 1
        assert await soon(ran) == 2


async def test_a_wake_up_runs_the_duties_that_wait_for_it_and_no_others(context):
    waiting, ran = counting("waiting", 3600, wakes=True)
    slow, other = counting("slow", 3600)
    async with Worker(context, [waiting, slow]) as worker:
        assert (await soon(ran), await soon(other)) == (1, 1)
        worker.wake()
        assert await soon(ran) == 2
        worker.wake()
        assert await soon(ran) == 3
        assert other.empty()


async def test_wake_ups_close_together_are_one(context):
    waiting, ran = counting("waiting", 3600, wakes=True)
    quick, pace = counting("quick", 0.2)
    async with Worker(context, [waiting, quick]) as worker:
        await soon(ran)
        for _ in range(100):
            worker.wake()
        assert await soon(ran) == 2
        assert [await soon(pace) for _ in range(3)] == [1, 2, 3]  # long past the 50 ms
        assert ran.empty()


async def test_stopping_lets_what_is_under_way_finish(context):
    entered, finish, done = asyncio.Event(), asyncio.Event(), []

    async def run(_):
        entered.set()
        await finish.wait()
        done.append(True)
        return 0

    worker = Worker(context, [Duty("long", run, 3600)])
    async with worker:
        await asyncio.wait_for(entered.wait(), PROMPT_S)
        stopping = asyncio.create_task(worker.stop())
        finish.set()
        await asyncio.wait_for(stopping, PROMPT_S)
    assert done == [True]


async def test_a_duty_in_a_transaction_leaves_nothing_when_it_fails(context, engine):
    code = unique("C")

    async def fails(db, now):
        await db.execute(
            text("INSERT INTO customer (code, name, created_at) VALUES (:c, :c, :now)"), {"c": code, "now": now}
        )
        raise RuntimeError("as planned")

    with pytest.raises(RuntimeError):
        await step(context, [Duty("fails", in_transaction(fails), 1)])
    async with engine.connect() as db:
        assert await db.scalar(text("SELECT count(*) FROM customer WHERE code = :c"), {"c": code}) == 0


async def test_a_step_runs_every_duty_at_the_clock_s_present(context, clock):
    seen = []

    async def notes(db, now):
        seen.append(now)

    duty = Duty("notes", in_transaction(notes), 1)
    assert await step(context, [duty, duty]) == 0
    assert seen == [clock.now(), clock.now()]


async def test_the_house_s_own_duties_run_on_a_real_database(context):
    assert len({duty.name for duty in DUTIES}) == len(DUTIES)
    assert await step(context) >= 0


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("key sl_0123456789ab_c2VjcmV0c2VjcmV0 used", "key … used"),
        ("Authorization: Bearer abc.def", "Authorization: …"),
        ("postgresql://me:secret@db/x", "postgresql://…@db/x"),
        ("postgresql://postgres@/postgres?host=/run", "postgresql://postgres@/postgres?host=/run"),
        ("signed with whsec_Q0FOQVJZQ0FOQVJZQ0FOQVJZ= today", "signed with … today"),
        ("/call-offs/cof_01a2.1795847209.Ekl2x0pY7HyyMN3geaXXrSJxwATQ48j7UXtivmHBcr8", "/call-offs/cof_01a2.…"),
        ("took 1795847209.12 s", "took 1795847209.12 s"),
        (7, 7),
    ],
)
def test_secrets_are_covered_wherever_they_stand(said, shown):
    assert covered(said) == shown


def test_a_log_line_is_json_without_secrets_also_in_a_traceback(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before = logging.getLogger().handlers[:]
    try:
        configure_logs("info")
        try:
            raise ValueError("sl_0123456789ab_c2VjcmV0c2VjcmV0")
        except ValueError:
            structlog.get_logger("tests").exception("broke", key="sl_0123456789ab_c2VjcmV0c2VjcmV0")
        logging.getLogger("uvicorn.error").warning("went %s", "wrong")
    finally:
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()
    lines = written.getvalue().splitlines()
    assert len(lines) == 2
    assert '"event": "broke"' in lines[0]
    assert "ValueError: …" in lines[0]
    assert "c2VjcmV0" not in lines[0]
    assert '"event": "went wrong"' in lines[1]
