"""The doors' frame: who asks and may they, and `Call`, through which a door reads, or writes in one transaction."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.utils.scope.state import ScopeState
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.accounts.queries import Credentials, actor_behind, credentials_by_login, key_row
from app.accounts.rules import (
    INTEGRATION,
    KEYS_CHANGED,
    Actor,
    Bucket,
    Proof,
    Role,
    TooOften,
    address_bucket,
    draw,
    proven,
    split_key,
)
from app.accounts.service import TooManyTries, begin_try, renew_hash, settle_try
from app.core.address import check_address, check_query
from app.core.db import begin, reading
from app.core.errors import BadRequest, Forbidden
from app.core.etags import if_match_of, tag_of_written
from app.core.http import (
    Contention,
    Expected,
    TooMany,
    Unauthorized,
    WrongMediaType,
    check_strictly,
    language_of,
    request_id_of,
    sqlstate,
)
from app.core.i18n import Language
from app.core.idempotency import Kept, Once, StillRunning, claim_key, keep, kept_answer, once
from app.core.notices import Ear

T = TypeVar("T")
TRIES = 5
AGAIN = ("40001", "40P01")  # serialization failure, deadlock


class NotKept(BadRequest):
    """This answer holds a secret and is never stored, so it cannot be replayed."""

    code = "idempotency.not_here"


class Unversioned(BadRequest):
    """This call makes something new or concerns what has no version, so no version can be held against it."""

    code = "version.not_here"


def allow(*roles: Role, bodyless: bool = False) -> dict[str, Any]:
    """The `opt` of a route: who may call it, and whether it may come without a body. One without it fails the house test."""
    return {"roles": frozenset(roles), "bodyless": bodyless}


PUBLIC: dict[str, Any] = {"roles": None}


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of every route: a counting key, a role that may, and JSON where a body is due."""
    request = Request[Any, Any, Any](connection.scope)
    request_id = request_id_of(request)
    check_address(connection.scope)
    roles = handler.opt.get("roles")
    if roles is None:
        return
    mark, _, presented = connection.headers.get("authorization", "").partition(" ")
    actor = None
    if mark.lower() == "bearer" and presented:
        state = connection.app.state
        keyring = keyring_of(state)
        actor = await keyring.actor(presented=presented.strip(), now=state.clock.now(), request_id=request_id)
    if actor is None:
        raise Unauthorized
    if actor.role not in roles:
        raise Forbidden(role=actor.role)
    if actor.role == INTEGRATION:
        meter_of(connection.app.state).count(actor.id, now=connection.app.state.clock.now())
    connection.scope.setdefault("state", {})["actor"] = actor
    check_query(connection.scope, handler)
    if getattr(handler, "parsed_data_field", None) is not None:
        _need_json(connection, bodyless=bool(handler.opt.get("bodyless")))


class Keyring:
    """The rows of keys presented lately: looking one up took a third of a short request.

    A row is believed while notices of revoked keys are heard, for ten seconds at most (which is how long a row that was
    changed by hand, past the service, still counts); whoever revokes a key in this process calls `forget`. A secret is
    compared, and an expiry looked at, on every request. While no notice can be heard, every key is looked up.
    """

    BELIEVED_S = 10.0
    MOST = 10_000

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._rows: dict[str, tuple[float, Any]] = {}
        self._turn = 0
        self._loop = asyncio.get_running_loop()
        self._ear = Ear(engine, KEYS_CHANGED, self.forget)

    def forget(self) -> None:
        """Some key may no longer count. A look-up that is under way is not believed either."""
        self._turn += 1
        self._rows.clear()

    async def actor(self, *, presented: str, now: datetime, request_id: str) -> Actor | None:
        """The actor behind a presented key, or None if it does not count now."""
        parts = split_key(presented)
        if parts is None:
            return None
        prefix, secret = parts
        row = self._known(prefix)
        if row is None:
            turn = self._turn
            async with reading(self.engine) as db:
                row = await key_row(db, prefix=prefix)
            if row is None:
                return None
            if turn == self._turn and self._ear.up:
                if len(self._rows) >= self.MOST:
                    self._rows.clear()
                self._rows[prefix] = (self._loop.time() + self.BELIEVED_S, row)
        return actor_behind(row, secret=secret, now=now, request_id=request_id)

    def _known(self, prefix: str) -> Any | None:
        until, row = self._rows.get(prefix, (0.0, None))
        if self._ear.up and self._loop.time() < until:
            return row
        self._rows.pop(prefix, None)
        return None


