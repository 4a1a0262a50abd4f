"""Countries and the clocks in them: where a country does not settle the time zone.

Zones of a country that show the same time for the next two years are one, called by a city people
know. China is one, as its law has it.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

_KNOWN: Final = (
    "Asia/Shanghai",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Toronto",
    "America/Sao_Paulo",
    "America/Manaus",
    "America/Rio_Branco",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Europe/Kyiv",
    "Europe/Moscow",
)
"""First in their countries, and the names of their clocks; else the tz database's order holds."""
_HARDLY_ANYONE: Final = frozenset(
    {
        "America/Adak",
        "America/Atikokan",
        "America/Blanc-Sablon",
        "America/Creston",
        "America/Danmarkshavn",
        "Asia/Urumqi",
        "Australia/Eucla",
        "Pacific/Midway",
    }
)
_ELSEWHERE: Final = (
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Asia/Bangkok",
    "Asia/Dhaka",
    "Asia/Kolkata",
    "Asia/Tashkent",
    "Asia/Dubai",
    "Europe/Moscow",
    "Europe/Madrid",
    "Europe/London",
    "Africa/Lagos",
    "Africa/Johannesburg",
    "Africa/Nairobi",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "Australia/Sydney",
    "Pacific/Auckland",
)
_STEPS: Final = [timedelta(days=15 * step) for step in range(48)]


def zones_of(country: str, now: datetime | None = None) -> tuple[str, ...]:
    """The clocks of a country (ISO 3166, two letters): one zone each, the one of most people first.

    Empty for what is no country.
    """
    day = (now or datetime.now(UTC)).date()
    return _zones_of(country, datetime(day.year, day.month, 1, tzinfo=UTC))


@cache
def _zones_of(country: str, since: datetime) -> tuple[str, ...]:
    names = _table().get(country, ())
    clocks: dict[tuple[timedelta | None, ...], str] = {}
    for name in sorted(names, key=lambda name: (_place_in(name), names.index(name))):
        zone = ZoneInfo(name)
        shown = tuple((since + step).astimezone(zone).utcoffset() for step in _STEPS)
        clocks.setdefault(shown, name)
    return tuple(clocks.values())


def _place_in(name: str) -> int:
    return _KNOWN.index(name) if name in _KNOWN else len(_KNOWN)


@cache
def _table() -> dict[str, tuple[str, ...]]:
    """The tz database's own list of countries and their zones."""
    text = resources.files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    there = available_timezones() - _HARDLY_ANYONE
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            if name in there:
                found[country] = (*found.get(country, ()), name)
    return found


def zone_of_country(country: str) -> str | None:
    """The zone of a country with one clock; ``None`` where there are several, or is no country."""
    zones = zones_of(country)
    return zones[0] if len(zones) == 1 else None


def country_of_zone(timezone: str) -> str | None:
    """The one country (ISO 3166) whose zone it is; ``None`` where that is none, or several."""
    found = [country for country, names in _table().items() if timezone in names]
    return found[0] if len(found) == 1 else None


def zones_to_choose(country: str | None) -> tuple[str, ...]:
    """What somebody is offered who is asked for their clock: the country's, or the world's."""
    zones = zones_of(country) if country else ()
    return zones if len(zones) > 1 else _ELSEWHERE


def guess_zone(country: str, timezone: str | None) -> str | None:
    """The zone to go by until an unclear place is cleared up: the present one if it is used there.

    Else that of most people there; ``None`` for what is no country.
    """
    zones = zones_of(country)
    if timezone in zones or timezone in _table().get(country, ()):
        return timezone
    return zones[0] if zones else None
