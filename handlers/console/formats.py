"""Numbers, rates and dates as the reader writes them."""

from datetime import datetime, timedelta

from babel import dates, numbers

from storage.calendar.zone import zone_of
from storage.register.periods import Period


class Format:
    """In one language; moments are UTC, ``zone`` is the area's.

    The year of a moment is said where it is not that of ``near``.
    """

    def __init__(self, locale: str, near: datetime | None = None) -> None:
        self._locale = locale
        self._near = near

    def number(self, value: int) -> str:
        return numbers.format_decimal(value, locale=self._locale)

    def rate(self, rate: float | None) -> str:
        """A fraction as a percentage, ``—`` where there is none; 99.96 % does not become 100 %."""
        if rate is None:
            return "—"
        if 0 < rate < 1:
            rate = min(max(rate, 0.001), 0.999)
            return numbers.format_percent(rate, "0.0%", locale=self._locale)
        return numbers.format_percent(rate, "0%", locale=self._locale)

    def short_rate(self, rate: float | None) -> str:
        """The same without its sign, for where a column says what it is."""
        if rate is None:
            return "—"
        return str(min(max(round(rate * 100), 1), 99) if 0 < rate < 1 else round(rate * 100))

    def moment(self, at: datetime, zone: str) -> str:
        local = at.astimezone(zone_of(zone))
        far = self._near is not None and local.year != self._near.year
        day = dates.format_skeleton("yMMMEd" if far else "MMMEd", local, locale=self._locale)
        return f"{day} {local:%H:%M}"

    def moments(self, first: datetime, last: datetime, zone: str) -> str:
        """From the one to the other, on one day."""
        begun, ended = self.moment(first, zone), f"{last.astimezone(zone_of(zone)):%H:%M}"
        return begun if begun.endswith(ended) else f"{begun}–{ended}"

    def clock(self, at: datetime, zone: str) -> str:
        return f"{at.astimezone(zone_of(zone)):%H:%M:%S}"

    def day(self, at: datetime, zone: str) -> str:
        return dates.format_skeleton("MMMd", at, tzinfo=zone_of(zone), locale=self._locale)

    def short_day(self, at: datetime, zone: str) -> str:
        return dates.format_skeleton("Md", at, tzinfo=zone_of(zone), locale=self._locale)

    def month(self, at: datetime, zone: str) -> str:
        return dates.format_skeleton("MMM", at, tzinfo=zone_of(zone), locale=self._locale)

    def day_number(self, at: datetime, zone: str) -> str:
        return str(at.astimezone(zone_of(zone)).day)

    def span(self, period: Period, zone: str) -> str:
        """A week's or month's days, both ends included."""
        first = period.start.astimezone(zone_of(zone)).date()
        last = (period.end.astimezone(zone_of(zone)) - timedelta(microseconds=1)).date()
        if first.day == 1 and (last.month, last.year) == (first.month, first.year):
            return dates.format_skeleton("yMMMM", first, locale=self._locale)
        return dates.format_interval(first, last, "yMMMd", locale=self._locale)
