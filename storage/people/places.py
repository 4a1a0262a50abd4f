"""Coarse places: countries, provinces and cities people work in, with their time zones.

A shared location becomes the nearest city here and is forgotten; finer is never kept.
"""

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from babel import Locale

from storage.people.zones import zone_of_country

_NEAR_KM: Final = 150.0
_LANGUAGES: Final = ("zh", "en")
_SUFFIXES: Final = ("特别行政区", "自治区", "地区", "省", "市", "县", "区")


@dataclass(frozen=True, slots=True)
class Place:
    """What is kept of where someone is. ``province`` and ``city`` are gazetteer codes.

    ``timezone`` is ``None`` where the place does not settle it, as in a country with several.
    """

    country: str
    province: str | None = None
    city: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class _City:
    place: Place
    names: dict[str, str]
    province_names: dict[str, str]
    latitude: float
    longitude: float


@cache
def _cities() -> dict[str, _City]:
    text = resources.files(__package__).joinpath("places.csv").read_text(encoding="utf-8")
    return {
        row["code"]: _City(
            Place(row["country"], row["province"] or None, row["code"], row["timezone"]),
            {"zh": row["zh"], "en": row["en"]},
            {"zh": row["province_zh"], "en": row["province"]},
            float(row["lat"]),
            float(row["lon"]),
        )
        for row in csv.DictReader(text.splitlines())
    }


@cache
def _by_name() -> dict[str, Place]:
    found: dict[str, Place] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                found[_plain(name)] = Place(code, timezone=zone_of_country(code))
    for name, code in (("usa", "US"), ("uk", "GB"), ("uae", "AE"), ("阿联酋", "AE")):
        found[name] = found[_plain(Locale("en").territories[code])]
    for city in _cities().values():
        place = city.place
        if place.province:
            province = Place(place.country, place.province, timezone=place.timezone)
            for name in city.province_names.values():
                found[_plain(name)] = province
    for city in _cities().values():
        for name in city.names.values():
            found[_plain(name)] = city.place
    return found


def _plain(name: str) -> str:
    """A name as it is compared: case, spaces and the words for city and province do not count."""
    plain = "".join(name.casefold().split()).replace("'", "").replace("’", "")
    for suffix in _SUFFIXES:
        if plain.endswith(suffix) and len(plain) > len(suffix) + 1:
            return plain.removesuffix(suffix)
    return plain


def find_country(text: str) -> str | None:
    """The ISO code of a country by its name in Chinese or English, or by that code."""
    code = text.strip().upper()
    if len(code) == 2 and code.isascii() and code.isalpha() and code in Locale("en").territories:
        return code
    place = _by_name().get(_plain(text))
    return None if place is None or place.province or place.city else place.country


def find_place(text: str) -> Place | None:
    """The place a person named, in Chinese or English: "东莞", "广东东莞", "Dongguan, China".

    The finest part that is known counts; ``None`` when no part is.
    """
    names = _by_name()
    whole = names.get(_plain(text))
    if whole is not None:
        return whole
    parts = [part for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()]
    words = [names.get(_plain(part)) for part in (*parts, *text.split())]
    known = [place for place in words if place is not None]
    if not known:
        known = _within(_plain(text))
    return max(known, key=lambda place: (bool(place.city), bool(place.province)), default=None)


def _within(text: str) -> list[Place]:
    """Chinese runs province and city together: "广东东莞厂里" holds both."""
    if not any("\u4e00" <= sign <= "\u9fff" for sign in text):
        return []
    return [place for name, place in _by_name().items() if len(name) > 1 and name in text]


def nearest_place(latitude: float, longitude: float) -> Place | None:
    """A shared location, rounded to the nearest city here; degrees.

    ``None`` when none is within 150 km: a city further off may lie in another country.
    """
    distance, city = min(
        (
            (_kilometres(latitude, longitude, city.latitude, city.longitude), city)
            for city in _cities().values()
        ),
        key=lambda found: found[0],
    )
    return city.place if distance <= _NEAR_KM else None


def _kilometres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance (haversine)."""
    p1, p2 = math.radians(lat1), math.radians(lat2)
    half = (
        math.sin((p2 - p1) / 2) ** 2
        + math.cos(p1) * math.cos(p2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    )
    return 12742.0 * math.asin(min(1.0, math.sqrt(half)))


def place_name(
    country: str | None, province: str | None, city: str | None, language: str
) -> str | None:
    """The place in words: city, or province, with the country where it is not China."""
    if country is None:
        return None
    language = language if language in _LANGUAGES else "en"
    nation: str = Locale(language).territories.get(country, country)
    known = _cities().get(city or "")
    if known is not None:
        name = known.names[language]
        if country == "CN" or name in nation:
            return name
        return f"{nation}{name}" if language == "zh" else f"{name}, {nation}"
    if province:
        for candidate in _cities().values():
            if candidate.place.province == province:
                return candidate.province_names[language]
    return nation
