"""The refusals of an event, one type per code of `rules.admission`."""

from typing import Any

from app.core.errors import Conflict, Reason, Refusal, Unprocessable


class EventInFuture(Unprocessable):
    """It has not happened yet."""

    code = "event.in_future"


class EventBeforeDelivery(Unprocessable):
    """The device had not been delivered."""

    code = "event.before_delivery"


class EventBeforeInstallation(Unprocessable):
    """The serial was not there yet."""

    code = "event.before_installation"


class DeviceReplacedAlready(Conflict):
    """Another serial stands there since; events go to it."""

    code = "device.replaced_already"


class UnknownPosition(Unprocessable):
    """The device has no such position."""

    code = "position.unknown"


class PositionIsUnit(Unprocessable):
    """The unit is the device itself: post `device_replaced` (W13)."""

    code = "position.is_unit"


class DeviceAcceptedAlready(Conflict):
    """The device has its acceptance; correct that event."""

    code = "accepted.already"


class NothingToConfirm(Conflict):
    """No replacement of that position waits for a confirmation."""

    code = "confirm.nothing_open"


class SerialTaken(Conflict):
    """The new serial is registered already."""

    code = "serial.taken"


class ExtendedTooLong(Unprocessable):
    """More months than any warranty may have."""

    code = "extended.too_long"


class DayOutOfRange(Unprocessable):
    """A date no warranty is computed from."""

    code = "day.out_of_range"


class NoSuchEvent(Unprocessable):
    """The correction names no event of this device."""

    code = "correction.no_such_event"


class CorrectionOfCorrection(Unprocessable):
    """Corrections name the original event."""

    code = "correction.of_correction"


class WrongCorrectedField(Unprocessable):
    """A field the event does not have, or that cannot change."""

    code = "correction.wrong_field"


class NotUndone(Unprocessable):
    """Swaps and transfers are not undone; post a new one."""

    code = "correction.not_undone"


class EmptyCorrection(Unprocessable):
    """The correction changes nothing."""

    code = "correction.empty"


class CauseReopened(Unprocessable):
    """A cause, once settled, does not become undetermined again."""

    code = "correction.reopens_cause"


REFUSALS: dict[str, type[Refusal]] = {
    one.code: one
    for one in (
        EventInFuture,
        EventBeforeDelivery,
        EventBeforeInstallation,
        DeviceReplacedAlready,
        UnknownPosition,
        PositionIsUnit,
        DeviceAcceptedAlready,
        NothingToConfirm,
        SerialTaken,
        ExtendedTooLong,
        DayOutOfRange,
        NoSuchEvent,
        CorrectionOfCorrection,
        WrongCorrectedField,
        NotUndone,
        EmptyCorrection,
        CauseReopened,
    )
}


def refusal_of(reason: Reason) -> Refusal:
    """The refusal that a rule's reason stands for."""
    facts: dict[str, Any] = dict(reason.facts)
    return REFUSALS[reason.code](**facts)
