"""The tables. Times are UTC; what is sealed (``bytes``) opens only with its row's ``ref``."""

from storage.models.cases import Case, CaseMessage
from storage.models.columns import Base, BigId, UtcDateTime
from storage.models.conversation import Dialog, Intake, WebChat, WebDevice, WebFile, WebMessage
from storage.models.outbox import Broadcast, Delivery, LanePace, PastDelivery
from storage.models.people import (
    Account,
    Area,
    Consent,
    Enrolment,
    Installation,
    Invite,
    Person,
    Role,
    StatusChange,
)
from storage.models.record import Contact, Login, Look
from storage.models.rhythm import Checkin, CheckinRule, Rollcall, RuleClock

__all__ = [
    "Account",
    "Area",
    "Base",
    "BigId",
    "Broadcast",
    "Case",
    "CaseMessage",
    "Checkin",
    "CheckinRule",
    "Consent",
    "Contact",
    "Delivery",
    "Dialog",
    "Enrolment",
    "Installation",
    "Intake",
    "Invite",
    "LanePace",
    "Login",
    "Look",
    "PastDelivery",
    "Person",
    "Role",
    "Rollcall",
    "RuleClock",
    "StatusChange",
    "UtcDateTime",
    "WebChat",
    "WebDevice",
    "WebFile",
    "WebMessage",
]
