"""What fulfillment refuses, by name."""

from typing import Any

from app.core.errors import Conflict, FieldError, Unprocessable


class NotEnough(Conflict):
    """Too little stock anywhere (409): `available` is what is free in sum, `free` says where.

    `usable` are the parts that would have done, `near` the places that serve the site's area: never shown.
    """

    code = "stock.insufficient"
    usable: tuple[str, ...] = ()
    near: frozenset[str] = frozenset()

    @property
    def sentence(self) -> str:
        return self.code if self.facts.get("place") else "stock.none_free"

    def could_be(self, **facts: Any) -> "NotEnough":
        """The same, with who could give way if a dispatcher approved it (S3b)."""
        code = "give_way.could" if facts.get("could_give_way") else "give_way.dispatcher_could"
        told = NotEnough(**self.facts, **facts, errors=[FieldError("bump", code, self.facts | facts)])
        told.usable, told.near = self.usable, self.near
        return told


class NotGivingWay(Conflict):
    """This line cannot give its pieces to the other (S3b): no lower priority, touched, pinned, frozen or of no use."""

    code = "give_way.not_this_line"


class DuplicateTicket(Conflict):
    """This ticket has an open request for the device and part already; its id is named."""

    code = "ticket.duplicate"


class HoldsFull(Conflict):
    """This key or connection holds as many pieces as it may (T148): `holding` of `cap`, and `asked` more."""

    code = "holds.full"


class FailureInFuture(Unprocessable):
    """A failure or its report cannot lie after now, nor the report before the failure."""

    code = "failure.in_the_future"


class SerialOrSite(Unprocessable):
    """An unreadable serial needs site and model in its place."""

    code = "device.needs_site_and_model"


class CurrencyMismatch(Unprocessable):
    """A foreign cost without a stored rate has no price."""

    code = "currency.mismatch"


class PositionTakesOne(Unprocessable):
    """A line with a position is for one piece."""

    code = "position.takes_one"


class VerbNotNow(Conflict):
    """The state does not allow the verb; what it allows is named."""

    code = "state.not_allowed"


class StepTooEarly(Unprocessable):
    """A step cannot have happened before the one it follows, nor after now."""

    code = "step.out_of_order"


class AlreadyOnHold(Conflict):
    """There is an open hold."""

    code = "hold.already"


class NotOnHold(Conflict):
    """There is no open hold to end."""

    code = "hold.none"


class HoldAfterBreach(Conflict):
    """A clock that was missed is not held any more (C6)."""

    code = "hold.after_breach"


class BackdatedHold(Conflict):
    """A hold that begins over 15 minutes ago needs a dispatcher (C6)."""

    code = "hold.backdated"


class LowerNeedsWord(Conflict):
    """A lower priority needs the customer's word."""

    code = "priority.needs_agreement"


class CarrierOrCourier(Unprocessable):
    """Dispatch takes a courier, or a carrier with its waybill."""

    code = "dispatch.who"


class UnknownCourier(Unprocessable):
    """Nobody by that code drives for us."""

    code = "courier.unknown"


class SerialNotThere(Unprocessable):
    """The serial read is none of the devices of that site and model which the verdict was given on."""

    code = "device.not_there"


class SerialDue(Unprocessable):
    """The device's serial was unread at acceptance and is due now."""

    code = "device.serial_due"


class FittedOther(Conflict):
    """The fitted serial is not the one issued."""

    code = "fit.other_serial"


class NoSuchLine(Unprocessable):
    """The request has no line by that id."""

    code = "line.unknown"


class FactsMoved(Exception):
    """What a decision rests on has changed: the door decides again on fresh facts. Never shown."""


class NothingThere(Conflict):
    """This place has too little of the part free, or the line comes from there already."""

    code = "source.nothing_there"


class SubstituteNeedsWord(Conflict):
    """The customer asked for the part itself; another one needs the customer's word (P4)."""

    code = "source.substitute_needs_word"


class NotPlanned(Conflict):
    """No courier brings this line: there is nothing to pin."""

    code = "plan.line_not_planned"


class OtherRegion(Unprocessable):
    """This courier does not drive for the line's region."""

    code = "plan.courier_of_other_region"


class ShiftTooLate(Unprocessable):
    """A shift for once begins before it ends, lasts 16 hours at most and is not over yet."""

    code = "plan.shift_out_of_order"


class OpeningTooLate(Unprocessable):
    """An opening for once begins before it ends, lasts 16 hours at most and is not over yet."""

    code = "plan.opening_out_of_order"


class LegStarted(Conflict):
    """Somebody is under way with the line, or to fetch it: that stays as it is (R4)."""

    code = "plan.leg_started"
