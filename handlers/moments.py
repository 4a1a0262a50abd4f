"""Days and moments in a person's zone, as the reader writes them."""

from datetime import date, datetime

from aiogram.utils.i18n import get_i18n
from babel.dates import format_skeleton

from storage.calendar.zone import zone_of


class Moments:
    """In the current language; instants are UTC, ``zone`` is the person's or the area's.

    The year is said where it is not that of ``near``.
    """

    def __init__(self, zone: str, near: date) -> None:
        self._zone = zone_of(zone)
        self._near = near
        self._locale = get_i18n().current_locale

    def day(self, day: date) -> str:
        skeleton = "MMMEd" if day.year == self._near.year else "yMMMEd"
        return str(format_skeleton(skeleton, day, locale=self._locale))

    def at(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{self.day(local.date())} {local:%H:%M}"

    def span(self, first: datetime, last: datetime) -> str:
        """From the one to the other, on one day."""
        begun, ended = self.at(first), f"{last.astimezone(self._zone):%H:%M}"
        return begun if begun.endswith(ended) else f"{begun}–{ended}"

    def day_of(self, at: datetime) -> str:
        return self.day(at.astimezone(self._zone).date())
