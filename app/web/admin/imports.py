"""Doors to imports: send a file, see what it would do and which rows are bad, mend those, load it whole."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream
from sqlalchemy import text as statement

from app.accounts.guards import Call
from app.accounts.rules import ADMIN
from app.core.db import reading
from app.core.errors import FieldError, NotFound, Refusal
from app.core.http import BadFields
from app.core.i18n import Language, text
from app.integrations.imports import ENCODINGS, KINDS, read_table, runs
from app.integrations.imports.load import Bad, fields_of
from app.integrations.imports.mending import failed_rows, merged
from app.integrations.imports.refusals import FileTooLarge, UnknownEncoding, WrongEncoding
from app.integrations.imports.report import sentence
from app.integrations.imports.runs import NotReady, RunOut
from app.web.admin import import_work
from app.web.admin.event_words import recorded_in_words
from app.web.admin.filled import Filled, standing, typed
from app.web.admin.words import IMPORT, RUN, RUN_STANDING
from app.web.forms import Form
from app.web.frame import signed_in
from app.web.render import HEADERS, Words, language_of, page, see_other
from app.web.sessions import SignedIn
from app.web.sheets import CSV_TYPE, XLSX_TYPE, Sheet, csv_pieces, pieces_of, xlsx_file
from app.web.sheets import Column as SheetColumn
from app.web.tables import Column, Filter, Listing, exported, table_page

AnyRequest = Request[Any, Any, Any]
MOST_BYTES = 10 * 1024 * 1024
BODY = MOST_BYTES + 64 * 1024
MOST_SHOWN = 200
NAMED = "coalesce(u.name, k.name, {0})"
NAME_OF = statement("""
    SELECT coalesce((SELECT name FROM user_account WHERE id = :id), (SELECT name FROM api_key WHERE id = :id))
