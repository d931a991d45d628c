"""The verbs that set the network up; each runs in the transaction its door opened and announces what it did."""

from app.network.service.catalog import add_calendar, add_model, add_part, add_substitution
from app.network.service.changes import (
    change_area,
    change_courier,
    change_customer,
    change_lane,
    change_model,
    change_part,
    change_place,
    change_site,
)
from app.network.service.contracts import (
    add_contract,
    add_customer,
    add_site,
    amend_contract,
    set_accepted,
    set_assortment,
)
from app.network.service.places import add_area, add_courier, add_lane, add_place

__all__ = [
    "add_area",
    "add_calendar",
    "add_contract",
    "add_courier",
    "add_customer",
    "add_lane",
    "add_model",
    "add_part",
    "add_place",
    "add_site",
    "add_substitution",
    "amend_contract",
    "change_area",
    "change_courier",
    "change_customer",
    "change_lane",
    "change_model",
    "change_part",
    "change_place",
    "change_site",
    "set_accepted",
    "set_assortment",
]
