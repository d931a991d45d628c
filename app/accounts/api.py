"""Doors to accounts: keys, people, and who one is."""

from litestar import Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from app.accounts import queries, service
from app.accounts.guards import Call, allow, keyring_of, locksmith_of
from app.accounts.rules import ADMIN, ROLES, hashed, one_time_password
from app.accounts.schemas import (
    KeyIn,
    KeyMade,
    KeyOut,
    KeysOut,
    Me,
    PasswordReset,
    UserChange,
    UserIn,
    UserOut,
    UsersOut,
)


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


@post("/v1/keys/{key_id:str}/revoke", status_code=200, opt=allow(ADMIN))
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


@get("/v1/users", opt=allow(ADMIN))
async def list_users(
    call: NamedDependency[Call], cursor: FromQuery[str | None] = None, limit: FromQuery[int | None] = None
) -> UsersOut:
    """All people within one's own scope, oldest account first."""
    return await call.read(lambda db: queries.users(db, actor=call.actor, cursor=cursor, limit=limit))


@post("/v1/users", opt=allow(ADMIN))
async def create_user(data: JSONBody[UserIn], call: NamedDependency[Call]) -> Response[UserOut]:
    """Make a person. `password-reset` then gives the one-time password to hand over."""
    return await call.write(201, lambda db: service.create_user(db, actor=call.actor, new=data, now=call.now))


@get("/v1/users/{user_id:str}", opt=allow(ADMIN))
async def show_user(user_id: FromPath[str], call: NamedDependency[Call]) -> UserOut:
    return await call.read(lambda db: queries.user_by_id(db, actor=call.actor, user_id=user_id))


@patch("/v1/users/{user_id:str}", opt=allow(ADMIN))
async def change_user(
    user_id: FromPath[str], data: JSONBody[UserChange], call: NamedDependency[Call]
) -> Response[UserOut]:
    """Change name, role or scope, from the person's next request on."""
    return await call.write(
        200,
        lambda db: service.change_user(
            db, actor=call.actor, user_id=user_id, change=data, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/users/{user_id:str}/password-reset", status_code=200, opt=allow(ADMIN))
async def reset_password(user_id: FromPath[str], call: NamedDependency[Call]) -> Response[PasswordReset]:
    """A one-time password, shown this once; the old one and all sessions end. An Idempotency-Key is refused."""
    await call.read(lambda db: queries.user_by_id(db, actor=call.actor, user_id=user_id))
    one_time = await locksmith_of(call.state).do(hashed, one_time_password())
    return await call.write_unkept(
        200,
        lambda db: service.reset_password(
            db, actor=call.actor, user_id=user_id, one_time=one_time, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/users/{user_id:str}/disable", status_code=200, opt=allow(ADMIN))
async def disable_user(user_id: FromPath[str], call: NamedDependency[Call]) -> Response[UserOut]:
    """Lock a person out at once."""
    return await call.write(
        200,
        lambda db: service.disable_user(
            db, actor=call.actor, user_id=user_id, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/users/{user_id:str}/enable", status_code=200, opt=allow(ADMIN))
async def enable_user(user_id: FromPath[str], call: NamedDependency[Call]) -> Response[UserOut]:
    """Let a person in again; sessions of before stay ended."""
    return await call.write(
        200,
        lambda db: service.enable_user(
            db, actor=call.actor, user_id=user_id, expected_version=call.if_match, now=call.now
        ),
    )


@post("/v1/users/{user_id:str}/end-sessions", status_code=200, opt=allow(ADMIN))
async def end_sessions(user_id: FromPath[str], call: NamedDependency[Call]) -> Response[UserOut]:
    """End all of a person's sessions at once."""
    return await call.write(
        200,
        lambda db: service.end_sessions(
            db, actor=call.actor, user_id=user_id, expected_version=call.if_match, now=call.now
        ),
    )


HANDLERS = [
    me,
    list_keys,
    create_key,
    revoke_key,
    list_users,
    create_user,
    show_user,
    change_user,
    reset_password,
    disable_user,
    enable_user,
    end_sessions,
]
