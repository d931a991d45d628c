"""What a partner or supplier sees of us: one page behind a signed link."""

from app.web.partner import call_off

HANDLERS = call_off.HANDLERS
