"""A list with a column of every kind, for the page of components. Its rows are made up."""

from app.web.tables.listing import Column, Filter, Listing

STATES = {"fitted": "fitted, to confirm", "picked": "picked", "lost": "lost"}
ROWS = """(VALUES
    (1, 'R-4711', '电源 12V 5A', 'PSU-12V-5A', 'fitted', DATE '2026-11-20', TIMESTAMPTZ '2026-11-20 06:05:00+00', 2, 27490),
    (2, 'R-4712', '风扇', 'FAN-80', 'picked', DATE '2026-11-21', TIMESTAMPTZ '2026-11-21 01:40:00+00', 1, 3850),
    (3, 'R-4713', '硬盘 4 TB', 'HDD-4T', 'lost', NULL, NULL, 4, 248000)
) AS t (n, request, name, part, state, day, at, pieces, minor)"""

SAMPLE = Listing(
    page="/components",
    title="List",
    source=ROWS,
    where="true",
    id="t.n",
    id_type=int,
    order="request",
    empty="Nothing is open. A part request, from an engineer or a ticket, shows here the moment it is accepted.",
    facts={"currency": "CAST('CNY' AS text)", "zone": "CAST('Asia/Shanghai' AS text)"},
    columns=(
        Column(
            key="request", label="Request", sql="t.request", kind="link", href="/requests/{request}", nullable=False
        ),
        Column(key="name", label="Name", sql="t.name"),
        Column(key="part", label="Part", sql="t.part", kind="code"),
        Column(
            key="state",
            label="State",
            sql="t.state",
            kind="state",
            words=STATES,
            standing={"fitted": "ok", "picked": "risk", "lost": "late"},
        ),
        Column(key="day", label="Day", sql="t.day", kind="date"),
        Column(key="at", label="Time", sql="t.at", kind="instant"),
        Column(key="pieces", label="Quantity", sql="CAST(t.pieces AS bigint)", kind="quantity", sums=True),
        Column(key="price", label="Amount", sql="CAST(t.minor AS bigint)", kind="money", sums=True),
    ),
    filters=(
        Filter(key="search", label="Number or name", kind="search", sql="t.request || ' ' || t.name"),
        Filter(key="state", label="State", kind="choice", sql="t.state", words=STATES),
        Filter(key="day", label="Day", kind="dates", sql="t.day"),
    ),
)
