"""The running service: built in one place, started in order, stopped in reverse."""

import asyncio
import contextlib
import hashlib
import hmac
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiohttp import web

from bot.app import make_app
from bot.channels.telegram import telegram_abilities, telegram_bot
from bot.channels.web.channel import ABILITIES as WEB_ABILITIES
from bot.channels.web.channel import WebChannel
from bot.channels.web.routes import web_routes
from bot.demo.county import make_demo
from bot.demo.links import make_demo_links
from bot.demo.welcome import welcome_to_demo
from bot.garbage import spare_what_stays
from bot.greeting import Greeting
from bot.intake import Intake, IntakeUnavailable
from bot.listening import bind_port
from bot.metrics import Metrics
from bot.opening import Opened, open_database
from bot.polling import HEARD, Polling
from bot.replies import Replies
from bot.settings import Settings
from bot.sole_service import sole_service
from bot.telemetry import configure_logging, telemetry_routes
from bot.webhook import PATH as WEBHOOK_PATH
from bot.webhook import webhook_route
from bot.wiring import make_dispatcher
from handlers.abilities import Abilities
from handlers.console.app import console_app
from handlers.console.live import LiveFeed
from handlers.liaison.rollcall_live import writes_counts
from handlers.links import Links
from handlers.outgoing import Renderer
from locales.catalogs import Catalogs
from scheduler.clock import Clock
from scheduler.delivery import Delivery
from scheduler.rollcall_counts import shows_counts
from storage.installation import DEMO, find_value
from storage.people.logins import LINK_LIFETIME
from storage.register.figures import register_version

