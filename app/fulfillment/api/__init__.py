"""Doors to fulfillment: requests and promises, the journey's verbs, the plan, call-offs, previews of verdicts, reports."""

from app.fulfillment.api import (
    call_offs,
    plan,
    preview,
    reports,
    requests,
    reshaping,
    revision,
    steering,
    trying,
    verbs,
)

HANDLERS = [
    *requests.HANDLERS,
    *verbs.HANDLERS,
    *plan.HANDLERS,
    *preview.HANDLERS,
    *revision.HANDLERS,
    *steering.HANDLERS,
    *trying.HANDLERS,
    *reports.HANDLERS,
    *reshaping.HANDLERS,
    *call_offs.HANDLERS,
]
