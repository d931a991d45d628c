"""Questions to stock: offers, holds, lists, and the checks of its invariants."""

from app.stock.queries.bins import NoSuchBin, bin_for, bins, purchases
from app.stock.queries.faults import faults
from app.stock.queries.holds import Reserved, holds_at, reservations, reservations_by_id
from app.stock.queries.levels import Level, level_for, levels
from app.stock.queries.lists import NoSuchLoan, NoSuchTransfer, loan, loans, movements, stock, transfer, transfers
from app.stock.queries.lookups import LatestCost, NoSuchPlace, NoSuchReceipt, latest_costs, place_for
from app.stock.queries.offers import Offer, OfferLayer, Slice, offers

__all__ = [
    "LatestCost",
    "Level",
    "NoSuchBin",
    "NoSuchLoan",
    "NoSuchPlace",
    "NoSuchReceipt",
    "NoSuchTransfer",
    "Offer",
    "OfferLayer",
    "Reserved",
    "Slice",
    "bin_for",
    "bins",
    "faults",
    "holds_at",
    "latest_costs",
    "level_for",
    "levels",
    "loan",
    "loans",
    "movements",
    "offers",
    "place_for",
    "purchases",
    "reservations",
    "reservations_by_id",
    "stock",
    "transfer",
    "transfers",
]
