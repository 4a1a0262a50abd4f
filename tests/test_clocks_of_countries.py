"""Which clock people go by: a country's, where it has one; else the one they say."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from babel import Locale

from storage.database import Database
from storage.people.areas import BadTimezone
from storage.people.hours import NoTimeLeft, check_quiet_hours, quiet_spans, set_zone
from storage.people.places import find_place
from storage.people.zones import guess_zone, zone_of_country, zones_of, zones_to_choose
from tests.county import make_area, make_person

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COUNTRIES = [code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code)]
NO_COUNTRY = {
    "EU",
    "EZ",
    "UN",
    "QO",
    "XA",
    "XB",
    "XK",
    "ZZ",
    "AC",
    "CP",
    "CQ",
    "DG",
    "EA",
    "IC",
    "TA",
}


def test_every_country_has_a_clock() -> None:
    without = {code for code in COUNTRIES if not zones_of(code)} - NO_COUNTRY
    assert without <= {"BV", "HM"}  # nobody lives there
    for code in COUNTRIES:
        assert set(zones_of(code)) <= available_timezones()


def test_the_clocks_of_a_country_differ() -> None:
    for code in COUNTRIES:
        shown = {
            tuple(
                (NOW + timedelta(days=30 * month)).astimezone(ZoneInfo(zone)).utcoffset()
                for month in range(24)
            )
            for zone in zones_of(code, NOW)
        }
        # Two may be told apart by days only.
        assert len(shown) >= len(zones_of(code, NOW)) - 1


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("CN", "Asia/Shanghai"),
        ("NO", "Europe/Oslo"),
        ("AR", "America/Argentina/Buenos_Aires"),
        ("US", None),
        ("RU", None),
        ("AU", None),
        ("ID", None),
        ("BR", None),
        ("CD", None),
        ("XX", None),
    ],
)
def test_one_clock_or_several(country: str, zone: str | None) -> None:
    assert zone_of_country(country) == zone


def test_most_people_come_first() -> None:
    assert zones_of("US")[0] == "America/New_York"
    assert zones_of("RU")[0] == "Europe/Moscow"
    assert zones_of("ID") == ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
    assert guess_zone("RU", "Asia/Shanghai") == "Europe/Moscow"
    assert guess_zone("RU", "Asia/Omsk") == "Asia/Omsk"
    assert guess_zone("XX", "Asia/Omsk") is None
    assert zones_to_choose("RU") == zones_of("RU")
    assert len(zones_to_choose("CN")) > 10  # of the world: who says it is another must mean it


def test_a_city_settles_what_its_country_does_not() -> None:
    for said, zone in (
        ("美国", None),
        ("New York", "America/New_York"),
        ("俄罗斯", None),
        ("印度尼西亚", None),
        ("雅加达", "Asia/Jakarta"),
        ("挪威", "Europe/Oslo"),
        ("阿根廷", "America/Argentina/Buenos_Aires"),
    ):
        place = find_place(said)
        assert place is not None, said
        assert place.timezone == zone, said


async def test_a_zone_that_does_not_exist_is_refused(db: Database) -> None:
    async with db.write() as tx:
        fang = await make_person(tx, "Fang", NOW, area=await make_area(tx, "elm", NOW))
        for bad in ("Mars/Phobos", "", "asia/shanghai", "+08:00"):
            with pytest.raises(BadTimezone, match="is not a time zone; give one like"):
                await set_zone(tx, fang, bad)


@pytest.mark.parametrize(("start", "end"), [(8, 21), (0, 23), (7, 22)])
def test_quiet_hours_that_leave_nothing_of_the_day_are_refused(start: int, end: int) -> None:
    with pytest.raises(NoTimeLeft):
        check_quiet_hours(start, end)


@pytest.mark.parametrize(("start", "end"), [(21, 8), (8, 20), (9, 21), (21, 20), (22, 7)])
def test_an_hour_of_the_day_is_enough(start: int, end: int) -> None:
    check_quiet_hours(start, end)


@pytest.mark.parametrize(
    ("start", "end", "spans"),
    [
        (21, 8, [(21, 8)]),
        (22, 7, [(21, 8)]),
        (20, 9, [(20, 9)]),
        (8, 10, [(21, 10)]),
        (19, 21, [(19, 8)]),
        (12, 14, [(21, 8), (12, 14)]),
        (5, 7, [(21, 8)]),
    ],
)
def test_quiet_hours_lengthen_the_night(start: int, end: int, spans: list[tuple[int, int]]) -> None:
    assert quiet_spans(start, end) == spans
