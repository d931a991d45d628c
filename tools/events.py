"""Writes docs/events.md from the catalog of event types: `python -m tools.events`. A test holds the page to it."""

from pathlib import Path

from app.integrations.queries.shapes import CARRIED
from app.integrations.rules.catalog import TYPES

PAGE = Path(__file__).parent.parent / "docs" / "events.md"
HEAD = """# Events

What happens is told to webhook endpoints ([how to receive them](integrating.md#webhooks)). Every event has this shape;
`GET /v1/event-types/{type}/schema` gives its JSON Schema.

| field | what it is |
|---|---|
| `type` | below |
| `timestamp` | when it happened |
| `id` | the event's id, the same in every try and replay, and in the header `webhook-id` |
| `schema_version` | of this shape; it grows when a field is removed or changes its meaning |
| `recorded_at` | when we learned of it |
| `actor`, `request_id` | who caused it, by which call |
| `subject` | `{"id", "version"}`: what it is about, at the version it had then |
| `customer`, `area`, `place` | whose, where; may be null |
| `facts` | what was recorded with the event itself |
| `data` | the subject as the API shows it when the event is sent out, in the shape named below, or null |

The `version` in `data` may be newer than that in `subject`: it is shown as it stands when the event is sent out.

Events of one subject come in order: the next one waits until the one before was taken, or was given up after days. The
header `sparelane-sequence` numbers them for each endpoint from 1 without holes. A delivery may come twice: `id` tells.

| type | when | `data` | for |
|---|---|---|---|
"""


def page() -> str:
    """The whole document."""
    rows = []
    for one in TYPES.values():
        shape = CARRIED[one.carries]
        carried = f"`{shape.__name__}`" if shape else "nothing"
        whom = "all" if "integration" in one.roles else "admin keys"
        rows.append(f"| `{one.name}` | {one.words} | {carried} | {whom} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
