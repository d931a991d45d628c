"""Doors to webhook endpoints: which there are and how each stands, making one, its secret once, off, on, and sent again."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import begin, reading
from app.core.errors import Refusal
from app.integrations.queries import endpoints as queries
from app.integrations.rules.catalog import TYPES
from app.integrations.schemas import (
    EnableIn,
    EndpointIn,
    EndpointMade,
    EndpointOut,
    EndpointPatch,
    PingOut,
    ReplayIn,
    ReplayOut,
    RotateIn,
)
from app.integrations.service import endpoints as service
from app.web.admin.deliveries import log_rows
from app.web.admin.filled import Filled, standing, typed, version_of
from app.web.admin.fresh import ask_again
from app.web.admin.scope_choice import ScopeField, scope_fields, scope_in
from app.web.admin.webhook_words import EVENT_TYPE, HOOK, HOOK_SQL, HOOK_STANDING, hook_state
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.tables import Column, Filter, Listing, exported, table_page
from app.web.words import clock_time

AnyRequest = Request[Any, Any, Any]
LANGUAGES = (("en", "English"), ("zh-CN", "中文"))
LATEST = 10
WAITING = "(SELECT count(*) FROM webhook_delivery d WHERE d.endpoint = e.id AND d.state = 'pending')"
FAILING = "CASE WHEN e.state = 'active' THEN e.failing_since END"
HOOKS = Listing(
    page="/admin/webhooks",
    title="Webhooks",
    source="webhook_endpoint e",
    where=queries.OWN,
    id="e.id",
    order="-made_at",
    empty="Nothing is told to other programs yet. A webhook takes an address and the events it is to be told.",
    columns=(
        Column(key="url", label="Address", sql="e.url", href="/admin/webhooks/{number}"),
        Column(key="description", label="What for", sql="e.description"),
        Column(
            key="state", label="State", sql=HOOK_SQL, kind="state", words=HOOK, standing=HOOK_STANDING, nullable=False
        ),
        Column(key="failing_since", label="Failing since", sql=FAILING, kind="instant"),
        Column(key="waiting", label="Waiting", sql=WAITING, kind="quantity", nullable=False, sorts=False),
        Column(key="made_at", label="Made on", sql="e.created_at", kind="instant", nullable=False),
        Column(key="number", label="Number", sql="e.id", kind="code", nullable=False, shown=False),
    ),
    filters=(
        Filter(
            key="search", label="Address or what for", kind="search", sql="concat_ws(' ', e.url, e.description, e.id)"
        ),
        Filter(key="state", label="State", kind="choice", sql=HOOK_SQL, words=HOOK),
    ),
)


@get("/admin/webhooks", opt=signed_in(ADMIN), include_in_schema=False)
async def list_webhooks(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """Which programs are told, and how each stands."""
    say, binds = Words(language_of(request)), {"owner": queries.owner_of(who.actor)}
    note = say("Each event is posted, signed and in order, and tried again for four days.")
    return await table_page(request, who, HOOKS, "admin/list.html", binds=binds, make=say("Make a webhook"), note=note)


@get(["/admin/webhooks.csv", "/admin/webhooks.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_webhooks(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, HOOKS, binds={"owner": queries.owner_of(who.actor)})


def types_field(filled: Filled, say: Words) -> ScopeField:
    """All events, or some of them."""
    chosen = filled.all("event_types")
    return ScopeField(
        kind="event_types",
        label=say("Events"),
        all_words=say("all events, also those that come with later versions"),
        limited=filled.has("event_types_limited", "yes"),
        members=tuple((one, say(EVENT_TYPE[one]), one in chosen) for one in TYPES),
        wrong=filled.wrong.get("event_types", ""),
    )


def types_in(form: Form) -> list[str] | None:
    return form.texts("event_types") if form.text("event_types_limited") == "yes" else None


async def webhook_form(request: AnyRequest, who: SignedIn, filled: Filled, one: EndpointOut | None) -> Response[Any]:
    say = Words(language_of(request))
    async with reading(request.app.state.engine) as db:
        scope = await scope_fields(db, actor=who.actor, filled=filled, say=say) if one is None else ()
    return page(
        request,
        "admin/webhook_form.html",
        status=filled.status,
        who=who,
        f=filled,
        one=one,
        scope=(types_field(filled, say), *scope),
        languages=LANGUAGES,
    )


@get("/admin/webhooks/new", opt=signed_in(ADMIN), include_in_schema=False)
async def new_webhook(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """The form for a new endpoint."""
    return ask_again(request, who) or await webhook_form(request, who, standing(language=language_of(request)), None)


@post("/admin/webhooks/new", opt=signed_in(ADMIN), include_in_schema=False)
async def create_webhook(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Make an endpoint and show its secret, this once. The answer is kept nowhere."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    try:
        new = form.into(EndpointIn, **scope_in(form), event_types=types_in(form), secret=None)
        await call.state.egress.check(new.url)
        async with begin(call.engine) as db:
            made = await service.create_endpoint(db, actor=call.actor, new=new, now=call.now)
    except Refusal as refused:
        return await webhook_form(request, who, typed(request, form, refused), None)
    return page(request, "admin/webhook_secret.html", who=who, made=made, rotated=False)


@get("/admin/webhooks/{endpoint_id:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_webhook(
    request: AnyRequest, who: NamedDependency[SignedIn], endpoint_id: FromPath[str]
) -> Response[Any]:
    """One endpoint: how it stands, what it was told lately, and what can be done about it."""
    return await webhook_page(request, who, endpoint_id, standing(states=["dead", "canceled"]))


async def webhook_page(request: AnyRequest, who: SignedIn, endpoint_id: str, filled: Filled) -> Response[Any]:
    state, say = request.app.state, Words(language_of(request))
    now = state.clock.now()
    async with reading(state.engine) as db:
        one = await queries.endpoint(db, actor=who.actor, endpoint_id=endpoint_id, now=now)
        maker = await queries.maker(db, actor=who.actor, endpoint_id=endpoint_id)
        log = await queries.deliveries(
            db,
            actor=who.actor,
            endpoint_id=endpoint_id,
            state=None,
            event=None,
            subject=None,
            cursor=None,
            limit=LATEST,
        )
    stands = hook_state(one)
    return page(
        request,
        "admin/webhook.html",
        status=filled.status,
        who=who,
        one=one,
        f=filled,
        stands=(HOOK_STANDING[stands], say(HOOK[stands])),
        reason=one.disabled_reason if stands == "off" and one.disabled_reason != "by_hand" else None,
        failing=clock_time(one.failing_since, "UTC", now, say) if stands == "failing" and one.failing_since else None,
        made=clock_time(one.created_at, "UTC", now, say),
        maker=maker.name,
        maker_gone=maker.gone,
        types=[say(EVENT_TYPE[kind]) for kind in one.event_types or () if kind in EVENT_TYPE],
        told_in=dict(LANGUAGES)[one.language],
        log=log_rows(log.items, now, say),
        more=log.next is not None,
    )


@get("/admin/webhooks/{endpoint_id:str}/edit", opt=signed_in(ADMIN), include_in_schema=False)
async def edit_webhook(
    request: AnyRequest, who: NamedDependency[SignedIn], endpoint_id: FromPath[str]
) -> Response[Any]:
    """The form as the endpoint stands."""
    now = request.app.state.clock.now()
    async with reading(request.app.state.engine) as db:
        one = await queries.endpoint(db, actor=who.actor, endpoint_id=endpoint_id, now=now)
    limited = None if one.event_types is None else "yes"
    filled = standing(
        url=one.url, description=one.description, language=one.language, event_types=one.event_types or [],
        event_types_limited=limited,
    )  # fmt: skip
    return ask_again(request, who) or await webhook_form(request, who, filled, one)


@post("/admin/webhooks/{endpoint_id:str}/edit", opt=signed_in(ADMIN), include_in_schema=False)
async def change_webhook(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    endpoint_id: FromPath[str],
) -> Response[Any]:
    """Change where and what; what waits goes to the new address."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    try:
        change = form.into(EndpointPatch, event_types=types_in(form), description=form.text("description"))
        if change.url is not UNSET:
            await call.state.egress.check(change.url)
        await call.act(
            lambda db: service.change_endpoint(
                db, actor=call.actor, endpoint_id=endpoint_id, change=change, expected_version=version_of(form),
                now=call.now,
            ),
            EndpointOut,
        )  # fmt: skip
    except Refusal as refused:
        filled = typed(request, form, refused)
        one = await call.read(lambda db: queries.endpoint(db, actor=call.actor, endpoint_id=endpoint_id, now=call.now))
        return await webhook_form(request, who, filled, one)
    say = Words(call.language)
    return see_other(f"/admin/webhooks/{endpoint_id}", request, say=say("Changed."))


