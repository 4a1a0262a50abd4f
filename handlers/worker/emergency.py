"""Emergency numbers by country, as published by each country's authorities."""

from typing import Any, Final

from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from storage.database import Tx
from storage.people.areas import get_area
from storage.people.places import place_name
from storage.people.who import Who
from storage.people.zones import country_of_zone

_THREE: Final[dict[str, tuple[str, str, str]]] = {
    # country: police, ambulance, fire
    "CN": ("110", "120", "119"),
    "TW": ("110", "119", "119"),
    "JP": ("110", "119", "119"),
    "KR": ("112", "119", "119"),
    "MN": ("102", "103", "101"),
    "VN": ("113", "115", "114"),
    "LA": ("1191", "1195", "1190"),
    "KH": ("117", "119", "118"),
    "TH": ("191", "1669", "199"),
    "MM": ("199", "192", "191"),
    "SG": ("999", "995", "995"),
    "ID": ("110", "118", "113"),
    "NP": ("100", "102", "101"),
    "PK": ("15", "1122", "16"),
    "UZ": ("102", "103", "101"),
    "KZ": ("102", "103", "101"),
    "AE": ("999", "998", "997"),
    "SA": ("999", "997", "998"),
    "IL": ("100", "101", "102"),
    "DZ": ("1548", "14", "14"),
    "EG": ("122", "123", "180"),
    "ET": ("991", "907", "939"),
    "ZA": ("10111", "10177", "10177"),
    "BR": ("190", "192", "193"),
    "CL": ("133", "131", "132"),
    "PE": ("105", "106", "116"),
}
_ONE: Final[dict[str, str]] = {
    "HK": "999",
    "MO": "999",
    "MY": "999",
    "PH": "911",
    "BD": "999",
    "IN": "112",
    "QA": "999",
    "KW": "112",
    "TR": "112",
    "RU": "112",
    "GB": "999",
    "US": "911",
    "CA": "911",
    "MX": "911",
    "AU": "000",
    "NZ": "111",
    "NG": "112",
    "GH": "112",
    "KE": "999",
}


def emergency_numbers(country: str) -> dict[str, str]:
    """``{"police", "ambulance", "fire"}`` or ``{"all"}`` for an ISO country code.

    112 where no other number is known here: every mobile network puts it through (3GPP TS 22.101).
    """
    if country in _THREE:
        return dict(zip(("police", "ambulance", "fire"), _THREE[country], strict=True))
    return {"all": _ONE.get(country, "112")}


async def emergency_words(tx: Tx, who: Who) -> str:
    """The emergency numbers of the country the person is in.

    Where that is not known, those of the country that the village is in, said to be so.
    """
    if who.country is not None:
        return emergency_line(who.country)
    lines = [_("We don't know which country you are in.")]
    village = None if who.area_id is None else await get_area(tx, who.area_id)
    home = None if village is None else country_of_zone(village.timezone)
    if home is not None:
        name, numbers = _name_of(home), emergency_numbers(home)
        said = (
            _("In danger? If you are in {country}: {number}")
            if set(numbers) == {"all"}
            else _(
                "In danger? If you are in {country}: police {police}, ambulance {ambulance}, "
                "fire {fire}"
            )
        )
        lines.append(said.format(country=name, number=numbers.get("all"), **_three(numbers)))
    lines.append(_("In most other countries 112 works from a mobile phone."))
    return "\n".join(lines)


def emergency_line(country: str) -> str:
    """The emergency numbers of a country (ISO 3166)."""
    numbers = emergency_numbers(country)
    if set(numbers) == {"all"}:
        return _("In danger? Emergency number in {country}: {number}").format(
            country=_name_of(country), number=numbers["all"]
        )
    return _("In danger? In {country}: police {police}, ambulance {ambulance}, fire {fire}").format(
        country=_name_of(country), **_three(numbers)
    )


def _name_of(country: str) -> str:
    return place_name(country, None, None, get_i18n().current_locale) or country


def _three(numbers: dict[str, str]) -> dict[str, Any]:
    return {
        kind: numbers.get(kind, numbers.get("all", "112"))
        for kind in ("police", "ambulance", "fire")
    }
