"""`keys`: makes, lists and ends API keys, also beside a running server."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import queries, service
from app.accounts.rules import ROLES, duty_actor
from app.accounts.schemas import KeyIn, KeyMade, KeyOut
from app.cli.frame import Commands, Stop, command, database, engine_on, need_schema
from app.core.clock import SystemClock
from app.core.db import begin
from app.core.settings import Settings
from app.core.types import wrong_fields

T = TypeVar("T")
COMMAND_LINE = duty_actor("command line")


def add(commands: Commands) -> None:
    keys = command(commands, "keys", "Make, list and end API keys.")
    verbs = keys.add_subparsers(dest="verb", required=True, metavar="VERB")
    words = "Make a key and print it, and nothing else, on standard output; it is shown this once and works at once."
    create = command(verbs, "create", words)
    create.add_argument("--role", required=True, choices=ROLES, help="what the key may do")
    create.add_argument("--name", required=True, help="who or what uses it, for the audit")
    add_scope(create, "the key")
    create.add_argument(
        "--expires",
        metavar="WHEN",
        help="2027-01-31 (its first instant, UTC) or an instant with offset; without it, never",
    )
    create.set_defaults(run=run_create)
    revoke = command(verbs, "revoke", "End a key at once.")
    revoke.add_argument("id", help="the key's id, as `keys list` shows it (key_…)")
    revoke.set_defaults(run=run_revoke)
    command(verbs, "list", "List all keys: id, role, name, state; never their text.").set_defaults(run=run_list)


def add_scope(parser: argparse.ArgumentParser, whom: str) -> None:
    """The options that limit what a key or a person sees."""
    for scope in ("customer", "area", "place"):
        words = f"limit {whom} to this {scope}; may be given several times; without it, all"
        parser.add_argument(f"--{scope}", action="append", metavar="CODE", help=words)


def understood(raw: dict[str, Any], shape: type[T]) -> T:
    """What was given, in the API's shape; every value that does not fit is named."""
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as wrong:
        raise Stop("; ".join(f"{path}: {why}" for path, why in wrong_fields(raw, shape)) or str(wrong), 2) from wrong


def run_create(given: argparse.Namespace, settings: Settings) -> None:
    raw = {"name": given.name, "role": given.role, "customers": given.customer, "areas": given.area}
    raw |= {"places": given.place, "expires_at": instant(given.expires)}
    new = understood(raw, KeyIn)

    async def create(db: AsyncConnection) -> KeyMade:
        return await service.create_key(db, actor=COMMAND_LINE, new=new, now=SystemClock().now())

    print(written(settings, create).key)


def run_revoke(given: argparse.Namespace, settings: Settings) -> None:
    async def revoke(db: AsyncConnection) -> KeyOut:
        return await service.revoke_key(
            db, actor=COMMAND_LINE, key_id=given.id, expected_version=None, now=SystemClock().now()
        )

    ended = written(settings, revoke)
    print(f"{ended.id} ({ended.name}) is ended.")


def run_list(_: argparse.Namespace, settings: Settings) -> None:
    async def every(db: AsyncConnection) -> list[KeyOut]:
        found, cursor = [], None
        while True:
            page = await queries.keys(db, cursor=cursor, limit=200)
            found += page.items
            if (cursor := page.next) is None:
                return found

    for key in written(settings, every):
        state = "ended" if key.revoked_at else f"until {key.expires_at:%Y-%m-%d %H:%M}Z" if key.expires_at else "valid"
        print(f"{key.id}  {key.role:<12}  {state:<8}  {key.name}")


def written(settings: Settings, verb: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run a verb in one transaction on the settings' database."""

    async def run(url: str) -> T:
        await need_schema(url)
        async with engine_on(url) as engine, begin(engine) as db:
            return await verb(db)

    with database(settings) as url:
        return asyncio.run(run(url))


def instant(given: str | None) -> datetime | None:
    """An instant as people write it; a bare day is its first instant in UTC."""
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(given)
    except ValueError as wrong:
        raise Stop(f"--expires takes 2027-01-31 or 2027-01-31T18:00:00+08:00, not {given!r}", 2) from wrong
    if found.tzinfo is None and len(given) > len("2027-01-31"):
        raise Stop("--expires needs an offset beside the time, as in 2027-01-31T18:00:00+08:00", 2)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
