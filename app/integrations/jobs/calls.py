"""How one delivery is addressed and proved: signed for a webhook, with the connection's credentials for a ticket."""

from datetime import datetime
from typing import Any

from app.integrations.queries.connections import profile_by
from app.integrations.rules.delivery import signed_headers
from app.integrations.rules.profile import Credentials
from app.integrations.rules.verify import basic

AGENT = "Sparelane-Webhooks/1"
PLAIN = {"user-agent": AGENT, "accept-encoding": "identity", "accept": "application/json"}


def url_for(row: Any) -> str | None:
    """Where a claimed delivery goes."""
    if row.kind == "ticket":
        return None if row.base_url is None else f"{row.base_url}{row.path or ''}"
    return str(row.url) if row.url else None


def headers_for(row: Any, now: datetime) -> dict[str, str] | None:
    """The headers of this very attempt; None where nothing can prove it."""
    plain = PLAIN | {"content-type": "application/json"}
    if row.kind == "ticket":
        proof = credential_headers(profile_by(row).credentials, row.write_secret)
        return None if proof is None else plain | proof
    if not row.secrets:
        return None
    signed = signed_headers(event=row.event, body=bytes(row.body), secret_texts=row.secrets, now=now)
    return plain | signed | {"sparelane-sequence": str(row.sequence)}


def credential_headers(how: Credentials, secret: str | None) -> dict[str, str] | None:
    """What proves us to the ticketing system; None where a secret is due and there is none."""
    match how.kind:
        case "none":
            return {}
        case "basic":
            return None if secret is None else {"authorization": basic(secret)}
        case "header":
            return None if secret is None else {how.header.lower(): how.prefix + secret}
