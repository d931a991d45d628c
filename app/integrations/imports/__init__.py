"""Importers: files of the customers' own become the same calls that the API makes. An edge: it opens transactions."""

from app.integrations.imports.devices import DEVICES
from app.integrations.imports.load import Bad, Kind, Outcome, Work, import_table, load
from app.integrations.imports.network import NETWORK
from app.integrations.imports.receipts import RECEIPTS
from app.integrations.imports.table import ENCODINGS, Table, read_file, read_table

KINDS = {kind.name: kind for kind in (*NETWORK, *DEVICES, *RECEIPTS)}
"""Every kind of import by name, in the order in which a whole network is loaded."""

__all__ = [
    "ENCODINGS",
    "KINDS",
    "Bad",
    "Kind",
    "Outcome",
    "Table",
    "Work",
    "import_table",
    "load",
    "read_file",
    "read_table",
]
