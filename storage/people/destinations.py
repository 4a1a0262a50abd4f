"""A place that people are meant by: where they are now."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, literal

from storage.models import Person


@dataclass(frozen=True, slots=True)
class Destination:
    """Where people are now, as coarse as it is kept; each part may be left open."""

    country: str | None = None
    province: str | None = None
    city: str | None = None

    def holds(self) -> ColumnElement[bool]:
        """True of a :class:`Person` who is there."""
        parts = (
            (Person.country, self.country),
            (Person.province, self.province),
            (Person.city, self.city),
        )
        return and_(literal(True), *(column == code for column, code in parts if code))


EVERYWHERE: Final = Destination()