""")

LIST = Listing(
    page="/admin/imports",
    title="Imports",
    source="""import_run i LEFT JOIN user_account u ON u.id = i.created_by LEFT JOIN api_key k ON k.id = i.created_by""",
    where="true",
    id="i.id",
    order="-sent_at",
    empty="Nothing was imported here yet.",
    columns=(
        Column(
            key="sent_at", label="Sent", sql="i.created_at", kind="instant", href="/admin/imports/{run}", nullable=False
        ),
        Column(key="kind", label="What", sql="i.kind", kind="state", words=IMPORT, nullable=False),
        Column(key="file", label="File", sql="i.file_name", nullable=False),
        Column(
            key="state", label="State", sql="i.state", kind="state", words=RUN, standing=RUN_STANDING, nullable=False
        ),
        Column(key="rows", label="Rows", sql="i.rows", kind="quantity", nullable=False),
        Column(key="failed", label="Bad rows", sql="i.failed", kind="quantity", nullable=False),
        Column(key="by", label="By", sql=NAMED.format("i.created_by"), nullable=False),
        Column(key="hash", label="Hash", sql="left(i.file_hash, 12)", kind="code", nullable=False),
        Column(key="run", label="Number", sql="i.id", kind="code", nullable=False, shown=False),
    ),
    filters=(
        Filter(key="search", label="File or hash", kind="search", sql="concat_ws(' ', i.file_name, i.file_hash)"),
        Filter(key="kind", label="What", kind="choice", sql="i.kind", words=IMPORT),
        Filter(key="state", label="State", kind="choice", sql="i.state", words=RUN),
    ),
)


@get("/admin/imports", opt=signed_in(ADMIN), include_in_schema=False)
async def list_imports(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    """Send a file, and see those that were sent."""
    chosen = request.query_params.get("send") or "devices"
    return await imports_page(request, who, standing(kind=chosen))


async def imports_page(request: AnyRequest, who: SignedIn, filled: Filled) -> Response[Any]:
    say = Words(language_of(request))
    kinds = tuple((one, say(IMPORT[one])) for one in KINDS)
    known = tuple(
        (one, say(IMPORT[one]), tuple((name, name in required(one)) for name in fields_of(KINDS[one].shape)))
        for one in KINDS
    )
    answer = await table_page(
        request, who, LIST, "admin/imports.html", f=filled, kinds=kinds, known=known, encodings=ENCODINGS
    )
    if filled.status != 200:
        answer.status_code = filled.status
    return answer


def required(kind: str) -> frozenset[str]:
    return frozenset(one.encode_name for one in msgspec.structs.fields(KINDS[kind].shape) if one.required)


@get(["/admin/imports.csv", "/admin/imports.xlsx"], opt=signed_in(ADMIN), include_in_schema=False)
async def export_imports(request: AnyRequest, who: NamedDependency[SignedIn]) -> Response[Any]:
    return await exported(request, who, LIST)


@get("/admin/imports/empty.csv", opt=signed_in(ADMIN), include_in_schema=False)
async def empty_file(kind: FromQuery[str]) -> Response[bytes]:
    """A file with nothing but the headings of a kind."""
    if kind not in KINDS:
        raise NotFound
    target = io.StringIO()
    csv.writer(target).writerow(list(fields_of(KINDS[kind].shape)))
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{kind}.csv"'}
    return Response(target.getvalue().encode("utf-8-sig"), media_type=CSV_TYPE, headers=headers)


async def sent_file(form: Form, name: str = "file") -> tuple[str, bytes]:
    """The file that was sent, and what it was called. Raises BadFields without one, FileTooLarge over 10 MB (T130)."""
    files = form.files.get(name)
    if not files:
        raise BadFields(errors=[FieldError(name, "field.required")])
    raw = await files[0].read()
    if len(raw) > MOST_BYTES:
        raise FileTooLarge(what="bytes", limit=MOST_BYTES, errors=[FieldError(name, "imports.over_10_mb")])
    if not raw:
        raise BadFields(errors=[FieldError(name, "imports.empty_file")])
    return files[0].filename, raw


def decoded(raw: bytes, encoding: str | None) -> bytes:
    """Text in a stated encoding as UTF-8; without one the importer finds out by itself."""
    if encoding is None or raw.startswith(b"PK"):
        return raw
    if encoding not in ENCODINGS:
        raise UnknownEncoding(encodings=list(ENCODINGS))
    try:
        return raw.decode(encoding).encode()
    except UnicodeDecodeError as wrong:
        error = FieldError("encoding", "imports.encoding_wrong", {"encoding": encoding})
        raise WrongEncoding(encoding=encoding, errors=[error]) from wrong


@post("/admin/imports", opt=signed_in(ADMIN), include_in_schema=False, request_max_body_size=BODY)
async def send_file(
    request: AnyRequest, who: NamedDependency[SignedIn], form: NamedDependency[Form], call: NamedDependency[Call]
) -> Response[Any]:
    """Keep a file and begin to look at it; nothing is written yet."""
    try:
        kind = form.text("kind") or ""
        if kind not in KINDS:
            raise BadFields(errors=[FieldError("kind", "field.required")])
        name, raw = await sent_file(form)
        content = decoded(raw, form.text("encoding"))
    except Refusal as refused:
        return await imports_page(request, who, typed(request, form, refused))
    return await begun(request, call, kind, name, raw, content)


async def begun(request: AnyRequest, call: Call, kind: str, name: str, raw: bytes, content: bytes) -> Response[Any]:
    run = await call.act(
        lambda db: runs.begin_run(
            db, actor=call.actor, kind=kind, file_name=name, raw=raw, content=content, now=call.now
        ),
        RunOut,
    )
    import_work.started(call.state, import_work.check(call, run))
    return see_other(f"/admin/imports/{run.id}", request)


@get("/admin/imports/{import_id:str}", opt=signed_in(ADMIN), include_in_schema=False)
async def show_run(request: AnyRequest, who: NamedDependency[SignedIn], import_id: FromPath[str]) -> Response[Any]:
    """One file: how far it is, what it would do, what is bad, and loading it."""
    return await run_page(request, who, import_id, "admin/import.html")


@get("/admin/imports/{import_id:str}/part", opt=signed_in(ADMIN), include_in_schema=False)
async def show_part(request: AnyRequest, who: NamedDependency[SignedIn], import_id: FromPath[str]) -> Response[Any]:
    """The part of the page that changes while a file is looked at."""
    return await run_page(request, who, import_id, "admin/import_part.html")


async def run_page(request: AnyRequest, who: SignedIn, run_id: str, template: str) -> Response[str]:
    language = language_of(request)
    say, now = Words(language), request.app.state.clock.now()
    async with reading(request.app.state.engine) as db:
        run = await runs.run_by_id(db, run_id=run_id)
        before = await runs.loaded_before(db, run=run)
        _, bad = await runs.content_of(db, run_id=run_id) if run.failed else (None, [])
        name = await db.scalar(NAME_OF, {"id": run.created_by})
    return page(
        request,
        template,
        who=who,
        run=run,
        kind=say(IMPORT[run.kind]),
        by=name or run.created_by,
        stands=(RUN_STANDING[run.state], say(RUN[run.state])),
        running=run.running(now),
        broken_off=run.broken_off(now),
        share=0 if not run.rows else min(100, 100 * run.done // run.rows),
        before=before,
        would=recorded_in_words(run.would, say),
        bad=tuple((one.line, one.field, sentence(one, language)) for one in bad[:MOST_SHOWN]),
        more=max(0, len(bad) - MOST_SHOWN),
        refusal=refusal_in_words(run, language),
    )


def refusal_in_words(run: RunOut, language: Language) -> tuple[str, ...]:
    """Why the whole file is refused, the wrong headings each."""
    if run.refusal is None:
        return ()
    errors = run.refusal["errors"]
    return (
        text(run.refusal["code"], run.refusal["facts"], language),
        *(f"{one['field']}: {text(one['code'], one['facts'], language)}" for one in errors),
    )


@post("/admin/imports/{import_id:str}/again", opt=signed_in(ADMIN), include_in_schema=False)
async def check_again(
    request: AnyRequest, form: NamedDependency[Form], call: NamedDependency[Call], import_id: FromPath[str]
) -> Response[Any]:
    """Look at the same file anew: after something else was set up, or after a run was broken off."""
    run = await call.act(lambda db: runs.start_again(db, run_id=import_id, now=call.now), RunOut)
    import_work.started(call.state, import_work.check(call, run))
    return see_other(f"/admin/imports/{import_id}", request)


@post("/admin/imports/{import_id:str}/load", opt=signed_in(ADMIN), include_in_schema=False)
async def load_run(
    request: AnyRequest, form: NamedDependency[Form], call: NamedDependency[Call], import_id: FromPath[str]
) -> Response[Any]:
    """Load a file whose every row was found good."""
    say = Words(call.language)
    try:
        run = await call.act(lambda db: runs.claim_load(db, run_id=import_id, now=call.now), RunOut)
    except NotReady:
        return see_other(
            f"/admin/imports/{import_id}", request, say=say("It is not ready to be loaded. Look at its state.")
        )
    import_work.started(call.state, import_work.load(call, run))
    return see_other(f"/admin/imports/{import_id}", request)


@post(
    "/admin/imports/{import_id:str}/mended", opt=signed_in(ADMIN), include_in_schema=False, request_max_body_size=BODY
)
async def send_mended(
    request: AnyRequest,
    who: NamedDependency[SignedIn],
    form: NamedDependency[Form],
    call: NamedDependency[Call],
    import_id: FromPath[str],
) -> Response[Any]:
    """Put mended rows in the places of the failed ones, and look at the whole file anew."""
    async with reading(call.engine) as db:
        run = await runs.run_by_id(db, run_id=import_id)
        content, bad = await runs.content_of(db, run_id=import_id)
    if content is None:
        raise import_work.ContentGone(id=import_id)
    _, raw = await sent_file(form)
    whole = merged(KINDS[run.kind], read_table(content), {one.line for one in bad}, read_table(raw))
    return await begun(request, call, run.kind, run.file_name, whole, whole)


@get(
    ["/admin/imports/{import_id:str}/failed.csv", "/admin/imports/{import_id:str}/failed.xlsx"],
    opt=signed_in(ADMIN),
    include_in_schema=False,
)
async def failed_file(request: AnyRequest, import_id: FromPath[str]) -> Stream:
    """The failed rows as a file, each with its line and what is wrong, to be mended and sent back."""
    language = language_of(request)
    async with reading(request.app.state.engine) as db:
        run = await runs.run_by_id(db, run_id=import_id)
        content, bad = await runs.content_of(db, run_id=import_id)
    if content is None:
        raise import_work.ContentGone(id=import_id)
    sheet = failed_sheet(run, content, bad, language)
    ending = "xlsx" if request.url.path.endswith(".xlsx") else "csv"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{run.kind}-failed.{ending}"'}
    if ending == "csv":
        return Stream(csv_pieces(sheet), media_type=CSV_TYPE, headers=headers)
    return Stream(pieces_of(await xlsx_file(sheet)), media_type=XLSX_TYPE, headers=headers)


def failed_sheet(run: RunOut, content: bytes, bad: Sequence[Bad], language: Language) -> Sheet:
    columns, rows = failed_rows(read_table(content), bad, language)
    return Sheet(title=run.kind, columns=tuple(SheetColumn(key=one, label=one) for one in columns), rows=rows)


HANDLERS = [
    list_imports,
    export_imports,
    empty_file,
    send_file,
    show_run,
    show_part,
    check_again,
    load_run,
    send_mended,
    failed_file,
]