@post("/admin/webhooks/{endpoint_id:str}/rotate", opt=signed_in(ADMIN), include_in_schema=False)
async def rotate_webhook(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    endpoint_id: FromPath[str],
) -> Response[Any]:
    """A new secret, shown this once; the old one signs beside it for a day, or ends at once."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    body = RotateIn(overlap_minutes=0) if form.flag("at_once") else RotateIn()
    async with begin(call.engine) as db:
        made: EndpointMade = await service.rotate_secret(
            db, actor=call.actor, endpoint_id=endpoint_id, body=body, expected_version=version_of(form), now=call.now
        )
    return page(request, "admin/webhook_secret.html", who=who, made=made, rotated=True, at_once=form.flag("at_once"))


@post("/admin/webhooks/{endpoint_id:str}/switch", opt=signed_in(ADMIN), include_in_schema=False)
async def switch_webhook(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    endpoint_id: FromPath[str],
) -> Response[Any]:
    """Off until it is switched on again; or on, if asked with what was kept for it meanwhile."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    say, version = Words(call.language), version_of(form)
    if form.text("to") == "off":
        await call.act(
            lambda db: service.disable_endpoint(
                db, actor=call.actor, endpoint_id=endpoint_id, reason=None, expected_version=version, now=call.now
            ),
            EndpointOut,
        )
        return see_other(
            f"/admin/webhooks/{endpoint_id}", request, say=say("Switched off. What waited is kept for a week.")
        )
    body = EnableIn(replay=form.flag("replay"))
    await call.act(
        lambda db: service.enable_endpoint(
            db, actor=call.actor, endpoint_id=endpoint_id, body=body, expected_version=version, now=call.now
        ),
        EndpointOut,
    )
    return see_other(f"/admin/webhooks/{endpoint_id}", request, say=say("Switched on: it is being tried now."))


