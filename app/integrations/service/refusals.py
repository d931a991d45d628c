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
