"""A made-up county to try Kinroom with: made in an empty database, gone with one command."""

from bot.demo.checkin import plan_demo_checkin
from bot.demo.county import DemoTokens, demo_tokens, make_demo
from bot.demo.removal import Removed, remove_demo

__all__ = [
    "DemoTokens",
    "Removed",
    "demo_tokens",
    "make_demo",
    "plan_demo_checkin",
    "remove_demo",
]
