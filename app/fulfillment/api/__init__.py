"""Doors to fulfillment: requests and promises, the journey's verbs, the plan."""

from app.fulfillment.api import requests

HANDLERS = [*requests.HANDLERS]
