"""What goes the short way says the same as aiogram's form, for every kind of value."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.default import Default, DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.enums import ChatAction, ParseMode
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteMessages,
    EditMessageReplyMarkup,
    EditMessageText,
    RestrictChatMember,
    SendChatAction,
    SendDocument,
    SendLocation,
    SendMediaGroup,
    SendMessage,
    SendPhoto,
    SetMyCommands,
    TelegramMethod,
)
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BufferedInputFile,
    ChatPermissions,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    LinkPreviewOptions,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    WebAppInfo,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.parameters import NotPlain, as_json
from tests.botapi.params import check_params, read_json

TOKEN = "123456:TEST"
FORMS = AiohttpSession()

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
maybe = st.none() | st.booleans()
numbers = st.integers(1, 2**52)
modes = st.sampled_from([None, "HTML", ParseMode.HTML, Default("parse_mode")])
entities = st.builds(
    MessageEntity,
    type=st.sampled_from(["bold", "text_link", "custom_emoji"]),
    offset=st.integers(0, 9),
    length=st.integers(1, 9),
    url=st.none() | words,
    custom_emoji_id=st.none() | words,
)
inline_buttons = st.builds(
    InlineKeyboardButton,
    text=words,
    callback_data=st.none() | words,
    url=st.none() | words,
    web_app=st.none() | st.builds(WebAppInfo, url=words),
)
inline = st.builds(
    InlineKeyboardMarkup, inline_keyboard=st.lists(st.lists(inline_buttons, max_size=2), max_size=2)
)
keyboards = st.builds(
    ReplyKeyboardMarkup,
    keyboard=st.lists(
        st.lists(st.builds(KeyboardButton, text=words, request_location=maybe), max_size=2),
        max_size=2,
    ),
    resize_keyboard=maybe,
    input_field_placeholder=st.none() | words,
)
markups = st.one_of(
    st.none(),
    inline,
    keyboards,
    st.builds(ReplyKeyboardRemove, selective=maybe),
    st.builds(ForceReply, selective=maybe),
)
replies = st.builds(
    ReplyParameters,
    message_id=numbers,
    allow_sending_without_reply=maybe,
    quote=st.none() | words,
    quote_entities=st.none() | st.lists(entities, max_size=2),
)
previews = st.builds(LinkPreviewOptions, is_disabled=maybe, url=st.none() | words)
times = st.integers(1_790_000_000, 1_999_999_999).map(lambda at: datetime.fromtimestamp(at, UTC))
methods: st.SearchStrategy[TelegramMethod[Any]] = st.one_of(
    st.builds(
        SendMessage,
        chat_id=numbers | st.just("@village"),
        text=words,
        parse_mode=modes,
        entities=st.none() | st.lists(entities, max_size=2),
        link_preview_options=st.none() | previews | st.just(Default("link_preview")),
        disable_notification=maybe,
        protect_content=maybe,
        reply_parameters=st.none() | replies,
        reply_markup=markups,
        message_thread_id=st.none() | st.just(0) | numbers,
    ),
    st.builds(
        EditMessageText,
        chat_id=numbers,
        message_id=numbers,
        text=words,
        parse_mode=modes,
        reply_markup=st.none() | inline,
    ),
    st.builds(
        EditMessageReplyMarkup,
        chat_id=numbers,
        message_id=numbers,
        reply_markup=st.none() | inline,
    ),
    st.builds(
        AnswerCallbackQuery,
        callback_query_id=words,
        text=st.just("") | st.none() | words,
        show_alert=maybe,
        cache_time=st.none() | st.integers(0, 9),
    ),
    st.builds(SendChatAction, chat_id=numbers, action=st.sampled_from(ChatAction)),
    st.builds(DeleteMessages, chat_id=numbers, message_ids=st.lists(numbers, min_size=1)),
    st.builds(
        SetMyCommands,
        commands=st.lists(st.builds(BotCommand, command=words, description=words), max_size=2),
        scope=st.none() | st.builds(BotCommandScopeAllPrivateChats),
        language_code=st.none() | words,
    ),
    st.builds(
        RestrictChatMember,
        chat_id=numbers,
        user_id=numbers,
        permissions=st.builds(ChatPermissions, can_send_messages=maybe, can_pin_messages=maybe),
        until_date=st.none() | times | numbers,
    ),
    st.builds(
        SendLocation,
        chat_id=numbers,
        latitude=st.floats(-90, 90),
        longitude=st.floats(-180, 180),
        horizontal_accuracy=st.none() | st.floats(0, 1500),
    ),
    st.builds(
        SendPhoto,
        chat_id=numbers,
        photo=words,
        caption=st.none() | words,
        has_spoiler=maybe,
        reply_markup=markups,
    ),
    st.builds(
        SendMediaGroup,
        chat_id=numbers,
        media=st.lists(
            st.builds(InputMediaPhoto, media=words, caption=st.none() | words),
            min_size=2,
            max_size=3,
        ),
    ),
)
defaults = st.builds(
    DefaultBotProperties,
    parse_mode=st.none() | st.just(ParseMode.HTML),
    protect_content=maybe,
    link_preview=st.none() | previews,
    show_caption_above_media=maybe,
)


def as_form(bot: Bot, method: TelegramMethod[Any]) -> dict[str, str]:
    """What aiogram's own way would send."""
    form = FORMS.build_form_data(bot, method)
    return {options["name"]: value for options, _headers, value in form._fields}


@settings(max_examples=300, deadline=None)
@given(methods, defaults)
def test_the_same_is_said(method: TelegramMethod[Any], default: DefaultBotProperties) -> None:
    bot = Bot(TOKEN, session=FORMS, default=default)
    name = method.__api_method__
    ours = check_params(name, read_json(as_json(bot, method).decode()))
    assert ours == check_params(name, dict(as_form(bot, method)))


def test_a_time_from_now() -> None:
    bot = Bot(TOKEN, session=FORMS)
    method = RestrictChatMember(
        chat_id=1, user_id=2, permissions=ChatPermissions(), until_date=timedelta(hours=1)
    )
    ours = read_json(as_json(bot, method).decode())["until_date"]
    assert abs(ours - int(as_form(bot, method)["until_date"])) <= 1


def test_a_field_of_next_year() -> None:
    bot = Bot(TOKEN, session=FORMS)
    method = SendMessage(chat_id=1, text="?", a_field_of_next_year=2)
    assert read_json(as_json(bot, method).decode()) == {
        "chat_id": 1,
        "text": "?",
        "a_field_of_next_year": 2,
    }


@pytest.mark.parametrize(
    "method",
    [
        SendDocument(chat_id=1, document=BufferedInputFile(b"?", "a.txt")),
        SendMediaGroup(chat_id=1, media=[InputMediaPhoto(media=BufferedInputFile(b"?", "a.png"))]),
    ],
)
def test_a_file_has_no_place_in_it(method: TelegramMethod[Any]) -> None:
    with pytest.raises(NotPlain):
        as_json(Bot(TOKEN, session=FORMS), method)
