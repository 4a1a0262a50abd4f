"""What the demo's workers asked, so that the liaison's inbox is not empty."""

from datetime import datetime, timedelta

from sqlalchemy import insert

from bot.demo.cast import Cast
from bot.demo.names import EARLIER_ANSWER, EARLIER_QUESTION, QUESTION
from bot.demo.people import insert_ids
from storage.database import Tx
from storage.models import Case, CaseMessage
from storage.vault import new_ref


async def add_cases(tx: Tx, cast: list[Cast], liaison: int, now: datetime) -> None:
    """An open question of today, and one that was answered last week."""
    asking, answered = [person for person in cast[1:] if person.habit == "steady"][:2]
    told = [(asking, "open", now - timedelta(hours=3)), (answered, "answered", now - timedelta(9))]
    ids = await insert_ids(
        tx,
        Case,
        [
            {
                "ref": new_ref(),
                "person_id": person.id,
                "area_id": person.area_id,
                "kind": "question",
                "state": state,
                "opened_at": at,
                "answered_at": at + timedelta(hours=2) if state == "answered" else None,
            }
            for person, state, at in told
        ],
    )
    said = [
        (ids[0], asking.id, QUESTION, told[0][2]),
        (ids[1], answered.id, EARLIER_QUESTION, told[1][2]),
        (ids[1], liaison, EARLIER_ANSWER, told[1][2] + timedelta(hours=2)),
    ]
    messages = []
    for case_id, author, words, at in said:
        ref = new_ref()
        messages.append(
            {
                "ref": ref,
                "case_id": case_id,
                "author_id": author,
                "text": tx.vault.seal("case_message.text", ref, words),
                "at": at,
            }
        )
    await tx.execute(insert(CaseMessage), messages)
