"""The password once more: people, keys and roles are changed only soon after it was typed; what was filled in is kept."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from app.accounts import service
from app.accounts.guards import prove_person
from app.accounts.queries import actor_of_key
from app.accounts.rules import ADMIN, address_bucket
from app.accounts.service import TooManyTries
from app.core.db import begin
from app.core.http import request_id_of
from app.web.cookies import client_address
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import page, see_other
from app.web.sessions import SignedIn, prove_session
from app.web.sign_in import own_path

AnyRequest = Request[Any, Any, Any]
AGAIN = "/admin/again"
OWN = ("token", "to", "carries", "password", "key")
"""Fields of this page; all others are carried to where they were meant."""


def ask_again(request: AnyRequest, who: SignedIn, form: Form | None = None) -> Response[Any] | None:
    """The question for the password where it was typed too long ago; None where the page may go on.

    What was sent meanwhile is carried along and sent once the password is right.
    """
    if who.fresh(request.app.state.clock.now()):
        return None
    carried = () if form is None else tuple((name, value) for name, value in form.fields if name != "token")
    to = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return question(request, who, to=to, carries=form is not None, carried=carried, status=403 if form else 200)


def question(
    request: AnyRequest,
    who: SignedIn,
    *,
    to: str,
    carries: bool,
    carried: tuple[tuple[str, str], ...],
    status: int = 200,
    outcome: str = "",
) -> Response[str]:
    return page(
        request,
        "admin/again.html",
        status=status,
        who=who,
        to=to,
        carries=carries,
        carried=carried,
        outcome=outcome,
    )


@get(AGAIN, opt=signed_in(ADMIN), include_in_schema=False)
async def show_again(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """Nothing waits here; whoever comes by is asked all the same, and goes home."""
    return question(request, who, to="/admin", carries=False, carried=())


@post(AGAIN, opt=signed_in(ADMIN), include_in_schema=False, request_max_body_size=1024 * 1024)
async def prove_again(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form]
) -> Response[Any]:
    """Note that the password was right, and go on to where it was asked for."""
    to = form.text("to") or "/admin"
    to = to if own_path(to) and to.startswith("/admin") else "/admin"
    carries = form.flag("carries")
    carried = tuple((name, value) for name, value in form.fields if name not in OWN)
    try:
        right = await proves(request, who, form)
    except TooManyTries:
        return question(request, who, to=to, carries=carries, carried=carried, status=429, outcome="busy")
    if not right:
        return question(request, who, to=to, carries=carries, carried=carried, status=401, outcome="wrong")
    state = request.app.state
    async with begin(state.engine) as db:
        await prove_session(db, session=who.session, now=state.clock.now())
    return page(request, "admin/go_on.html", who=who, to=to, carried=carried) if carries else see_other(to, request)


async def proves(request: AnyRequest, who: SignedIn, form: Form) -> bool:
    """Whether the password, or the key where a key signed in, is this very one's; failures count as in signing in."""
    state, now = request.app.state, request.app.state.clock.now()
    if who.login is not None:
        found = await prove_person(
            state, login=who.login, password=form.text("password") or "", address=client_address(request), now=now
        )
        return found is not None and found.id == who.actor.id
    presented = form.text("key") or ""
    async with begin(state.engine) as db:
        number = await service.begin_try(db, address=address_bucket(client_address(request)), login=None, now=now)
    async with begin(state.engine) as db:
        actor = (
            await actor_of_key(db, presented=presented, now=now, request_id=request_id_of(request))
            if presented.isascii() and presented.isprintable()
            else None
        )
        right = actor is not None and actor.id == who.actor.id
        await service.settle_try(db, number=number, right=right)
    return right


HANDLERS = [show_again, prove_again]
