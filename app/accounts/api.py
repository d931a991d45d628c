"""Doors to accounts: keys, and who one is."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from app.accounts import queries, service
from app.accounts.guards import Call, allow, keyring_of
from app.accounts.rules import ADMIN, ROLES
from app.accounts.schemas import KeyIn, KeyMade, KeyOut, KeysOut, Me


@get("/v1/me", opt=allow(*ROLES))
async def me(call: NamedDependency[Call]) -> Me:
    """Who the presented key is, and what it may see."""
    actor = call.actor
    return Me(
        id=actor.id,
        name=actor.name,
        role=actor.role,
        customers=actor.scope["scope_customers"],
        areas=actor.scope["scope_areas"],
        places=actor.scope["scope_places"],
    )


@get("/v1/keys", opt=allow(ADMIN))
async def list_keys(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> KeysOut:
    """All keys, oldest first; secrets are never shown."""
    return await call.read(lambda db: queries.keys(db, cursor=cursor, limit=limit))


@post("/v1/keys", opt=allow(ADMIN))
async def create_key(data: JSONBody[KeyIn], call: NamedDependency[Call]) -> Response[KeyMade]:
    """Make a key. Its text is shown this once; an Idempotency-Key is refused, since the answer is not kept."""
    return await call.write_unkept(201, lambda db: service.create_key(db, actor=call.actor, new=data, now=call.now))


@post("/v1/keys/{key_id:str}/revoke", opt=allow(ADMIN))
async def revoke_key(key_id: FromPath[str], call: NamedDependency[Call]) -> Response[KeyOut]:
    """End a key at once."""
    try:
        return await call.write(
            200,
            lambda db: service.revoke_key(
                db, actor=call.actor, key_id=key_id, expected_version=call.if_match, now=call.now
            ),
        )
    finally:  # however it ended: others hear the notice, this process must not wait for it
        keyring_of(call.state).forget()


HANDLERS = [me, list_keys, create_key, revoke_key]
