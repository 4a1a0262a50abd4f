"""My data, when we ask: when the next check-in comes and why then, and all one can change."""

from collections.abc import Callable, Iterable
from datetime import datetime, time
from typing import Final

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _
from babel import Locale
from babel.dates import format_skeleton, format_time, get_timezone_location

from handlers.callbacks import DataTap
from handlers.keyboards import button
from handlers.say import clock_time, day, zone_name
from scheduler.coming import Coming, next_checkin
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.people.hours import Hours, hours_of, quiet_spans
from storage.people.who import Who

Rows = list[list[InlineKeyboardButton]]
_IN_A_ROW: Final = 3
CHANNELS: Final = ("telegram", "web")
"""Those one can choose between."""
_OLDER_NAMES: Final = {
    "Asia/Kolkata": "Asia/Calcutta",
    "Europe/Kyiv": "Europe/Kiev",
    "America/Nuuk": "America/Godthab",
    "Pacific/Chuuk": "Pacific/Truk",
    "Pacific/Pohnpei": "Pacific/Ponape",
}
"""Zones that the locale data still file, with their cities, under the names of old."""


def tap(act: str, value: str = "") -> str:
    return DataTap(act=act, value=value).pack()


def rhythm_button() -> InlineKeyboardButton:
    return button(_("When you ask me"), tap("rhythm"))


def back_to_rhythm() -> list[InlineKeyboardButton]:
    return [button(_("Back"), tap("rhythm"))]


async def rhythm_page(
    tx: Tx, who: Who, now: datetime, note: str | None = None
) -> tuple[str, InlineKeyboardMarkup]:
    """The page in words, below a ``note`` on what was just changed, and its buttons."""
    hours = await hours_of(tx, who.person_id)
    coming = await next_checkin(tx, who.person_id, hours, now)
    (start, end), *more = quiet_spans(hours.quiet_from, hours.quiet_to)
    lines = [note, ""] if note else []
    lines += _next_words(hours, coming)
    if coming is not None:
        lines.append(how_often(hours))
    lines.append("")
    lines.append(
        _("From {start} to {end} nothing comes unasked; only an urgent roll call would.").format(
            start=hour_words(start * 60), end=hour_words(end * 60)
        )
    )
    lines += [
        _("Nor from {start} to {end}, as you chose.").format(
            start=hour_words(start * 60), end=hour_words(end * 60)
        )
        for start, end in more
    ]
    lines.append(_clock_words(hours, now))
    if hours.prefers in hours.channels and len(hours.channels) > 1:
        lines.append(
            _("You chose to hear from us through {channel}.").format(
                channel=channel_name(hours.prefers or "")
            )
        )
    return "\n".join(lines), _buttons(hours, coming)


def _next_words(hours: Hours, coming: Coming | None) -> list[str]:
    """When the next check-in comes, and why then."""
    if hours.status == "paused":
        if hours.paused_until is None:
            return [_("You're taking a break: we don't ask until you say so.")]
        until = day(hours.paused_until, hours.timezone)
        return [_("You're taking a break: we don't ask until {day}.").format(day=until)]
    if hours.status == "home":
        return [_("While you're at home we don't ask.")]
    if coming is None or coming.at is None or coming.minute is None:
        return [_("There is no regular check-in in your village just now.")]
    at = _("The next check-in comes on {day}, at about {time}.").format(
        day=day_words(coming.at, hours.timezone), time=clock_time(coming.at, hours.timezone)
    )
    minute = hour_words(coming.minute)
    local = coming.at.astimezone(zone_of(hours.timezone))
    if coming.on_its_way and local.hour * 60 + local.minute != coming.minute:
        return [at, _("After that we ask at about {time}.").format(time=minute)]
    return [at, _why(hours, coming, minute)]


