"""Groups: who reads what, who comes and goes, and the move to a supergroup."""

from __future__ import annotations

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
)
from aiogram.types import Update

from tests.botapi import BotApi, Group, PrivateConversation, User, fixtures
from tests.botapi.account import BotAccount
from tests.botapi.fixtures import inline

pytestmark = pytest.mark.asyncio

server, account, bot = fixtures.server, fixtures.account, fixtures.bot
fang, chat = fixtures.fang, fixtures.chat


@pytest.fixture
def li(server: BotApi) -> User:
    return server.add_user("Li")


@pytest.fixture
def group(server: BotApi, account: BotAccount, fang: User, li: User) -> Group:
    group = server.add_group("南渡河亲情聊天室", fang, li)
    group.add(account, by=fang)
    return group


def took(account: BotAccount) -> list[Update]:
    """The updates that wait, as aiogram reads them; they wait no longer."""
    updates = [Update.model_validate(update) for update in account.updates.pending.values()]
    account.updates.pending.clear()
    return updates


async def test_the_bot_hears_that_it_was_added(account: BotAccount, group: Group) -> None:
    change, service = took(account)
    assert change.my_chat_member is not None
    assert change.my_chat_member.chat.title == "南渡河亲情聊天室"
    assert change.my_chat_member.old_chat_member.status == "left"
    assert change.my_chat_member.new_chat_member.status == "member"
    assert service.message is not None
    assert service.message.new_chat_members is not None
    assert service.message.new_chat_members[0].id == account.id
    assert group.id < 0


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("good morning", False),
        ("/rollcall", True),
        ("/rollcall@kinroom_bot now", True),
        ("/rollcall@other_bot", False),
        ("hello @Kinroom_Bot", True),
        ("hello @kinroom_bots", False),
    ],
)
async def test_privacy_mode(
    account: BotAccount, group: Group, li: User, text: str, seen: bool
) -> None:
    took(account)
    await group.open(li).write(text)
    assert bool(took(account)) is seen


async def test_replies_to_the_bot_are_seen_and_other_replies_are_not(
    bot: Bot, account: BotAccount, group: Group, li: User, fang: User
) -> None:
    await bot.send_message(group.id, "who is well?")
    took(account)
    await group.open(li).reply(group.open(li).last, "I am")
    (update,) = took(account)
    assert update.message is not None
    assert update.message.text == "I am"
    remark = await group.open(fang).write("good")
    await group.open(li).reply(remark, "yes")
    assert took(account) == []


async def test_a_bot_without_privacy_or_with_rights_reads_everything(
    account: BotAccount, group: Group, li: User
) -> None:
    took(account)
    account.privacy = False
    await group.open(li).write("one")
    account.privacy = True
    group.promote(account)
    await group.open(li).write("two")
    updates = took(account)
    assert [u.message.text for u in updates if u.message] == ["one", "two"]
    assert updates[1].my_chat_member is not None
    assert updates[1].my_chat_member.new_chat_member.status == "administrator"


async def test_photos_without_words_stay_private(
    account: BotAccount, group: Group, li: User
) -> None:
    took(account)
    await group.open(li).send_photo()
    await group.open(li).send_photo(caption="see @kinroom_bot")
    assert len(took(account)) == 1


async def test_members_come_and_go(
    bot: Bot, server: BotApi, account: BotAccount, group: Group, li: User
) -> None:
    wang = server.add_user("Wang")
    group.promote(account)
    account.updates.allow(["message", "chat_member"])
    took(account)
    group.add(wang, by=li)
    group.leave(li)
    updates = took(account)
    assert [u.event_type for u in updates] == ["chat_member", "message"] * 2
    assert (await bot.get_chat_member(group.id, wang.id)).status == "member"
    assert (await bot.get_chat_member(group.id, li.id)).status == "left"
    with pytest.raises(RuntimeError, match="not in the group"):
        await group.open(li).write("x")


async def test_a_bot_that_was_kicked_hears_it_and_can_write_no_more(
    bot: Bot, account: BotAccount, group: Group, fang: User
) -> None:
    took(account)
    group.remove(account, by=fang)
    (update,) = took(account)
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(TelegramForbiddenError, match="bot was kicked from the group chat"):
        await bot.send_message(group.id, "x")


async def test_a_bot_may_leave(bot: Bot, account: BotAccount, group: Group) -> None:
    took(account)
    await bot.leave_chat(group.id)
    (update,) = took(account)
    assert update.my_chat_member is not None
    assert update.my_chat_member.new_chat_member.status == "left"
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the group chat"):
        await bot.send_message(group.id, "x")


async def test_a_group_the_bot_never_saw(bot: Bot, server: BotApi, fang: User) -> None:
    group = server.add_group("others", fang)
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(group.id, "x")


async def test_a_group_becomes_a_supergroup(
    bot: Bot, account: BotAccount, group: Group, li: User
) -> None:
    took(account)
    new = group.migrate()
    old_message, new_message = took(account)
    assert old_message.message is not None
    assert new_message.message is not None
    assert old_message.message.chat.id == group.id
    assert old_message.message.migrate_to_chat_id == new.id
    assert new_message.message.chat.type == "supergroup"
    assert new_message.message.migrate_from_chat_id == group.id
    with pytest.raises(TelegramMigrateToChat) as moved:
        await bot.send_message(group.id, "x")
    assert moved.value.migrate_to_chat_id == new.id < -1_000_000_000_000
    await bot.send_message(new.id, "here now")
    assert new.open(li).last.text == "here now"
    with pytest.raises(RuntimeError, match="supergroup"):
        await group.open(li).write("x")
    assert (await bot.get_chat(new.id)).type == "supergroup"


async def test_taps_in_a_group_tell_who_tapped(
    bot: Bot, account: BotAccount, group: Group, li: User
) -> None:
    await bot.send_message(group.id, "?", reply_markup=inline(["I am well"]))
    took(account)
    member = group.open(li)
    member.press(member.last, "I am well")
    (update,) = took(account)
    assert update.callback_query is not None
    assert update.callback_query.from_user.id == li.id


async def test_a_bot_deletes_others_messages_only_as_administrator(
    bot: Bot, account: BotAccount, group: Group, li: User
) -> None:
    message = await group.open(li).write("spam")
    with pytest.raises(TelegramBadRequest, match="message can't be deleted"):
        await bot.delete_message(group.id, message.message_id)
    group.promote(account)
    await bot.delete_message(group.id, message.message_id)
    assert message.deleted


async def test_private_chats_are_not_left(bot: Bot, chat: PrivateConversation) -> None:
    with pytest.raises(TelegramBadRequest, match="private chats"):
        await bot.leave_chat(chat.user.id)