log: Final = structlog.get_logger(__name__)
_RETRY_TELEGRAM: Final = 30.0
_PATIENCE: Final = 10.0
"""Seconds that a statement may take, long work aside: a tick or an update comes again."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; returns the exit code.

    Raises :class:`storage.errors.Refused` before anything has begun.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with running(settings) as service:
        for line in await service.links_to_open(_utc_now()):
            print(line, flush=True)  # noqa: T201  # the links are what the command is for
        spare_what_stays()
        await stopping.wait()
        log.info("stopping")
    return 0


@dataclass(frozen=True, slots=True)
class Service:
    """What a running service is made of, for those who start it: the command and the tests."""

    settings: Settings
    opened: Opened
    links: Links
    intake: Intake
    delivery: Delivery
    web: WebChannel
    demo: bool

    async def links_to_open(self, now: datetime) -> list[str]:
        """What to open now, a line each."""
        base = self.settings.public_url
        lines = ["", f"Kinroom is running: {base}"]
        if self.demo:
            async with self.opened.db.write() as tx:
                demo = await make_demo_links(tx, now)
            if demo is not None:
                minutes = int(LINK_LIFETIME.total_seconds() // 60)
                open_here = {
                    "a worker's chat": demo.worker and self.links.device(demo.worker)["web"],
                    "the liaison's console": demo.console and self.links.console(demo.console),
                    "a liaison's chat": demo.liaison and self.links.device(demo.liaison)["web"],
                    "join as a worker": self.links.worker(demo.join)["web"],
                    "a supervisor's console": demo.supervisor
                    and self.links.console(demo.supervisor),
                }
                lines += [
                    "",
                    "This is a demo county with made-up people. Open, each in its own window:",
                    *(f"  {what:22} {link}" for what, link in open_here.items() if link),
                    f"A console's link works once, within {minutes} minutes; the liaison's chat"
                    " gives new ones of hers, and a new start both.",
                    "Take the demo away with: .venv/bin/kinroom demo remove",
                ]
        lines += ["", "Stop with Ctrl-C.", ""]
        return lines


@contextlib.asynccontextmanager
async def running(
    settings: Settings, clock: Callable[[], datetime] = _utc_now
) -> AsyncIterator[Service]:
    """A started service for as long as the block runs.

    What can be refused comes first: nothing is said, or taken back, by a service that then finds
    its port or its database in use.
    """
    async with contextlib.AsyncExitStack() as stack:
        listening = bind_port(settings)
        for bound in listening:
            stack.callback(bound.close)
        stack.enter_context(sole_service(settings))
        opened = await open_database(settings, bring_up=True, patience=_PATIENCE)
        stack.push_async_callback(opened.db.close)
        hidden = [*settings.secrets(), opened.secret_key]
        configure_logging(settings.log_format, hidden)
        yield await _start(stack, settings, opened, clock, listening)


async def _start(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    opened: Opened,
    clock: Callable[[], datetime],
    listening: list[socket.socket],
) -> Service:
    db = opened.db
    demo = await _find_demo(settings, opened, clock())
    i18n = Catalogs()
    metrics = Metrics()
    channel = WebChannel(db, i18n=i18n, public_url=settings.public_url, demo=demo, clock=clock)
    bots: dict[int, Bot] = {channel.bot.id: channel.bot}
    channels = {channel.bot.id: "web"}
    abilities: dict[int, Abilities] = {channel.bot.id: WEB_ABILITIES}
    telegram = await _add_telegram(stack, settings, bots, channels, abilities)
    greeting = Greeting(db, telegram, i18n) if telegram is not None else None
    if greeting is not None:
        await greeting.try_now()
    links = Links(settings.public_url, greeting.username if greeting else None)

    live = LiveFeed(db, register_version)
    render = Renderer(i18n, abilities)
    delivery = Delivery(db, bots, abilities, render, clock=clock)
    metrics.watch(delivery)
    metrics.watch_pool(db)
    replies = Replies(db, bots, metrics, channels, clock, spoke=delivery.spoke)
    dispatcher = make_dispatcher(
        db, i18n, channels=channels, abilities=abilities, links=links, clock=clock
    )

    def committed() -> None:
        live.wake()
        delivery.nudge()

    intake = Intake(db, dispatcher, replies, i18n, metrics, channels, clock, committed)
    ticking = Clock(
        db,
        nudge=delivery.nudge,
        running=delivery.running,
        show_counts=shows_counts(db, bots, writes_counts(i18n)),
        clock=clock,
    )
    metrics.watch_clock(ticking, clock)

    async def opened_page(chat_id: int) -> None:
        if await welcome_to_demo(db, i18n, channel.bot, chat_id, clock()):
            delivery.nudge()

    routes = [
        *web_routes(
            channel,
            take=intake.take,
            unavailable=IntakeUnavailable,
            on_open=opened_page if demo else None,
        ),
        *telemetry_routes(db, metrics, clock),
    ]
    secret = _webhook_secret(settings, opened.secret_key)
    if telegram is not None and settings.telegram_webhook:
        routes.append(webhook_route(telegram, intake, secret))
    console = console_app(
        db,
        i18n,
        secure=settings.public_url.startswith("https://"),
        clock=clock,
        live=live,
        origin=_origin(settings.public_url),
    )

    await channel.start()
    stack.push_async_callback(channel.close)
    await replies.start()
    stack.push_async_callback(replies.stop)
    await delivery.start()
    stack.push_async_callback(delivery.stop)
    await _listen(stack, listening, make_app(routes, console), channel, live)
    await ticking.start()
    stack.push_async_callback(ticking.stop)
    if telegram is not None:
        await _hear_telegram(stack, settings, telegram, intake, secret)
    if greeting is not None and not greeting.done:

        def named(username: str) -> None:
            dispatcher["links"] = Links(settings.public_url, username)

        stack.push_async_callback(_cancel, asyncio.create_task(greeting.try_on(named)))
    log.info("started", database=db.url.get_backend_name(), telegram=telegram is not None)
    return Service(settings, opened, links, intake, delivery, channel, demo)


async def _find_demo(settings: Settings, opened: Opened, now: datetime) -> bool:
    """Whether this is a demo; makes it in a database that holds no one, unless it is off."""
    async with opened.db.write() as tx:
        if settings.demo:
            await make_demo(tx, now)
        return await find_value(tx, DEMO) is not None


async def _add_telegram(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    bots: dict[int, Bot],
    channels: dict[int, str],
    abilities: dict[int, Abilities],
) -> Bot | None:
    if settings.telegram_token is None:
        return None
    bot = telegram_bot(settings.telegram_token.get_secret_value(), settings.telegram_api)
    stack.push_async_callback(bot.session.close)
    bots[bot.id] = bot
    channels[bot.id] = "telegram"
    abilities[bot.id] = telegram_abilities(settings.telegram_rate)
    return bot


async def _listen(
    stack: contextlib.AsyncExitStack,
    listening: list[socket.socket],
    app: web.Application,
    channel: WebChannel,
    live: LiveFeed,
) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=3.0)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    # Open streams would hold up the server's end; they are closed just before it.
    stack.push_async_callback(channel.close)
    stack.callback(live.close)
    for bound in listening:
        await web.SockSite(runner, bound).start()


async def _hear_telegram(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    bot: Bot,
    intake: Intake,
    secret: str,
) -> None:
    if not settings.telegram_webhook:
        polling = Polling(bot, intake)
        polling.start()
        stack.push_async_callback(polling.stop)
        return
    task = asyncio.create_task(_set_webhook(bot, settings.public_url + WEBHOOK_PATH, secret))
    stack.push_async_callback(_cancel, task)


async def _set_webhook(bot: Bot, url: str, secret: str) -> None:
    """Tell Telegram where to post; keeps trying while it is out of reach."""
    while True:
        try:
            await bot.set_webhook(url, secret_token=secret, allowed_updates=HEARD)
        except TelegramAPIError as problem:
            log.warning("the webhook could not be set; trying again", reason=str(problem))
            await asyncio.sleep(_RETRY_TELEGRAM)
        else:
            log.info("the webhook is set")
            return


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _webhook_secret(settings: Settings, secret_key: str) -> str:
    if settings.telegram_webhook_secret is not None:
        return settings.telegram_webhook_secret.get_secret_value()
    return hmac.new(secret_key.encode(), b"kinroom webhook 1", hashlib.sha256).hexdigest()


def _origin(public_url: str) -> str:
    scheme, _, rest = public_url.partition("://")
    return f"{scheme}://{rest.split('/', 1)[0]}"
