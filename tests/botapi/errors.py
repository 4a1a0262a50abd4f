"""What a request is refused with."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_PREFIX = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}


class ApiError(Exception):
    """A refusal: HTTP status and `error_code`, `description`, and `parameters` if any."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def json(self) -> Json:
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(text: str, **parameters: int) -> ApiError:
    """400 with Telegram's prefix before `text`."""
    return ApiError(400, f"{_PREFIX[400]}: {text}", **parameters)


def forbidden(text: str) -> ApiError:
    """403 with Telegram's prefix before `text`."""
    return ApiError(403, f"{_PREFIX[403]}: {text}")


def conflict(text: str) -> ApiError:
    """409 with Telegram's prefix before `text`."""
    return ApiError(409, f"{_PREFIX[409]}: {text}")


def too_many_requests(retry_after: int) -> ApiError:
    """429; `retry_after` in seconds."""
    text = f"Too Many Requests: retry after {retry_after}"
    return ApiError(429, text, retry_after=retry_after)
