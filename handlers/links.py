"""Links that people open: into the chat, and into the console."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    """Where a token leads. ``public_url`` has no trailing slash; ``telegram_username`` no @."""

    public_url: str
    telegram_username: str | None = None

    def chat(self, token: str) -> dict[str, str | None]:
        """``{"telegram": url or None, "web": url}`` for a ``/start`` token."""
        telegram = (
            f"https://t.me/{self.telegram_username}?start={token}"
            if self.telegram_username
            else None
        )
        return {"telegram": telegram, "web": f"{self.public_url}/chat/?start={token}"}

    worker = officer = device = relative = chat

    def console(self, token: str) -> str:
        # In the fragment: a link preview that opens the address does not burn the one-time token.
        return f"{self.public_url}/console/enter#{token}"
