"""Doors to the integrations: webhook endpoints and their delivery log."""

from app.integrations.api import endpoints

HANDLERS = [*endpoints.HANDLERS]
