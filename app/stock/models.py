"""Stock's tables: balances, layers, levels, bins, serials, holds, the append-only ledger, purchases, transfers and loans."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class StockBalance(Base):
    """What one place counts of a part in one condition; the row that a reservation fights for."""

    __tablename__ = "stock_balance"

    place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)
    part: Mapped[str] = mapped_column(ForeignKey("part.number"), primary_key=True)
    condition: Mapped[str] = mapped_column(primary_key=True)
    genuine: Mapped[bool] = mapped_column(primary_key=True)
    on_hand: Mapped[int] = mapped_column(server_default="0")
    reserved: Mapped[int] = mapped_column(server_default="0")
    ledger_number: Mapped[int] = mapped_column(server_default="0")


class StockLayer(Base):
    """A lot, a serial or a cost layer: pieces with one origin and one value. Changed only under its balance's lock."""

    __tablename__ = "stock_layer"

    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[str]
    part: Mapped[str]
    condition: Mapped[str]
    genuine: Mapped[bool]
    lot: Mapped[str | None]
    serial: Mapped[str | None]
    expires_on: Mapped[date | None]
    received_at: Mapped[datetime]
    quantity: Mapped[int]
    reserved: Mapped[int] = mapped_column(server_default="0")
    value_minor: Mapped[int]
    reserved_minor: Mapped[int] = mapped_column(server_default="0")
    currency: Mapped[str]
    rates: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    bin: Mapped[str | None]


class StockLevel(Base):
    """What a place is kept at of a part, how long refilling takes, and how fast it is asked for, by priority.

    `seen_…` is what the last 90 days showed; it counts where nobody set a rate.
    """

    __tablename__ = "stock_level"

    place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)
    part: Mapped[str] = mapped_column(ForeignKey("part.number"), primary_key=True)
    base_stock: Mapped[int]
    lead_time_hours: Mapped[int]
    emergency_per_day: Mapped[Decimal | None]
    severe_per_day: Mapped[Decimal | None]
    general_per_day: Mapped[Decimal | None]
    seen_emergency: Mapped[Decimal] = mapped_column(server_default="0")
    seen_severe: Mapped[Decimal] = mapped_column(server_default="0")
    seen_general: Mapped[Decimal] = mapped_column(server_default="0")
    set_at: Mapped[datetime]
    set_by: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")


class Bin(Base):
    """A bin of a place: where a hand reaches for pieces."""

    __tablename__ = "bin"

    place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    note: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")


class PurchaseLine(Base):
    """What was ordered for a place and what it costs, so that whoever receives it need not know."""

    __tablename__ = "purchase_line"

    place: Mapped[str] = mapped_column(ForeignKey("place.code"), primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(ForeignKey("part.number"), primary_key=True)
    quantity: Mapped[int]
    unit_cost: Mapped[str]
    currency: Mapped[str]
    rates: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    version: Mapped[int] = mapped_column(server_default="1")
    noted_at: Mapped[datetime]
    noted_by: Mapped[str]


class StockSerial(Base):
    """Where a serial number is now: in stock or at a virtual place."""

    __tablename__ = "stock_serial"

    serial: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(ForeignKey("part.number"))
    place: Mapped[str]
    moved_at: Mapped[datetime]


class Reservation(Base):
    """Pieces of one layer held for a line: held, then issued, released or expired, once."""

    __tablename__ = "reservation"

    id: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str]
    place: Mapped[str]
    part: Mapped[str]
    condition: Mapped[str]
    genuine: Mapped[bool]
    layer: Mapped[int] = mapped_column(ForeignKey("stock_layer.id"))
    quantity: Mapped[int]
    value_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="held")
    provisional: Mapped[bool]
    awaiting_consent: Mapped[bool] = mapped_column(server_default="false")
    expires_at: Mapped[datetime | None]
    held_at: Mapped[datetime]
    held_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    returned: Mapped[int] = mapped_column(server_default="0")
    returned_minor: Mapped[int] = mapped_column(server_default="0")
    lost: Mapped[int] = mapped_column(server_default="0")
    lost_minor: Mapped[int] = mapped_column(server_default="0")
    split_from: Mapped[str | None] = mapped_column(ForeignKey("reservation.id"))


class StockMovement(Base):
    """One double-entry row of the ledger (S2). `place` is its real side, if any: that key's chain has the number."""

    __tablename__ = "stock_movement"

    id: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str]
    from_place: Mapped[str]
    to_place: Mapped[str]
    part: Mapped[str] = mapped_column(ForeignKey("part.number"))
    condition: Mapped[str]
    genuine: Mapped[bool]
    layer: Mapped[int | None] = mapped_column(ForeignKey("stock_layer.id"))
    lot: Mapped[str | None]
    serial: Mapped[str | None]
    quantity: Mapped[int]
    value_minor: Mapped[int]
    currency: Mapped[str]
    place: Mapped[str | None] = mapped_column(ForeignKey("place.code"))
    delta: Mapped[int | None]
    ledger_number: Mapped[int | None]
    balance_after: Mapped[int | None]
    reference: Mapped[str | None]
    reservation: Mapped[str | None] = mapped_column(ForeignKey("reservation.id"))
    corrects: Mapped[str | None] = mapped_column(ForeignKey("stock_movement.id"))
    note: Mapped[str | None]
    moved_by: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class StockTransfer(Base):
    """Pieces on their way from one place to another."""

    __tablename__ = "stock_transfer"

    id: Mapped[str] = mapped_column(primary_key=True)
    from_place: Mapped[str] = mapped_column(ForeignKey("place.code"))
    to_place: Mapped[str] = mapped_column(ForeignKey("place.code"))
    state: Mapped[str]
    note: Mapped[str | None]
    shipped_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default="1")


class StockTransferLine(Base):
    """The pieces of one layer in a transfer: received + written off + still in transit = shipped (IS13)."""

    __tablename__ = "stock_transfer_line"

    transfer: Mapped[str] = mapped_column(ForeignKey("stock_transfer.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    piece: Mapped[int] = mapped_column(primary_key=True)
    layer: Mapped[int] = mapped_column(ForeignKey("stock_layer.id"))
    quantity: Mapped[int]
    value_minor: Mapped[int]
    received: Mapped[int] = mapped_column(server_default="0")
    received_minor: Mapped[int] = mapped_column(server_default="0")
    written_off: Mapped[int] = mapped_column(server_default="0")
    written_off_minor: Mapped[int] = mapped_column(server_default="0")


class StockLoan(Base):
    """A piece lent to a customer while their own is away (C7); tracked until it is back."""

    __tablename__ = "stock_loan"

    id: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str | None]
    customer: Mapped[str] = mapped_column(ForeignKey("customer.code"))
    place: Mapped[str] = mapped_column(ForeignKey("place.code"))
    layer: Mapped[int] = mapped_column(ForeignKey("stock_layer.id"))
    value_minor: Mapped[int]
    movement: Mapped[str] = mapped_column(ForeignKey("stock_movement.id"))
    lent_at: Mapped[datetime]
    back_at: Mapped[datetime | None]
    back_place: Mapped[str | None] = mapped_column(ForeignKey("place.code"))
    back_condition: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")
