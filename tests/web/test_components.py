"""How spans and instants are written, and where things lie on a timeline: the small decisions of the pages."""

from datetime import UTC, datetime, timedelta

import pytest

from app.web.assets import address_of, by_address
from app.web.lanes import Stretch, worst_of
from app.web.render import Words
from app.web.sessions import signature, signed, unsigned
from app.web.sign_in import own_path
from app.web.words import clock_time, span

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0:00", "0:00"),
        (59, "0:00", "0:00"),
        (360, "0:06", "0:06"),
        (-540, "0:09", "0:09"),
        (4320, "1:12", "1:12"),
        (172_799, "47:59", "47:59"),
        (172_800, "2 d 0 h", "2天0小时"),
        (270_000, "3 d 3 h", "3天3小时"),
    ],
)
def test_spans_are_hours_and_minutes(seconds, english, chinese):
    assert (span(seconds, Words("en")), span(seconds, Words("zh-CN"))) == (english, chinese)


@pytest.mark.parametrize(
    ("minutes", "zone", "said"),
    [
        (10, "Asia/Shanghai", "23:40"),
        (30, "Asia/Shanghai", "tomorrow 00:00"),
        (30, "Asia/Urumqi", "22:00"),
        (60 * 30, "Asia/Shanghai", "11-24 05:30"),
        (-60 * 24, "Asia/Shanghai", "11-21 23:30"),
    ],
)
def test_instants_are_told_on_the_sites_wall_clock(minutes, zone, said):
    assert clock_time(NOW + timedelta(minutes=minutes), zone, NOW, Words("en")) == said


@pytest.mark.parametrize(("minutes", "x"), [(-30, 0.0), (0, 0.0), (30, 25.0), (120, 100.0), (500, 100.0)])
def test_a_timeline_places_instants_in_percent(minutes, x):
    assert Stretch(NOW, NOW + timedelta(hours=2)).x(NOW + timedelta(minutes=minutes)) == x


def test_the_worst_standing_speaks_for_a_site():
    assert [worst_of(iter(each)) for each in (["ok", "late", "risk"], ["paused", "ok"], ["paused"], [])] == [
        "late",
        "ok",
        "paused",
        "ok",
    ]


def test_a_cookie_is_read_only_with_the_secret_that_wrote_it():
    cookie = signed(b"secret", "abc")
    assert (unsigned(b"secret", cookie), unsigned(b"other", cookie)) == ("abc", None)
    assert unsigned(b"secret", "abc." + signature(b"secret", "form", "abc")) is None
    assert unsigned(b"secret", "密钥.密钥") is None


@pytest.mark.parametrize(
    ("path", "own"),
    [("/", True), ("/board?area=X", True), ("//x.example", False), ("/\\x", False), ("x", False), ("/a\nb", False)],
)
def test_only_paths_of_this_site_are_gone_back_to(path, own):
    assert own_path(path) is own


def test_a_files_address_names_its_content():
    asset = by_address()[address_of("lib/leaflet.js")]
    assert asset.address.startswith("/static/lib/leaflet.")
    assert b"Leaflet" in asset.content[:300]
