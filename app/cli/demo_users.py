"""The demo's people, one for each role, so that whoever looks around can sign in to the pages by name and password."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts import queries, service
from app.accounts.rules import PERSON_ROLES, Actor, HashedPassword, PersonRole, hashed, one_time_password, proven
from app.accounts.schemas import UserIn
from app.cli.demo_network import DEMO
from app.core.db import begin, reading

LOGINS: Mapping[PersonRole, str] = {role: role for role in PERSON_ROLES}


async def demo_users(engine: AsyncEngine, *, folder: Path, now: datetime) -> dict[str, str | None]:
    """Login and password of each demo user, made on the first start. None where the password is not the demo's.

    The database keeps only hashes, so DATA_DIR/demo-users.json (0600) is what lets a later start show them again. A
    password that somebody changed, and a person who was locked out, are left as they are.
    """
    path = folder / "demo-users.json"
    known: dict[str, str] = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    async with reading(engine) as db:
        there = {login: await queries.credentials_by_login(db, login=login) for login in LOGINS.values()}
    passwords: dict[str, str | None] = {
        login: known[login] if found and login in known and proven(known[login], found.password_hash).right else None
        for login, found in there.items()
    }
    fresh = {login: hashed(one_time_password()) for login, found in there.items() if found is None}
    if fresh:
        async with begin(engine) as db:
            for role, login in LOGINS.items():
                if login in fresh and await made(db, role, login, fresh[login], now):
                    passwords[login] = fresh[login].plain
            keep(path, known | {login: one for login, one in passwords.items() if one})  # before the commit, as keys
    return passwords


async def made(db: AsyncConnection, role: PersonRole, login: str, password: HashedPassword, now: datetime) -> bool:
    """Make a demo user with a password that need not be changed; False where the login is taken (by one locked out)."""
    try:
        await queries.user_by_login(db, actor=DEMO, login=login)
    except queries.NoSuchUser:
        user = await service.create_user(
            db, actor=DEMO, new=UserIn(login=login, name=f"Demo {role}", role=role), now=now
        )
        itself = Actor(id=user.id, name=user.name, role=user.role, request_id=DEMO.request_id)
        await service.set_password(db, actor=itself, new=password, now=now)
        return True
    return False


def keep(path: Path, passwords: Mapping[str, str]) -> None:
    """Write the passwords for their owner's eyes alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        target.write(msgspec.json.encode(passwords, order="sorted"))
