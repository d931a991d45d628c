"""Doors to the integrations: webhook endpoints and their log, connections, hooks, tickets and drafts."""

from app.integrations.api import connections, drafts, endpoints, hooks

HANDLERS = [*endpoints.HANDLERS, *connections.HANDLERS, *drafts.HANDLERS, *hooks.HANDLERS]
