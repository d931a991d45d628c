"""The administrator's words: what each role sees, may do and must not, kinds of places, states. English is the message id."""

from collections.abc import Mapping

from app.fulfillment.rules.clocks import Priority
from app.web.views import Standing

SEES: Mapping[str, str] = {
    "admin": "Everything within the scope below, costs included.",
    "dispatcher": "Requests, plans, couriers and stock of the areas below, and the customer's prices.",
    "warehouse": "Stock, holds, serials and picks of the places below, and where each pick goes. No prices.",
    "engineer": "Own requests, the devices of the customers below, their warranty, what is free and when it comes.",
    "finance": "Charges, credits, verdicts, what stock is worth and every report of the customers below.",
    "integration": "What it created itself, and what belongs to the customers below.",
}
MAY: Mapping[str, str] = {
    "admin": "Set everything up, change people, keys, calendars and contracts, and do everyone's daily work.",
    "dispatcher": "Plan, pin, take parts from elsewhere, approve holds, escalate.",
    "warehouse": "Receive, pick, hand over, count, transfer, take back, report damage.",
    "engineer": "Ask for parts, cancel own requests, confirm what was fitted, send back, add notes and photos.",
    "finance": "Approve, waive up to the limit, credit, close a month.",
    "integration": "Create, read and cancel requests, ask whether a serial is covered, receive events.",
}
MUST_NOT: Mapping[str, str] = {
    "admin": "Edit or delete the stock ledger, charges or the audit trail, read secrets back, approve alone what needs two.",
    "dispatcher": "See what parts cost us, correct stock, change people.",
    "warehouse": "See prices or charges, change a warranty, work in other warehouses, rewrite history.",
    "engineer": "See costs, other engineers' requests or other customers.",
    "finance": "Move stock, change devices or verdicts, change people or keys, approve an entry of its own.",
    "integration": "Open pages, see others' objects or costs, manage keys.",
}
ACCOUNT: Mapping[str, str] = {
    "in": "may sign in",
    "once": "one-time password, not changed yet",
    "none": "no password yet",
    "out": "locked out",
}
ACCOUNT_STANDING: Mapping[str, Standing] = {"in": "ok", "once": "risk", "none": "risk", "out": "paused"}
KEY: Mapping[str, str] = {"works": "works", "soon": "ends soon", "expired": "has expired", "revoked": "revoked"}
KEY_STANDING: Mapping[str, Standing] = {"works": "ok", "soon": "risk", "expired": "paused", "revoked": "paused"}
PLACE: Mapping[str, str] = {
    "own": "own warehouse",
    "branch": "branch",
    "partner": "partner",
    "supplier": "supplier",
    "van": "van",
}
STOCK: Mapping[str, str] = {"ours": "ours", "reported": "reported by the place"}
COURIER: Mapping[str, str] = {"courier": "drives", "engineer": "drives and fits"}
TRACKING: Mapping[str, str] = {"none": "by number of pieces", "lot": "by lot", "serial": "piece by piece, by serial"}
SUBSTITUTION: Mapping[str, str] = {"supersedes": "replaces it, one way", "equivalent": "equal, both ways"}
DOUBT: Mapping[str, str] = {
    "zero": "These coordinates are in the sea off Africa: 0, 0 is what is left when nothing was typed.",
    "swapped": "These coordinates lie outside the country of the time zone. Latitude and longitude look swapped.",
    "outside": "These coordinates lie outside the country of the time zone. Check them before couriers are sent there.",
}
WEEKDAY: Mapping[str, str] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
SHORT_DAY: Mapping[str, str] = {
    "mon": "Mon",
    "tue": "Tue",
    "wed": "Wed",
    "thu": "Thu",
    "fri": "Fri",
    "sat": "Sat",
    "sun": "Sun",
}
PAYER: Mapping[str, str] = {
    "oem": "the manufacturer, free of charge",
    "oem_service": "the manufacturer, service bought by us",
    "vendor": "we ourselves",
}
IMPORT: Mapping[str, str] = {
    "places": "Places",
    "areas": "Areas and their sources",
    "couriers": "Couriers",
    "customers": "Customers",
    "contracts": "Contracts",
    "sites": "Sites",
    "parts": "Parts",
    "models": "Models",
    "substitutions": "Substitutions",
    "lanes": "Carrier lanes",
    "calendars": "Calendars",
    "devices": "Devices",
    "device_events": "What happened to devices",
    "purchases": "Purchases",
    "stock_levels": "Stock levels",
    "receipts": "Stock received",
}
RUN: Mapping[str, str] = {
    "checking": "being checked",
    "checked": "checked, not loaded",
    "loading": "being loaded",
    "loaded": "loaded",
    "refused": "the file is refused",
}
RUN_STANDING: Mapping[str, Standing] = {
    "checking": "risk",
    "checked": "risk",
    "loading": "risk",
    "loaded": "ok",
    "refused": "late",
}
PRIORITY_ORDER: tuple[Priority, ...] = ("emergency", "severe", "general")
CLOCK_LABEL: Mapping[str, str] = {
    "answer_minutes": "answer",
    "depart_minutes": "departure",
    "on_site_minutes": "arrival",
    "done_minutes": "running again",
    "done_after_arrival_minutes": "running, after arrival",
}

SWITCH: Mapping[str, str] = {"active": "connected", "disabled": "switched off"}
SWITCH_STANDING: Mapping[str, Standing] = {"active": "ok", "disabled": "paused"}
OUTCOME: Mapping[str, str] = {"new": "waits", "done": "acted on", "ignored": "ignored", "failed": "failed"}
CAME_OF: Mapping[str, str] = {
    "requested": "a part was asked for",
    "drafted": "waits for what is missing",
    "raised": "priority raised",
    "lower_noted": "a lower priority was noted",
    "canceled": "request canceled",
    "return_asked": "asked to come back unused",
    "closed_noted": "closed there; the part is still on its way",
    "superseded": "overtaken by a newer one",
    "gave_up": "given up after many tries",
    "later": "tried again later",
    "ticket_closed": "the ticket is closed",
    "ticket_canceled": "the ticket is canceled",
    "with_a_person": "with a person already",
    "request_ended": "its request has ended",
    "canceled_already": "was canceled already",
    "closed_already": "was noted as closed already",
    "unchanged": "nothing new in it",
}
OUTCOME_STANDING: Mapping[str, Standing] = {"new": "paused", "done": "ok", "ignored": "paused", "failed": "late"}
