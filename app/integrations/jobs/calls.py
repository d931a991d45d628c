"""How one delivery is addressed and proved: signed for a webhook, with the connection's credentials for a ticket."""

from datetime import datetime
from typing import Any

from app.integrations.rules.delivery import signed_headers

AGENT = "Sparelane-Webhooks/1"


def url_for(row: Any) -> str | None:
    """Where a claimed delivery goes."""
    return str(row.url) if row.url else None


def headers_for(row: Any, now: datetime) -> dict[str, str] | None:
    """The headers of this very attempt; None where nothing can prove it."""
    plain = {"user-agent": AGENT, "accept-encoding": "identity", "content-type": "application/json"}
    if not row.secrets:
        return None
    signed = signed_headers(event=row.event, body=bytes(row.body), secret_texts=row.secrets, now=now)
    return plain | signed | {"sparelane-sequence": str(row.sequence)}