def keyring_of(state: Any) -> Keyring:
    """This process's keyring, made at the first key; it lives as long as the application's engine."""
    known: Keyring | None = getattr(state, "keyring", None)
    if known is None or known.engine is not state.engine:
        known = state.keyring = Keyring(state.engine)
    return known


class Meter:
    """How often each integration's key called this process lately; several processes allow several times as much."""

    MOST = 10_000

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: dict[str, Bucket] = {}

    def count(self, key: str, *, now: datetime) -> None:
        """One call more, or TooMany."""
        drawn = draw(self._buckets.get(key), rate=self._rate, now=now)
        if isinstance(drawn, TooOften):
            raise TooMany(retry_after_s=drawn.wait_s, rate=int(self._rate))
        if len(self._buckets) >= self.MOST:
            self._buckets.clear()
        self._buckets[key] = drawn


def meter_of(state: Any) -> Meter:
    """This process's meter, made at the first integration's call."""
    known: Meter | None = getattr(state, "meter", None)
    if known is None:
        known = state.meter = Meter(float(state.settings.key_rate))
    return known


class Locksmith:
    """Hashes and proves passwords off the loop, two at a time, since each takes a core and 64 MB.

    Whoever would wait longer than a few seconds is asked to come again.
    """

    AT_ONCE = 2
    WAITS_S = 5.0
    MOST_WAITING = 100

    def __init__(self) -> None:
        self._bench = ThreadPoolExecutor(self.AT_ONCE, thread_name_prefix="passwords")
        self._asked = 0

    async def do(self, work: Callable[..., T], *given: Any) -> T:
        """The result of slow work, or TooManyTries."""
        if self._asked >= self.AT_ONCE + self.MOST_WAITING:
            raise TooManyTries(retry_after_s=int(self.WAITS_S), guessing=False)
        self._asked += 1
        try:
            done = asyncio.get_running_loop().run_in_executor(self._bench, work, *given)
            return await asyncio.wait_for(done, self.WAITS_S)  # what has not begun by then never does
        except TimeoutError as late:
            raise TooManyTries(retry_after_s=int(self.WAITS_S), guessing=False) from late
        finally:
            self._asked -= 1


def locksmith_of(state: Any) -> Locksmith:
    """This process's locksmith, made at the first password."""
    known: Locksmith | None = getattr(state, "locksmith", None)
    if known is None:
        known = state.locksmith = Locksmith()
    return known


async def prove_person(
    state: Any, *, login: str, password: str, address: str | None, now: datetime
) -> Credentials | None:
    """The enabled person whom login and password prove; None whatever is wrong, after the same time.

    Too many failures from the address are TooManyTries, whether this password is right or not.
    """
    async with begin(state.engine) as db:
        number = await begin_try(db, address=address_bucket(address), login=login, now=now)
        found = await credentials_by_login(db, login=login)
    kept, proof = None if found is None else found.password_hash, None
    try:
        proof = cast("Proof", await locksmith_of(state).do(proven, password, kept))
    finally:
        async with begin(state.engine) as db:
            await settle_try(db, number=number, right=None if proof is None else proof.right)
            if found and kept and proof and proof.renewed:
                await renew_hash(db, user_id=found.id, kept=kept, renewed=proof.renewed)
    return found if proof.right else None


def _need_json(connection: ASGIConnection[Any, Any, Any, Any], *, bodyless: bool) -> None:
    """JSON, said to be JSON; a verb whose every field is optional may come without any body."""
    given = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    empty = connection.headers.get("content-length", "0") == "0" and "transfer-encoding" not in connection.headers
    if empty and bodyless:
        ScopeState.from_scope(connection.scope).body = b"{}"
    elif given != "application/json" and not (empty and not given):
        raise WrongMediaType(given=given or None)


