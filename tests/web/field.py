"""An engineer's field: a model with a key part that carries serials, stock of it, and the hands that pick and drive."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from app.cli.check import check
from app.core.db import make_engine
from tests.builders import unique
from tests.cast import World, made
from tests.web.browsing import Site, client, elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A camera at the world's site whose board failed, and the boards in stock."""

    serial: str
    model: str
    board: str
    pieces: tuple[str, ...]


def with_api(site: Site, work: Callable[[World], Awaitable[Any]]) -> Any:
    """Run something through the front door as the administrator."""

    async def run() -> Any:
        async with client(site.base, site.admin) as api:
            site.world.api = api
            return await work(site.world)

    return elsewhere(run())


def a_field(site: Site, **device: Any) -> Field:
    """Names that nobody else has."""
    board, model, pieces = unique("MB"), unique("NVR"), tuple(unique("MB-S") for _ in range(3))

    async def build(world: World) -> str:
        await made(
            world.api, "/v1/parts", {"number": board, "name": "主板", "tracking": "serial", "fitting_minutes": 15}
        )
        positions = [
            {"position": "board", "part_number": board, "key": True},
            {"position": "fan", "part_number": world.fan, "key": False},
        ]
        await made(world.api, "/v1/models", {"code": model, "name": "录像机", "positions": positions})
        await world.receive(board, len(pieces), serials=list(pieces))
        return await world.device(model=model, **device)

    return Field(serial=with_api(site, build), model=model, board=board, pieces=pieces)


def do(site: Site, request: str, verb: str, **body: Any) -> Any:
    """One verb of the journey, done by somebody else."""
    return with_api(site, lambda world: world.do(request, verb, **body))


def send_off(site: Site, request: str) -> str:
    """The warehouse picks and hands over to a courier; gives the serial that was picked."""

    async def run(world: World) -> str:
        await world.do(request, "pick")
        shown = await world.do(request, "dispatch", courier=world.courier)
        return str(shown["lines"][0]["serial"])

    return str(with_api(site, run))


def shown(site: Site, path: str) -> Any:
    """What the API says."""

    async def run(world: World) -> Any:
        return (await world.api.get(path)).json()

    return with_api(site, run)


def faults(site: Site) -> list[str]:
    """`check` on the site's database."""

    async def run() -> list[str]:
        engine = make_engine(site.url, pool_size=2)
        try:
            return await check(engine)
        finally:
            await engine.dispose()

    return list(elsewhere(run()))
