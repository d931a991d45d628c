"""Doors to fulfillment: requests and promises, the journey's verbs, the plan, previews of verdicts, reports."""

from app.fulfillment.api import plan, preview, reports, requests, reshaping, revision, steering, verbs

HANDLERS = [
    *requests.HANDLERS,
    *verbs.HANDLERS,
    *plan.HANDLERS,
    *preview.HANDLERS,
    *revision.HANDLERS,
    *steering.HANDLERS,
    *reports.HANDLERS,
    *reshaping.HANDLERS,
]
