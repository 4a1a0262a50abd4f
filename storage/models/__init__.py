"""The tables. Times are UTC; what is sealed (``bytes``) opens only with its row's ``ref``."""

from storage.models.cases import Case, CaseMessage
from storage.models.columns import Base, BigId, UtcDateTime
from storage.models.conversation import Dialog, Intake, WebChat, WebDevice, WebFile, WebMessage
from storage.models.family import Kin, KinQuestion
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
from storage.models.reminders import Reminder, Subscription, Topic
from storage.models.rhythm import (
    Checkin,
    Rollcall,
    RollcallView,
    Rule,
    RuleClock,
    RuleVersion,
    Step,
    Task,
)

__all__ = [
    "Account",
    "Area",
    "Base",
    "BigId",
    "Broadcast",
    "Case",
    "CaseMessage",
    "Checkin",
    "Consent",
    "Contact",
    "Delivery",
    "Dialog",
    "Enrolment",
    "Installation",
    "Intake",
    "Invite",
    "Kin",
    "KinQuestion",
    "LanePace",
    "Login",
    "Look",
    "PastDelivery",
    "Person",
    "Reminder",
    "Role",
    "Rollcall",
    "RollcallView",
    "Rule",
    "RuleClock",
    "RuleVersion",
    "StatusChange",
    "Step",
    "Subscription",
    "Task",
    "Topic",
    "UtcDateTime",
    "WebChat",
    "WebDevice",
    "WebFile",
    "WebMessage",
]
