"""Every conversation, in the order in which an update is tried."""

from copy import deepcopy

from aiogram import Router

from handlers import liaison
from handlers.relative import answer, consent, heard, naming
from handlers.relative import fallback as relative_fallback
from handlers.relative import mydata as relative_mydata
from handlers.room import private_only
from handlers.worker import (
    blocked,
    checkin,
    clock,
    device,
    enrol,
    fallback,
    family,
    help_call,
    join,
    leave,
    menu,
    mydata,
    news,
    notices,
    place,
    quiet,
    reminder,
    rhythm,
    topic_day,
    topics,
    typed_answer,
)
from handlers.worker.access import plain_worker


def register_everyday(router: Router) -> None:
    """Have ``router`` take the answers of plain workers itself, before it asks any other.

    Nearly every update is one. It would come to the same handlers through :func:`conversations`:
    no router before theirs is for it.
    """
    router.message.register(checkin.say_answer, plain_worker, checkin.Answer())
    router.callback_query.register(checkin.tap_answer, plain_worker, checkin.ANSWER_TAP)


def conversations() -> Router:
    """A router of its own for each dispatcher, since aiogram attaches a router only once.

    Groups are turned away first. Then newcomers; then what means the same to everyone who is
    family, and the page of those who are nothing else; then the ways out of any dialog, and of
    Kinroom; then the words of those who are nothing but family; then officers,
    before workers, because an officer who is a worker too answers a case with "ok" and means the
    case; then what a worker says, dialogs after buttons; last, what nobody understood.
    """
    root = Router(name="conversations")
    root.include_routers(
        *(
            deepcopy(router)
            for router in (
                private_only.router,
                enrol.newcomer,
                consent.router,
                answer.router,
                heard.router,
                relative_mydata.router,
                menu.router,
                join.router,
                leave.router,
                mydata.router,
                rhythm.router,
                quiet.router,
                clock.router,
                typed_answer.router,
                family.router,
                device.router,
                naming.router,
                answer.words,
                relative_fallback.router,
                liaison.router,
                checkin.router,
                help_call.router,
                news.router,
                notices.router,
                topics.router,
                topic_day.router,
                reminder.router,
                typed_answer.unclear,
                enrol.router,
                place.router,
                blocked.router,
                fallback.router,
            )
        ),
    )
    return root
