"""T152: coordinates that cannot be right are doubted, never refused: somebody may know better."""

import pytest

from app.network.rules.boxes import doubt_of


@pytest.mark.parametrize(
    ("latitude", "longitude", "zone", "doubt"),
    [
        (38.4872, 106.2309, "Asia/Shanghai", None),
        (43.8, 87.6, "Asia/Urumqi", None),
        (0, 0, "Asia/Shanghai", "zero"),
        (0, 0, "Europe/Berlin", "zero"),
        (52.5, 13.4, "Asia/Shanghai", "outside"),
        (76.0, 40.0, "Asia/Shanghai", "swapped"),
        (-38.4, 106.2, "Asia/Shanghai", "outside"),
        (52.5, 13.4, "Europe/Berlin", None),
        (35.7, 139.7, "Asia/Tokyo", None),
        (22.3, 114.2, "Asia/Hong_Kong", None),
    ],
)
def test_T152_a_pair_is_held_against_the_country_of_its_zone(latitude, longitude, zone, doubt):
    assert doubt_of(latitude, longitude, zone) == doubt
