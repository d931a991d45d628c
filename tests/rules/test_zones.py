"""Time zones as people call them, in both languages; what is no zone stays as it is."""

import pytest

from app.core.i18n import text, zone_words


@pytest.mark.parametrize(
    ("zone", "english", "chinese"),
    [
        ("Asia/Shanghai", "China Time (UTC+8)", "中国时间（UTC+8）"),
        ("Asia/Kolkata", "India Time (UTC+5:30)", "印度时间（UTC+5:30）"),
        ("America/Bogota", "Colombia Time (UTC-5)", "哥伦比亚时间（UTC-5）"),
        ("Europe/Berlin", "Central European Time", "中欧时间"),
        ("UTC", "UTC", "UTC"),
        ("Mars/Olympus", "Mars/Olympus", "Mars/Olympus"),
    ],
)
def test_a_zone_is_named_with_its_distance_unless_summer_changes_it(zone, english, chinese):
    assert (zone_words(zone, "en"), zone_words(zone, "zh-CN")) == (english, chinese)


def test_sentences_tell_zones_in_words():
    assert text("times in {zones}", {"zones": ["Asia/Shanghai", "UTC"]}, "en") == "times in China Time (UTC+8), UTC"
    assert text("Times in {zone}.", {"zone": "Asia/Shanghai"}, "zh-CN").count("中国时间（UTC+8）") == 1