def _why(hours: Hours, coming: Coming, minute: str) -> str:
    assert coming.minute is not None
    if hours.ask_minute is not None:
        if abs(hours.ask_minute - coming.minute) < 15:
            return _("You chose this hour.")
        return _("You chose {wish}; {time} is the nearest we may ask.").format(
            wish=hour_words(hours.ask_minute), time=minute
        )
    if hours.usual_minute is None:
        return _("That's when your village asks. Once you've answered, it moves to your hour.")
    usual = hour_words(hours.usual_minute // 15 * 15)
    if abs(hours.usual_minute - coming.minute) < 15:
        return _("You usually answer around {time}, so we ask then.").format(time=usual)
    return _("You usually answer around {usual}; {time} is the nearest we may ask.").format(
        usual=usual, time=minute
    )


def how_often(hours: Hours) -> str:
    if hours.monthly:
        return _("We ask you once a month.")
    if hours.slower:
        return _("We ask you every other time.")
    return _("We ask you each time your village asks.")


def _clock_words(hours: Hours, now: datetime) -> str:
    time = clock_time(now, hours.timezone)
    if not hours.own_zone:
        said = _("We don't know where you are, so we go by your village's clock: {time} now.")
        return said.format(time=time)
    return _("By our clock it is {time} where you are ({zone}).").format(
        time=time, zone=zone_name(hours.timezone)
    )


def _buttons(hours: Hours, coming: Coming | None) -> InlineKeyboardMarkup:
    rows = []
    if coming is not None:
        rows += [
            [
                button(_("Half an hour earlier"), tap("hour", "earlier")),
                button(_("Half an hour later"), tap("hour", "later")),
            ],
            [button(_("Pick an hour"), tap("hours"))],
        ]
        if hours.ask_minute is not None:
            rows.append([button(_("Let it find my hour"), tap("hour", "auto"))])
        rows.append([button(_("How often"), tap("often")), button(_("Quiet hours"), tap("quiet"))])
    else:
        rows.append([button(_("Quiet hours"), tap("quiet"))])
    if len(channels_to_choose(hours)) > 1:
        rows.append([button(_("Telegram or web"), tap("channel"))])
    rows.append([button(_("My clock shows another time"), tap("clock"))])
    rows.append([button(_("Back"), tap("page"))])
    return InlineKeyboardMarkup(inline_keyboard=rows)


def channels_to_choose(hours: Hours) -> list[str]:
    return [channel for channel in CHANNELS if channel in hours.channels]


def channel_name(channel: str) -> str:
    return {"telegram": _("Telegram"), "web": _("the web chat")}.get(channel, channel)


def hour_words(minute: int) -> str:
    """Minutes after midnight as a clock shows them."""
    hour, minutes = divmod(minute % (24 * 60), 60)
    return format_time(time(hour, minutes), "short", locale=get_i18n().current_locale)


def hour_buttons(hours: Iterable[int], data: Callable[[int], str]) -> Rows:
    """Full hours, three in a row: as many as a narrow phone shows without breaking them."""
    buttons = [button(_full_hour(hour), data(hour)) for hour in hours]
    return [buttons[at : at + _IN_A_ROW] for at in range(0, len(buttons), _IN_A_ROW)]


def _full_hour(hour: int) -> str:
    locale = Locale(get_i18n().current_locale)
    if "a" in locale.time_formats["short"].pattern:
        # "8 AM": with its minutes it would not fit.
        return format_skeleton("h", time(hour % 24), locale=locale)
    return hour_words(hour * 60)


def day_words(at: datetime, timezone: str) -> str:
    """The day of ``at`` there, with its weekday and without the year."""
    local = at.astimezone(zone_of(timezone))
    return format_skeleton("MMMMEEEEd", local, locale=get_i18n().current_locale)


def city_of(timezone: str) -> str:
    """The city after which a zone is called."""
    locale = Locale.parse(get_i18n().current_locale)
    older = locale.time_zones.get(_OLDER_NAMES.get(timezone, ""), {})
    name: str = older.get("city") or get_timezone_location(
        zone_of(timezone), locale=locale, return_city=True
    )
    return name


def quiet_words(quiet_from: int, quiet_to: int) -> str:
    """A person's quiet hours, the night's among them: 21:00–08:00, 12:00–14:00."""
    spans = quiet_spans(quiet_from, quiet_to)
    return _(", ").join(f"{start:02}:00–{end:02}:00" for start, end in spans)
