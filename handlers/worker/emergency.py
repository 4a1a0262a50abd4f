"""Emergency numbers by country, as published by each country's authorities."""

from typing import Final

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
