"""Ways to carry messages: each is an aiogram session and what feeds it updates."""
