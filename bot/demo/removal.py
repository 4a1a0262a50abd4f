"""Taking the demo away, and nothing else."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import CompoundSelect, Select, delete, func, or_, select, union, update

from bot.demo.county import REMOVED
from bot.demo.names import COUNTY, TOWNS
from storage.database import Tx
from storage.installation import DEMO, drop_value, find_value, put_value
from storage.models import (
    Account,
    Area,
    Broadcast,
    Case,
    CaseMessage,
    Checkin,
    Consent,
    Contact,
    Delivery,
    Dialog,
    Enrolment,
    Invite,
    Kin,
    KinQuestion,
    Login,
    Look,
    Person,
    Reminder,
    Role,
    Rollcall,
    RollcallView,
    Rule,
    RuleClock,
    RuleVersion,
    StatusChange,
    Step,
    Subscription,
    Task,
    WebChat,
)
from storage.outbox.past import DELIVERIES
from storage.people.areas import in_subtree


@dataclass(frozen=True, slots=True)
class Removed:
    """What went; ``kept_areas`` are the names of demo areas that real people belong to.

    ``again``: it was removed before, but for areas that were kept then.
    """

    there_was_one: bool
    people: int = 0
    contacts: int = 0
    areas: int = 0
    kept_areas: list[str] = field(default_factory=list)
    again: bool = False


_KEPT = "demo_kept"
"""The key for the ids of the demo's areas that the last removal had to leave."""

_DEMO = select(Person.id).where(Person.is_demo)
_REAL = select(Person.id).where(~Person.is_demo)
_OURS = {COUNTY[0], *(town.code for town in TOWNS)} | {
    village.code for town in TOWNS for village in town.villages
}
_AREAS_OF_REAL_PEOPLE: CompoundSelect[int] = union(
    select(Person.area_id).where(~Person.is_demo, Person.area_id.is_not(None)),
    *(
        select(table.area_id).where(table.person_id.in_(_REAL))
        for table in (Enrolment, Contact, Checkin, Case, Task)
    ),
)
"""On whose register they are or were. A role, an invite or a look alone keeps no made-up area."""


async def remove_demo(tx: Tx, now: datetime) -> Removed:
    """Remove the demo's people and all that is theirs, and its areas where nobody real is.

    Real people are left untouched, wherever they joined; who joined it and was erased since goes
    with it, and so do roles that end with an area. A demo officer whom a real person's record names
    stays as a row without a name. The demo does not come back by itself. What was kept can be
    removed by a later call, once nobody is there any more.
    """
    kept_before = await find_value(tx, _KEPT)
    again = await find_value(tx, DEMO) is None
    if again and kept_before is None:
        return Removed(there_was_one=False)
    ours = await _find_ours(tx, kept_before if again else None)
    await _take_in_the_erased(tx, ours)
    cases = select(Case.id).where(Case.person_id.in_(_DEMO))
    asked = select(Checkin.id).where(Checkin.person_id.in_(_DEMO))
    for sent in DELIVERIES:
        await tx.execute(
            delete(sent).where(
                or_(sent.person_id.in_(_DEMO), sent.case_id.in_(cases), sent.checkin_id.in_(asked))
            )
        )
    await _drop_ties(tx)
    contacts = (await tx.execute(delete(Contact).where(Contact.person_id.in_(_DEMO)))).rowcount
    await tx.execute(delete(CaseMessage).where(CaseMessage.case_id.in_(cases)))
    await tx.execute(delete(Case).where(Case.person_id.in_(_DEMO)))
    for followed in (Step, Task):
        await tx.execute(delete(followed).where(followed.person_id.in_(_DEMO)))
    await tx.execute(delete(Checkin).where(Checkin.person_id.in_(_DEMO)))
    await tx.execute(delete(Reminder).where(Reminder.person_id.in_(_DEMO)))
    await tx.execute(delete(Subscription).where(Subscription.person_id.in_(_DEMO)))
    await _drop_chats(tx)
    for table in (Login, Role, Enrolment, StatusChange, Consent, Account, RollcallView):
        await tx.execute(delete(table).where(table.person_id.in_(_DEMO)))
    await tx.execute(
        delete(Look).where(
            or_(
                Look.person_id.in_(_DEMO),
                Look.by_person_id.in_(_DEMO) & Look.person_id.is_(None),
            )
        )
    )
    await tx.execute(delete(Invite).where(Invite.person_id.in_(_DEMO)))
    await _forget_authors(tx)
    people = await _drop_people(tx, now)
    areas, kept = await _drop_areas(tx, ours, now)
    await drop_value(tx, DEMO)
    await put_value(tx, REMOVED, now.isoformat())
    return Removed(True, people, contacts, areas, kept, again)


async def _find_ours(tx: Tx, kept_before: str | None) -> set[int]:
    """The demo's areas: by their codes, or of those that an earlier removal had to keep."""
    found = set((await tx.execute(select(Area.id).where(Area.code.in_(_OURS)))).scalars())
    return found if kept_before is None else found & {int(one) for one in kept_before.split()}


async def _take_in_the_erased(tx: Tx, ours: set[int]) -> None:
    """Who joined the demo only and left it again is nobody any more: their rows go with it."""
    joined = select(Enrolment.person_id).where(Enrolment.area_id.in_(ours))
    elsewhere = select(Enrolment.person_id).where(Enrolment.area_id.not_in(ours))
    await tx.execute(
        update(Person)
        .where(
            ~Person.is_demo,
            Person.erased_at.is_not(None),
            Person.id.in_(joined),
            Person.id.not_in(elsewhere),
        )
        .values(is_demo=True)
    )


