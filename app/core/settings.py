"""Every setting of the service, read once from the environment into one frozen object."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from app.core.egress import UrlRefused, egress_to, read_allowed
from app.core.money import exponent, rounded


class BadSetting(Exception):
    """A setting is missing, misspelt or not understood; the message names it and says what it takes."""


def setting(name: str, default: str, words: str) -> str:
    """A dataclass field that knows its environment variable and its documentation."""
    return field(default=default, metadata={"name": name, "words": words})


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings; each field's metadata holds its environment variable and what it means."""

    database_url: str = setting("DATABASE_URL", "", "A PostgreSQL 18 server; empty starts the embedded one in DATA_DIR")
    data_dir: str = setting("DATA_DIR", "var", "Where the embedded database and other files live")
    host: str = setting("HOST", "127.0.0.1", "The address to listen on")
    port: str = setting("PORT", "8000", "The port to listen on")
    pg_bin: str = setting("PG_BIN", "", "A folder with PostgreSQL's programs; empty takes the installed package's")
    pool_size: str = setting("SPARELANE_POOL_SIZE", "16", "Database connections per process")
    log_level: str = setting("SPARELANE_LOG_LEVEL", "info", "debug, info, warning or error")
    trusted_proxies: str = setting(
        "SPARELANE_TRUSTED_PROXIES", "", "Comma-separated addresses whose X-Forwarded-For is believed"
    )
    plain_http: str = setting(
        "SPARELANE_PLAIN_HTTP",
        "refuse",
        "refuse or allow: whether people may sign in without TLS from other machines than this one",
    )
    worker: str = setting(
        "SPARELANE_WORKER", "inside", "inside runs the duties in the server's process, apart leaves them out"
    )
    plan_seconds: str = setting("SPARELANE_PLAN_SECONDS", "2", "Wall-clock limit of one courier plan, in seconds")
    key_rate: str = setting(
        "SPARELANE_KEY_RATE", "10", "Calls a second of one integration key in one process; five seconds' worth at once"
    )
    key_holds: str = setting(
        "SPARELANE_KEY_HOLDS",
        "500",
        "Pieces that one integration key, or one connection, may hold at once in requests that are not picked yet",
    )
    travel: str = setting(
        "SPARELANE_TRAVEL",
        "straight",
        "Travel times: straight, osrm:URL, valhalla:URL or roads:FILE (an OpenStreetMap extract)",
    )
    currency: str = setting("SPARELANE_CURRENCY", "CNY", "The company's own currency, in which costs are kept")
    miss_value: str = setting(
        "SPARELANE_MISS_VALUE",
        "600,300,150",
        "What a missed 2-hour promise is worth, in that currency: for an emergency, a severe and a general request",
    )
    depletion: str = setting(
        "SPARELANE_DEPLETION",
        "1",
        "How far the price of a shelf's last pieces counts when a source is chosen: 0 not at all, 1 in full",
    )
    call_off_minutes: str = setting(
        "SPARELANE_CALL_OFF_MINUTES",
        "10,20,60",
        "How long a partner has to confirm reported stock: for an emergency, a severe and a general request",
    )
    company: str = setting(
        "SPARELANE_COMPANY",
        "Sparelane",
        "The company on papers: its name, then its address and telephone, parted by semicolons",
    )
    egress_allow: str = setting(
        "SPARELANE_EGRESS_ALLOW",
        "",
        "Comma-separated hosts and networks inside the company that webhooks and connections may call, also by plain HTTP",
    )
    public_url: str = setting(
        "SPARELANE_PUBLIC_URL",
        "",
        "Where people reach this installation, as in https://parts.example.com; for links in tickets",
    )

    @property
    def data(self) -> Path:
        return Path(self.data_dir).resolve()

    @property
    def house(self) -> dict[str, str]:
        """What statements read as `current_setting('sparelane.…')`: settings that every choice rests on, whichever door
        leads to it."""
        worth = [Decimal(one) * Decimal(self.depletion) for one in self.miss_value.split(",")]
        minor = [rounded(one.scaleb(exponent(self.currency))) for one in worth]
        return {
            "sparelane.miss_minor": ",".join(map(str, minor)),
            "sparelane.call_off_minutes": self.call_off_minutes,
            "sparelane.key_holds": self.key_holds,
        }


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. An unknown `SPARELANE_…` or a bad value is refused by name (BadSetting)."""
    given = os.environ if environment is None else environment
    known = {one.metadata["name"]: one.name for one in fields(Settings)}
    strangers = sorted(name for name in given if name.startswith("SPARELANE_") and name not in known)
    if strangers:
        raise BadSetting(f"{strangers[0]} is no setting of Sparelane; the README lists them")
    settings = Settings(**{attribute: given[name] for name, attribute in known.items() if given.get(name)})
    for name in ("port", "pool_size", "plan_seconds", "key_rate", "key_holds"):
        value = getattr(settings, name)
        if not value.isdecimal() or not 0 < int(value) < 65536:
            raise BadSetting(f"{_variable(name)} must be a whole number above 0, not {value!r}")
    if settings.log_level not in ("debug", "info", "warning", "error"):
        raise BadSetting(f"SPARELANE_LOG_LEVEL must be debug, info, warning or error, not {settings.log_level!r}")
    if settings.plain_http not in ("refuse", "allow"):
        raise BadSetting(f"SPARELANE_PLAIN_HTTP must be refuse or allow, not {settings.plain_http!r}")
    if settings.worker not in ("inside", "apart"):
        raise BadSetting(f"SPARELANE_WORKER must be inside or apart, not {settings.worker!r}")
    _check_travel(settings.travel)
    _check_house(settings)
    try:
        read_allowed(settings.egress_allow)
    except ValueError as wrong:
        raise BadSetting(f"SPARELANE_EGRESS_ALLOW: {wrong}") from wrong
    if settings.public_url and not settings.public_url.startswith(("http://", "https://")):
        raise BadSetting("SPARELANE_PUBLIC_URL must start with https:// or http://")
    if settings.database_url and not settings.database_url.startswith(("postgresql://", "postgres://")):
        raise BadSetting("DATABASE_URL must start with postgresql://; Sparelane runs on PostgreSQL alone")
    return settings


def _check_house(settings: Settings) -> None:
    """Amounts, a factor and minutes in plain decimals: statements take them as they are."""
    worth = settings.miss_value.split(",")
    if len(worth) != 3 or not all(re.fullmatch(r"\d{1,9}(\.\d{1,3})?", one) for one in worth):
        raise BadSetting("SPARELANE_MISS_VALUE must be three amounts, as in 600,300,150")
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", settings.depletion):
        raise BadSetting(f"SPARELANE_DEPLETION must be a number as in 0, 0.5 or 1, not {settings.depletion!r}")
    minutes = settings.call_off_minutes.split(",")
    if len(minutes) != 3 or not all(re.fullmatch(r"[1-9]\d{0,4}", one) for one in minutes):
        raise BadSetting("SPARELANE_CALL_OFF_MINUTES must be three numbers of minutes, as in 10,20,60")


def _check_travel(value: str) -> None:
    """A server's address is the operator's word; still it must be plain HTTP(S), without a user in it (T142)."""
    kind, _, where = value.partition(":")
    if kind == "straight" and not where and value == kind:
        return
    if kind == "roads" and where:
        if not Path(where).is_file():
            raise BadSetting(f"SPARELANE_TRAVEL names {where}, which is no file")
        return
    if kind in ("osrm", "valhalla") and where:
        try:
            egress_to(where)
            parts = urlsplit(where)
            plain = "@" not in parts.netloc and not parts.query and not parts.fragment
        except UrlRefused as no:
            if no.facts["why"] == "address":
                raise BadSetting(
                    "SPARELANE_TRAVEL names an address where clouds keep credentials; it is never called"
                ) from no
            plain = False
        if plain:
            return
        raise BadSetting(f"SPARELANE_TRAVEL must be {kind}:http://HOST:PORT, without a user or a question in it")
    raise BadSetting("SPARELANE_TRAVEL must be straight, osrm:URL, valhalla:URL or roads:FILE")


def _variable(attribute: str) -> str:
    return next(str(one.metadata["name"]) for one in fields(Settings) if one.name == attribute)
