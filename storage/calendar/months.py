"""Months as numbers, counted from the year 0: which day of one is the 31st, or the last Sunday."""

import calendar
from datetime import date


def month_count(day: date) -> int:
    """The month ``day`` is in; the next month's is one more."""
    return day.year * 12 + day.month - 1


def in_month(month: int, number: int) -> date:
    """The day with this number, or the last one if the month has fewer."""
    year, place = divmod(month, 12)
    return date(year, place + 1, min(number, calendar.monthrange(year, place + 1)[1]))


def nth_weekday(month: int, n: int, weekday: int) -> date:
    """The n-th (1 to 4; -1 is the last) of a weekday (0 is Monday) in the month."""
    year, place = divmod(month, 12)
    first, length = calendar.monthrange(year, place + 1)
    number = 1 + (weekday - first) % 7
    if n < 0:
        number += (length - number) // 7 * 7
    else:
        number += (n - 1) * 7
    return date(year, place + 1, number)


def later_by_months(day: date, months: int) -> date:
    """So many months later (or earlier); the 31st becomes the last day of a shorter month."""
    return in_month(month_count(day) + months, day.day)
