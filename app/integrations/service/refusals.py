"""What the integrations refuse, by name."""

from app.core.errors import Conflict, Forbidden, Unprocessable


class UnknownEventType(Unprocessable):
    """No event is of that type, or it is not for this key's role."""

    code = "webhook.type_unknown"


class WiderThanKey(Forbidden):
    """An endpoint or a connection sees no more than the key that makes it."""

    code = "webhook.wider_than_key"


class NotActive(Conflict):
    """The endpoint is disabled: nothing is sent to it until it is enabled."""

    code = "webhook.not_active"


class BadSecret(Unprocessable):
    """A secret of 24 to 64 bytes in base64 after `whsec_`."""

    code = "webhook.secret_bad"


class ProfileBad(Unprocessable):
    """The overrides make no profile; the field says where."""

    code = "connection.profile_bad"


class UnknownProvider(Unprocessable):
    """There is no ready profile by that name."""

    code = "connection.provider_unknown"


class CodeTaken(Conflict):
    """Another connection has that code."""

    code = "connection.code_taken"


class DraftNotOpen(Conflict):
    """The draft was completed or discarded."""

    code = "draft.not_open"


class TicketServed(Conflict):
    """The ticket has a request already; its id is named."""

    code = "draft.ticket_served"


class NotFailed(Conflict):
    """Only a delivery that failed, or was put aside, is tried again."""

    code = "hook.not_failed"
