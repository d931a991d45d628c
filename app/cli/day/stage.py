"""A whole demo day: the network loaded by the importers, the day played, its baseline, and `check` at the end."""

import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.accounts import service as accounts
from app.accounts.rules import duty_actor
from app.accounts.schemas import KeyIn
from app.cli.check import check
from app.cli.day.demand import calls_of, day_of, instant_of
from app.cli.day.facts import World, read_world
from app.cli.day.nearest import Bundling, Nearest
from app.cli.day.outcome import Outcome, Result
from app.cli.day.play import Player
from app.cli.day.tickets import FATES
from app.cli.demo_network import ORDER, load_demo, table_of
from app.cli.frame import engine_on
from app.core.clock import SteppedClock
from app.core.db import begin, reading
from app.core.migrate import migrate
from app.core.settings import Settings
from app.integrations.imports import KINDS, Work, import_table
from app.main import create_app
from app.routing.solver.child import Solver
from app.worker import DUTIES, Context, step

SOLUTIONS = 20
OUR_POOL = 6
DEMO = duty_actor("demo")
LASTS = timedelta(hours=9)
"""After the last call's hour: every promise of 8 hours has come due by then."""
FAST = ("-c fsync=off", "-c synchronous_commit=off", "-c full_page_writes=off")
SETTLED = [duty for duty in DUTIES if duty.name not in ("plan", "improve", "explain")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which day: its description, the seed, how many calls, how hard the solver tries (None: greedy plans)."""

    day: Mapping[str, Any]
    seed: int
    requests: int | None = None
    solutions: int | None = SOLUTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Both days, and what `check` found in the product's database."""

    wish: Wish
    plan: Result
    nearest: Result
    found: tuple[str, ...]
    plans: int
    swerves: int


@contextmanager
def own_database(settings: Settings) -> Iterator[str]:
    """An empty database for one day, gone afterwards: a cluster in a temporary folder, or one on DATABASE_URL's server."""
    if not settings.database_url:
        from app.core.embedded import embedded

        with tempfile.TemporaryDirectory(prefix="sl-day-") as folder, embedded(Path(folder) / "pg", *FAST) as url:
            yield url
        return
    import asyncio

    name = f"sparelane_day_{uuid4().hex[:12]}"
    server, _, options = settings.database_url.partition("?")
    base = server.rsplit("/", 1)[0]
    asyncio.run(_statement(settings.database_url, f'CREATE DATABASE "{name}"'))
    try:
        yield f"{base}/{name}" + (f"?{options}" if options else "")
    finally:
        with contextlib.suppress(OSError):
            asyncio.run(_statement(settings.database_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _statement(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def prepare(engine: AsyncEngine, day: Mapping[str, Any], *, currency: str) -> None:
    """The demo network with the people who work that day, as it stands when the day begins."""
    now = instant_of(day, day["from"])
    await load_demo(engine, currency=currency, now=now, kinds=[kind for kind in ORDER if kind != "couriers"])
    people = table_of("couriers", now)
    shift = json.dumps({date.fromisoformat(day["date"]).strftime("%a").lower(): [day["shift"]]})
    chosen = replace(
        people,
        rows=[
            replace(row, cells=row.cells | {"shift": shift})
            for row in people.rows
            if row.cells["code"] in day["on_shift"]
        ],
    )
    await import_table(engine, KINDS["couriers"], chosen, Work(actor=DEMO, now=now, currency=currency))


async def played(url: str, settings: Settings, wish: Wish, told: Callable[[], object] = lambda: None) -> Played:
    """Play the day in a prepared database, then the baseline from the same facts."""
    day = wish.day
    begins, ends = instant_of(day, day["from"]), instant_of(day, day["to"]) + LASTS
    calls = calls_of(day, seed=wish.seed, requests=wish.requests)
    clock = SteppedClock(begins)
    async with engine_on(url, pool_size=OUR_POOL, settings=settings) as engine, _solver(wish) as solver:
        await step(Context(engine, clock, settings, solver), SETTLED)
        async with reading(engine) as db:
            world = await read_world(db)
        async with _door(url, settings, engine, clock) as api:
            player = Player(
                api=api, engine=engine, clock=clock, world=world, settings=settings, solver=solver,
                solutions=wish.solutions, seed=wish.seed, ends=ends,
            )  # fmt: skip
            await player.play(calls, told)
            clock.set(ends)
            plan = await result_of(player, api, ends)
        found = await check(engine)
    return Played(
        wish=wish,
        plan=plan,
        nearest=beside(world, calls, begins.date(), ends, player.pays),
        found=tuple(found),
        plans=player.plans,
        swerves=player.swerves,
    )


def beside(
    world: World, calls: Any, day: date, ends: datetime, pays: set[int], bundling: Bundling | None = None
) -> Result:
    """The same day under nearest first, first come first served."""
    return Nearest(world, day, ends, pays, bundling or Bundling()).play(calls)


@asynccontextmanager
async def _solver(wish: Wish) -> AsyncIterator[Solver | None]:
    if wish.solutions is None:
        yield None
        return
    async with Solver() as solver:
        await solver.warm()
        yield solver


@asynccontextmanager
async def _door(
    url: str, settings: Settings, engine: AsyncEngine, clock: SteppedClock
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an admin's key on the application, in this very process."""
    async with begin(engine) as db:
        made = await accounts.create_key(db, actor=DEMO, new=KeyIn(name="demo day", role="admin"), now=clock.now())
    app = create_app(settings, url, clock=clock)
    async with (
        app.lifespan(),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=cast(Any, app)),
            base_url="http://sparelane.demo",
            headers={"Authorization": f"Bearer {made.key}", "Accept-Language": "en"},
            timeout=60,
        ) as client,
    ):
        yield client


async def result_of(player: Player, api: httpx.AsyncClient, ends: datetime) -> Result:
    """What the API says of every promise at the end."""
    outcomes, canceled = [], 0
    for ticket in player.tickets:
        shown = (await api.get(f"/v1/part-requests/{ticket.id}")).json()
        for clock in shown["clocks"]:
            if clock["name"] not in ("local", "national"):
                continue
            line = player.lines[clock["line"]]
            if clock["state"] == "canceled" or line.state == "gone":
                canceled += 1
                continue
            why = (FATES.get(ticket.call.fate, "") if ticket.struck else "") + line.why
            one = Outcome(
                call=ticket.call.number, part=line.part, site=ticket.call.site, area=ticket.call.area,
                priority=ticket.call.priority, kind=line.kind, received_at=ticket.call.at,
                due_at=datetime.fromisoformat(clock["due_at"]), ended_at=line.ended_at, day_ends=ends, why=why,
            )  # fmt: skip
            if one.kept != (clock["state"] == "met"):
                raise RuntimeError(f"call {one.call}: the clock says {clock}, the day says {one}")
            outcomes.append(one)
    return Result(outcomes=tuple(outcomes), refused=player.refused, canceled=canceled, driven_s=player.driven_s)


async def whole_day(url: str, settings: Settings, wish: Wish, told: Callable[[], object] = lambda: None) -> Played:
    """From an empty database to both results."""
    await migrate(url)
    async with engine_on(url) as engine:
        await prepare(engine, wish.day, currency=settings.currency)
    return await played(url, settings, wish, told)


__all__ = ["Played", "Wish", "beside", "day_of", "own_database", "played", "prepare", "whole_day"]
