"""What a channel can do, as far as a conversation needs to know."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Abilities:
    """``max_text`` in UTF-16 units; ``rate`` in messages a second, 0 for no limit.

    ``paid``: what is sent in bulk beyond the channel's free rate is paid for.
    ``device_links``: a conversation opens on another device through a link of ours.
    """

    can_push: bool = True
    can_edit: bool = True
    max_buttons: int = 100
    max_text: int = 4096
    rate: float = 0.0
    paid: bool = False
    device_links: bool = False
