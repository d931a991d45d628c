"""Doors to fulfillment: requests and promises, the journey's verbs, the plan."""

from app.fulfillment.api import requests, verbs

HANDLERS = [*requests.HANDLERS, *verbs.HANDLERS]