@dataclass(slots=True)
class Call:
    """One request at a door: who, when, in which language, and the two ways to the database."""

    engine: AsyncEngine
    actor: Actor
    now: datetime
    language: Language
    matching: Expected
    claim: Once | None
    wake: Callable[[], None]
    state: Any
    _honored: bool = False

    @property
    def if_match(self) -> Expected:
        """The versions that the change may be made on; a verb that takes them refuses any other."""
        self._honored = True
        return self.matching

    async def read(self, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Ask outside any transaction; each statement sees the newest committed state."""
        async with reading(self.engine) as db:
            return await question(db)

    async def replay(self) -> Response[Any] | None:
        """The kept answer of this key, for doors that decide before they write; None if it has not run."""
        if self.claim is None:
            return None
        async with reading(self.engine) as db:
            kept = await kept_answer(db, self.claim)
        return None if kept is None else _response(kept, replayed=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For doors that decide before they write: what the same key asks of this process meanwhile is StillRunning at once,
        rather than after a decision that nobody will use."""
        if self.claim is None:
            yield
            return
        running: set[str] = self.state.running
        if self.claim.key in running:
            raise StillRunning(retry_after_s=1)
        running.add(self.claim.key)
        try:
            yield
        finally:
            running.discard(self.claim.key)

    async def write(self, status: int, verb: Callable[[AsyncConnection], Awaitable[T]]) -> Response[T]:
        """Run a verb once, in one transaction; its answer is kept under the caller's key and sent after the commit."""
        kept, replayed = await self._again(lambda: self._once(status, verb))
        if not replayed:
            self.wake()
        return cast("Response[T]", _response(kept, replayed=replayed))

    async def write_unkept(self, status: int, verb: Callable[[AsyncConnection], Awaitable[T]]) -> Response[T]:
        """Like write, for answers that hold a secret: nothing is kept, and a key is refused rather than ignored."""
        if self.claim is not None:
            raise NotKept

        async def run() -> T:
            async with begin(self.engine) as db:
                return await self._on_version(verb, db)

        return cast("Response[T]", _response(Kept(status, msgspec.json.encode(await self._again(run))), replayed=False))

    async def act(self, verb: Callable[[AsyncConnection], Awaitable[T]], shape: type[T]) -> T:
        """Like write, for a page: the answer as a value of its shape, also where it is replayed."""
        kept, replayed = await self._again(lambda: self._once(200, verb))
        if not replayed:
            self.wake()
        return msgspec.json.decode(kept.body, type=shape)

    async def _once(self, status: int, verb: Callable[[AsyncConnection], Awaitable[T]]) -> tuple[Kept, bool]:
        async with begin(self.engine) as db:
            if self.claim is not None and (kept := await claim_key(db, self.claim)):
                return kept, True
            answer = Kept(status, msgspec.json.encode(await self._on_version(verb, db)))
            if self.claim is not None:
                await keep(db, self.claim, answer, now=self.now)
            return answer, False

    async def _on_version(self, verb: Callable[[AsyncConnection], Awaitable[T]], db: AsyncConnection) -> T:
        """Run a verb; an If-Match that it has no use for is refused rather than ignored."""
        answer = await verb(db)
        if self.matching is not None and not self._honored:
            raise Unversioned
        return answer

    async def _again(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Run anew on a deadlock or serialization failure, five times with jitter, then 503 (T11)."""
        for tried in range(1, TRIES + 1):
            try:
                return await attempt()
            except DBAPIError as broken:
                if sqlstate(broken) not in AGAIN:
                    raise
                if tried == TRIES:
                    raise Contention(retry_after_s=1) from broken
            await asyncio.sleep(random.uniform(0, 0.01 * 2**tried))  # noqa: S311 - jitter, no secret
        raise Contention(retry_after_s=1)


def _response(kept: Kept, *, replayed: bool) -> Response[Any]:
    headers = {"Cache-Control": "no-store"} | ({"Idempotent-Replayed": "true"} if replayed else {})
    if tag := tag_of_written(kept.body):
        headers["ETag"] = tag
    return Response(kept.body, status_code=kept.status, media_type="application/json", headers=headers)


async def provide_call(request: Request[Any, Any, Any]) -> Call:
    """The `call` dependency of every door behind a key."""
    state = request.app.state
    actor: Actor = request.scope["state"]["actor"]
    data = getattr(request.route_handler, "parsed_data_field", None)
    if data is not None and (body := await request.body()):
        check_strictly(body, data.annotation)
    given = request.headers.get("idempotency-key")
    claim = None
    if given is not None and request.method != "GET":
        route = f"{request.method} {request.url.path}?{request.url.query}"
        claim = once(principal=actor.id, route=route, key=given, body=await request.body())
    return Call(
        engine=state.engine,
        actor=actor,
        now=state.clock.now(),
        language=language_of(request),
        matching=if_match_of(request),
        claim=claim,
        wake=state.wake,
        state=state,
    )
