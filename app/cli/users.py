"""`users`: makes, lists, locks out and lets in people, and gives them one-time passwords, also beside a running server."""

import argparse

from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import queries, service
from app.accounts.rules import PERSON_ROLES, HashedPassword, hashed, one_time_password
from app.accounts.schemas import PasswordReset, UserIn, UserOut
from app.cli.frame import Commands, command
from app.cli.keys import COMMAND_LINE, add_scope, understood, written
from app.core.clock import SystemClock
from app.core.settings import Settings


def add(commands: Commands) -> None:
    users = command(commands, "users", "Make, list and lock out people, and give them one-time passwords.")
    verbs = users.add_subparsers(dest="verb", required=True, metavar="VERB")
    words = "Make a person and print a one-time password, and nothing else, on standard output; it is shown this once."
    create = command(verbs, "create", words)
    create.add_argument("--login", required=True, help="the name to sign in with")
    create.add_argument("--name", required=True, help="what the person is called on pages and in the audit")
    create.add_argument("--role", required=True, choices=PERSON_ROLES, help="what the person may do")
    add_scope(create, "the person")
    create.set_defaults(run=run_create)
    command(verbs, "list", "List all people: login, role, name, state.").set_defaults(run=run_list)
    reset = "Print a new one-time password, and nothing else; the old one and all sessions end."
    for verb, words, run in (
        ("disable", "Lock a person out at once.", run_disable),
        ("enable", "Let a person in again.", run_enable),
        ("reset-password", reset, run_reset),
    ):
        added = command(verbs, verb, words)
        added.add_argument("login", help="the name the person signs in with")
        added.set_defaults(run=run)


def run_create(given: argparse.Namespace, settings: Settings) -> None:
    raw = {"login": given.login, "name": given.name, "role": given.role}
    raw |= {"customers": given.customer, "areas": given.area, "places": given.place}
    new, one_time = understood(raw, UserIn), hashed(one_time_password())

    async def create(db: AsyncConnection) -> PasswordReset:
        made = await service.create_user(db, actor=COMMAND_LINE, new=new, now=SystemClock().now())
        return await reset(db, made, one_time)

    print(written(settings, create).one_time_password)


def run_reset(given: argparse.Namespace, settings: Settings) -> None:
    one_time = hashed(one_time_password())

    async def give(db: AsyncConnection) -> PasswordReset:
        return await reset(db, await named(db, given.login), one_time)

    print(written(settings, give).one_time_password)


def run_disable(given: argparse.Namespace, settings: Settings) -> None:
    async def disable(db: AsyncConnection) -> UserOut:
        user = await named(db, given.login)
        return await service.disable_user(
            db, actor=COMMAND_LINE, user_id=user.id, expected_version=None, now=SystemClock().now()
        )

    print(f"{written(settings, disable).login} is locked out.")


def run_enable(given: argparse.Namespace, settings: Settings) -> None:
    async def enable(db: AsyncConnection) -> UserOut:
        user = await named(db, given.login)
        return await service.enable_user(
            db, actor=COMMAND_LINE, user_id=user.id, expected_version=None, now=SystemClock().now()
        )

    print(f"{written(settings, enable).login} may sign in.")


def run_list(_: argparse.Namespace, settings: Settings) -> None:
    async def every(db: AsyncConnection) -> list[UserOut]:
        found, cursor = [], None
        while True:
            page = await queries.users(db, actor=COMMAND_LINE, cursor=cursor, limit=200)
            found += page.items
            if (cursor := page.next) is None:
                return found

    for user in written(settings, every):
        print(f"{user.login:<20}  {user.role:<10}  {state(user):<17}  {user.name}")


def state(user: UserOut) -> str:
    """How the account stands, in a word or two."""
    if user.disabled_at is not None:
        return "locked out"
    if not user.has_password:
        return "no password"
    return "one-time password" if user.must_change else "may sign in"


async def named(db: AsyncConnection, login: str) -> UserOut:
    return await queries.user_by_login(db, actor=COMMAND_LINE, login=login)


async def reset(db: AsyncConnection, user: UserOut, one_time: HashedPassword) -> PasswordReset:
    return await service.reset_password(
        db, actor=COMMAND_LINE, user_id=user.id, one_time=one_time, expected_version=None, now=SystemClock().now()
    )
