"""Lists: one declarative way to show any table of rows, filtered, sorted, paged, saved, printed, exported and added up.

An author declares a `Listing` once, at the top of a module of his audience, and writes two doors::

    CHARGES = Listing(
        page="/finance/charges", title="Charges and credits", order="-made_at", id="c.id",
        source="charge c LEFT JOIN part_request r ON r.id = c.request LEFT JOIN site s ON s.code = r.site",
        where="(CAST(:scope_customers AS text[]) IS NULL OR c.customer = ANY(CAST(:scope_customers AS text[])))",
        facts={"currency": "c.currency", "zone": "s.timezone"},
        columns=(
            Column(key="number", label="Number", sql="c.id", kind="code", href="/finance/charges/{number}", nullable=False),
            Column(key="made_at", label="Made", sql="c.made_at", kind="instant", nullable=False),
            Column(key="gross", label="Amount", sql="c.gross_minor", kind="money", sums=True, nullable=False),
        ),
        filters=(Filter(key="customer", label="Customer", kind="search", sql="c.customer"),),
        empty="Nothing was charged yet. A charge is made when pieces that a customer pays for are picked.",
    )

    @get("/finance/charges", opt=signed_in(ADMIN, FINANCE), include_in_schema=False)
    async def show_charges(request, who):
        return await table_page(request, who, CHARGES, "finance/charges.html")

    @get(["/finance/charges.csv", "/finance/charges.xlsx"], opt=signed_in(ADMIN, FINANCE), include_in_schema=False)
    async def export_charges(request, who):
        return await exported(request, who, CHARGES)

and in the template ``{% from "table.html" import table_bar, table with context %}{{ table_bar(table_view) }}``. What the
address says is the list's whole state: each filter by its key (`_from` and `_to` for days), `sort`, `cols`, `size`,
`after`. Scope binds come from the actor; values are bound, never written into a statement; pages go by keyset. The
tests that hold of every list ask for a module that names it `Listing` at its top (`tests/web/test_tables.py`); the
first `search` filter stands open beside the list, the others in a menu. `page` may have a list within a page that shows
more: `shown` gives the view alone.
"""

from app.web.tables.doors import exported, shown, table_page
from app.web.tables.listing import Column, Filter, Listing
from app.web.tables.shown import TableView

__all__ = ["Column", "Filter", "Listing", "TableView", "exported", "shown", "table_page"]