async def _drop_reminders(tx: Tx, rules: Select[int]) -> None:
    """Of those who were here once, and have moved on since."""
    reminders = select(Reminder.id).where(Reminder.rule_id.in_(rules))
    await tx.execute(
        update(Delivery).where(Delivery.reminder_id.in_(reminders)).values(reminder_id=None)
    )
    await tx.execute(delete(Reminder).where(Reminder.rule_id.in_(rules)))


async def _drop_ties(tx: Tx) -> None:
    ties = select(Kin.id).where(or_(Kin.worker_id.in_(_DEMO), Kin.relative_id.in_(_DEMO)))
    await tx.execute(delete(KinQuestion).where(KinQuestion.kin_id.in_(ties)))
    await tx.execute(delete(Kin).where(Kin.id.in_(ties)))


async def _drop_chats(tx: Tx) -> None:
    chats = select(Account.chat_id).where(Account.person_id.in_(_DEMO), Account.channel == "web")
    accounts = await tx.execute(
        select(Account.bot_id, Account.chat_id).where(Account.person_id.in_(_DEMO))
    )
    theirs = {(str(account.bot_id), str(account.chat_id)) for account in accounts}
    keys = [
        key
        for key in (await tx.execute(select(Dialog.key))).scalars()
        if tuple(key.split(":")[:2]) in theirs
    ]
    await tx.execute(delete(Dialog).where(Dialog.key.in_(keys)))
    await tx.execute(delete(WebChat).where(WebChat.chat_id.in_(chats)))


async def _forget_authors(tx: Tx) -> None:
    """Where a row of a real person may do without the demo officer who made it."""
    for column in (
        Contact.by_person_id,
        Rollcall.by_person_id,
        Rollcall.closed_by,
        Broadcast.by_person_id,
        Broadcast.stopped_by,
        RuleVersion.by_person_id,
        Invite.created_by,
    ):
        await tx.execute(update(column.class_).where(column.in_(_DEMO)).values({column.key: None}))


async def _drop_people(tx: Tx, now: datetime) -> int:
    named = union(
        select(CaseMessage.author_id).where(CaseMessage.author_id.in_(_DEMO)),
        select(Look.by_person_id).where(Look.by_person_id.in_(_DEMO)),
    ).subquery()
    gone = await tx.execute(
        delete(Person).where(Person.is_demo, Person.id.not_in(select(named.c[0])))
    )
    shells = await tx.execute(
        update(Person)
        .where(Person.is_demo)
        .values(
            name=None,
            name_key=None,
            area_id=None,
            is_officer=False,
            consented=False,
            status="left",
            erased_at=now,
        )
    )
    return gone.rowcount + shells.rowcount


async def _drop_areas(tx: Tx, ours: set[int], now: datetime) -> tuple[int, list[str]]:
    county = await tx.scalar(select(Area.path).where(Area.code == COUNTY[0]))
    if county is None:
        await drop_value(tx, _KEPT)
        return 0, []
    rows = (
        await tx.execute(
            select(Area.id, Area.path, Area.name)
            .where(in_subtree(Area.path, county))
            .order_by(func.length(Area.path), Area.id)
        )
    ).all()
    lived_in = set((await tx.execute(_AREAS_OF_REAL_PEOPLE)).scalars())
    # An area that was added below the demo's by hand is not ours to remove.
    kept = [row for row in rows if row.id in lived_in or row.id not in ours]
    keep = {int(step) for row in kept for step in row.path.split("/") if step}
    gone = [row.id for row in rows if row.id not in keep]
    called = select(Rollcall.id).where(Rollcall.area_id.in_(gone))
    await tx.execute(delete(RollcallView).where(RollcallView.rollcall_id.in_(called)))
    news = select(Broadcast.id).where(Broadcast.area_id.in_(gone))
    for sent in DELIVERIES:  # to an officer, of what became of it
        await tx.execute(delete(sent).where(sent.broadcast_id.in_(news)))
    for table in (Checkin, Rollcall, Broadcast, Look, Invite, Role):
        # What real people hold of these would have kept the area.
        await tx.execute(delete(table).where(table.area_id.in_(gone)))
    rules = select(Rule.id).where(Rule.area_id.in_(gone))
    await tx.execute(delete(RuleClock).where(RuleClock.rule_id.in_(rules)))
    await tx.execute(delete(RuleVersion).where(RuleVersion.rule_id.in_(rules)))
    await _drop_reminders(tx, rules)
    await tx.execute(delete(Rule).where(Rule.area_id.in_(gone)))
    for area_id in reversed(gone):  # a parent goes after its children
        await tx.execute(delete(Area).where(Area.id == area_id))
    left = sorted(keep & ours)
    await _stop_idle_rules(tx, left, county, now)
    await (put_value(tx, _KEPT, " ".join(map(str, left))) if left else drop_value(tx, _KEPT))
    return len(gone), [row.name for row in rows if row.id in keep]


async def _stop_idle_rules(tx: Tx, areas: list[int], county: str, now: datetime) -> None:
    """Rules of the demo that speak to nobody, where its areas stay for a past or for others."""
    below = select(Area.id).where(in_subtree(Area.path, county))
    lived_in = select(Person.id).where(~Person.is_demo, Person.area_id.in_(below)).limit(1)
    if await tx.scalar(lived_in) is None:
        await tx.execute(
            update(Rule)
            .where(Rule.area_id.in_(areas), Rule.stopped_at.is_(None))
            .values(stopped_at=now)
        )
