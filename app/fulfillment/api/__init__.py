"""Doors to fulfillment: requests and promises, the journey's verbs, the plan, previews of verdicts."""

from app.fulfillment.api import plan, preview, requests, revision, steering, verbs

HANDLERS = [
    *requests.HANDLERS,
    *verbs.HANDLERS,
    *plan.HANDLERS,
    *preview.HANDLERS,
    *revision.HANDLERS,
    *steering.HANDLERS,
]