@post("/admin/webhooks/{endpoint_id:str}/test", opt=signed_in(ADMIN), include_in_schema=False)
async def ping_webhook(request: AnyRequest, call: NamedDependency[Call], endpoint_id: FromPath[str]) -> Response[Any]:
    """Send a test; its delivery says what came of it."""

    async def ping(db: Any) -> PingOut:
        return PingOut(
            delivery=await service.ping_endpoint(db, actor=call.actor, endpoint_id=endpoint_id, now=call.now)
        )

    made, say = await call.act(ping, PingOut), Words(call.language)
    return see_other(f"/admin/webhook-deliveries/{made.delivery}", request, say=say("A test is on its way."))


@post("/admin/webhooks/{endpoint_id:str}/replay", opt=signed_in(ADMIN), include_in_schema=False)
async def replay_webhook(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    endpoint_id: FromPath[str],
) -> Response[Any]:
    """Send again what was made in a span, with the same ids."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    try:
        body = form.into(
            ReplayIn,
            since=form.instant("since", "UTC"),
            until=form.instant("until", "UTC"),
            states=form.texts("states"),
        )

        async def replay(db: Any) -> ReplayOut:
            count = await service.replay_range(db, actor=call.actor, endpoint_id=endpoint_id, body=body, now=call.now)
            return ReplayOut(replayed=count)

        done = await call.act(replay, ReplayOut)
    except Refusal as refused:
        return await webhook_page(request, who, endpoint_id, typed(request, form, refused))
    say = Words(call.language)
    return see_other(f"/admin/webhooks/{endpoint_id}", request, say=say("{count} are sent again.", count=done.replayed))


@post("/admin/webhooks/{endpoint_id:str}/delete", opt=signed_in(ADMIN), include_in_schema=False)
async def delete_webhook(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    endpoint_id: FromPath[str],
) -> Response[Any]:
    """Stop for good."""
    if (asked := ask_again(request, who, form)) is not None:
        return asked
    await call.act(
        lambda db: service.delete_endpoint(
            db, actor=call.actor, endpoint_id=endpoint_id, expected_version=version_of(form), now=call.now
        ),
        EndpointOut,
    )
    say = Words(call.language)
    return see_other("/admin/webhooks", request, say=say("Deleted. Its secrets are forgotten."))


HANDLERS = [
    list_webhooks,
    export_webhooks,
    new_webhook,
    create_webhook,
    show_webhook,
    edit_webhook,
    change_webhook,
    rotate_webhook,
    switch_webhook,
    ping_webhook,
    replay_webhook,
    delete_webhook,
]
