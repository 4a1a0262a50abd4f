"""Which seat of the browser an invite belongs in."""

from aiohttp import web

from bot.channels.web.channel import WebChannel
from bot.channels.web.devices import chat_behind
from bot.channels.web.visitors import SEATS, seat_of
from storage.people.invites import BadInvite
from storage.talk.room import find_room


async def choose_seat(channel: WebChannel, request: web.Request, token: str) -> str:
    """The seat to open ``token`` in. Uses nothing up.

    A device link goes where its conversation already is, or to a free seat; in one that is taken
    it will be refused. An invite goes to the person who opens it, unless that person is made up.
    """
    here = seat_of(request)
    visitors = {seat: await channel.visitors.find(request, seat) for seat in SEATS}
    taken = {seat: visitor for seat, visitor in visitors.items() if visitor and visitor.standing}
    if here not in taken and not token.startswith("d"):
        return here
    try:
        async with channel.db.read() as tx:
            if token.startswith("d"):
                _invite, chat_id = await chat_behind(tx, token, channel.clock())
                for seat, visitor in taken.items():
                    if visitor.chat_id == chat_id:
                        return seat
            else:
                room = await find_room(tx, channel.bot.id, taken[here].chat_id)
                if room is None or not room.is_demo:
                    return here
    except BadInvite:
        return here
    return next((seat for seat in (here, *SEATS) if seat not in taken), here)
