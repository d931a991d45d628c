"""Our server and a world with stock, a ticketing system, and what stands between: what the peers' tests play on."""

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import httpx

from tests.cast import World
from tests.peers.between import Between, eventually
from tools.server import Server


class Desk(Protocol):
    """A ticketing system that shows what its tickets were told."""

    async def comments(self, ticket: int) -> list[str]: ...


D = TypeVar("D", bound=Desk)


@dataclass
class Stage(Generic[D]):
    """Our server, the ticketing system, what stands between, and a world with stock."""

    server: Server
    api: httpx.AsyncClient
    world: World
    desk: D
    between: Between

    async def request_of(self, ticket: int, system: str = "helpdesk") -> dict[str, Any]:
        async def ask() -> dict[str, Any] | None:
            try:
                found = await self.api.get("/v1/part-requests", params={"ticket": f"{system}:{ticket}"})
                return next(iter(found.json()["items"]), None)
            except httpx.HTTPError:
                return None

        return await eventually(ask)

    async def told(self, ticket: int, words: str) -> list[str]:
        """What the ticket was told, as soon as something in it says so."""

        async def ask() -> list[str] | None:
            comments = await self.desk.comments(ticket)
            return comments if any(words in one for one in comments) else None

        return await eventually(ask)

    async def killed_and_started(self) -> None:
        """kill -9, and up again."""
        self.server.kill()
        self.server.start()
        await self.server.ready()
