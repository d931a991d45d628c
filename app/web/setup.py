"""What the entrance wires in: every page's door under one guard, with failures shown as pages."""

from typing import Any

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException

from app.core.errors import Refusal
from app.web import (
    account,
    admin,
    components,
    dispatch,
    dispatcher,
    engineer,
    finance,
    live,
    partner,
    reports,
    scan,
    sign_in,
)
from app.web.frame import (
    SignInFirst,
    admit_page,
    on_page_exception,
    on_page_http_exception,
    on_page_refusal,
    on_sign_in_first,
    provide_form,
    provide_page_call,
    provide_who,
)
from app.web.tables import doors as table_doors
from app.web.warehouse import papers, picking, receiving, stock

DOORS: tuple[Any, ...] = (
    sign_in,
    account,
    live,
    scan,
    dispatch,
    dispatcher,
    engineer,
    components,
    papers,
    picking,
    receiving,
    stock,
    table_doors,
    finance,
    reports,
    admin,
    partner,
)


def pages() -> Router:
    """All pages; their full paths stand at their doors."""
    return Router(
        path="/",
        route_handlers=[one for doors in DOORS for one in doors.HANDLERS],
        guards=[admit_page],
        dependencies={
            "who": Provide(provide_who),
            "form": Provide(provide_form),
            "call": Provide(provide_page_call),
        },
        exception_handlers={
            SignInFirst: on_sign_in_first,
            Refusal: on_page_refusal,
            HTTPException: on_page_http_exception,
            Exception: on_page_exception,
        },
    )
