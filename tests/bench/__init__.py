"""``make bench``: how fast Kinroom is, as ratios to a floor measured in the same run."""

from bot.lean import import_aiogram

# As the service does; floor and ours run on the same aiogram.
import_aiogram()
