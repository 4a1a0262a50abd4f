"""Where moon and sun are, near enough to tell the day: after J. Meeus, Astronomical Algorithms.

New moons (his chapter 49) come out right to some seconds; the sun's longitude (chapter 25) to
0.01°, which it crosses in a quarter of an hour. Both are independent of the almanac's table.
"""

from datetime import UTC, date, datetime, timedelta
from math import radians, sin

BEIJING = timedelta(hours=8)
_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_MONTH = 29.530588861
_YEAR = 365.2422

# Weight in days, and how often the anomalies of sun and moon, and the moon's argument of latitude
# (counted from its node) enter.
_NEW_MOON = (
    (-0.40720, 0, 1, 0),
    (0.17241, 1, 0, 0),
    (0.01608, 0, 2, 0),
    (0.01039, 0, 0, 2),
    (0.00739, -1, 1, 0),
    (-0.00514, 1, 1, 0),
    (0.00208, 2, 0, 0),
    (-0.00111, 0, 1, -2),
    (-0.00057, 0, 1, 2),
    (0.00056, 1, 2, 0),
    (-0.00042, 0, 3, 0),
    (0.00042, 1, 0, 2),
    (0.00038, 1, 0, -2),
    (-0.00024, -1, 2, 0),
)
_FULL_MOON = (-0.40614, 0.17302, 0.01614, 0.01043, 0.00734, -0.00515, 0.00209)
_PLANETS = (
    (299.77, 0.107408, 0.000325),
    (251.88, 0.016321, 0.000165),
    (251.83, 26.651886, 0.000164),
    (349.42, 36.412478, 0.000126),
    (84.66, 18.206239, 0.000110),
)


def _turned(year: float) -> timedelta:
    """How far the turning earth is behind even time (Espenak and Meeus)."""
    t = year - 2000
    if year < 1961:
        u = year - 1950
        seconds = 29.07 + 0.407 * u - u**2 / 233 + u**3 / 2547
    elif year < 1986:
        u = year - 1975
        seconds = 45.45 + 1.067 * u - u**2 / 260 - u**3 / 718
    elif year < 2005:
        seconds = 63.86 + 0.3345 * t - 0.060374 * t**2 + 0.0017275 * t**3 + 0.000651814 * t**4
    elif year < 2050:
        seconds = 62.92 + 0.32217 * t + 0.005589 * t**2
    else:
        seconds = -20 + 32 * ((year - 1820) / 100) ** 2 - 0.5628 * (2150 - year)
    return timedelta(seconds=seconds)


def moon_near(day: date, *, full: bool = False) -> datetime:
    """The new (or full) moon nearest to ``day``, in Beijing's time, without a zone."""
    since = (datetime(day.year, day.month, day.day, tzinfo=UTC) - _J2000) / timedelta(days=1)
    k = round((since - 5.6) / _MONTH - full / 2) + full / 2
    t = k / 1236.85
    days = 5.09766 + _MONTH * k + 0.00015437 * t**2
    eccentric = 1 - 0.002516 * t
    sun = radians(2.5534 + 29.10535670 * k)
    moon = radians(201.5643 + 385.81693528 * k + 0.0107582 * t**2)
    node = radians(160.7108 + 390.67050284 * k - 0.0016118 * t**2)
    for place, (weight, suns, moons, nodes) in enumerate(_NEW_MOON):
        heavy = _FULL_MOON[place] if full and place < len(_FULL_MOON) else weight
        days += heavy * eccentric ** abs(suns) * sin(suns * sun + moons * moon + nodes * node)
    days -= 0.00017 * sin(radians(124.7746 - 1.56375588 * k))
    days += sum(size * sin(radians(start + pace * k)) for start, pace, size in _PLANETS)
    moment = _J2000 + timedelta(days=days)
    return (moment - _turned(moment.year + moment.month / 12) + BEIJING).replace(tzinfo=None)


def _longitude(moment: datetime) -> float:
    t = (moment + _turned(moment.year) - _J2000) / timedelta(days=36525)
    mean = 280.46646 + 36000.76983 * t + 0.0003032 * t**2
    anomaly = radians(357.52911 + 35999.05029 * t - 0.0001537 * t**2)
    center = (1.914602 - 0.004817 * t) * sin(anomaly) + 0.019993 * sin(2 * anomaly)
    center += 0.000289 * sin(3 * anomaly)
    return mean + center - 0.00569 - 0.00478 * sin(radians(125.04 - 1934.136 * t))


def sun_at(year: int, longitude: int) -> datetime:
    """When the sun comes to ``longitude`` (degrees) in ``year``, in Beijing's time."""
    from_march = longitude if longitude < 280 else longitude - 360
    moment = datetime(year, 3, 20, 12, tzinfo=UTC) + timedelta(days=from_march * _YEAR / 360)
    for _ in range(6):
        off = (longitude - _longitude(moment) + 180) % 360 - 180
        moment += timedelta(days=off * _YEAR / 360)
    return (moment + BEIJING).replace(tzinfo=None)
