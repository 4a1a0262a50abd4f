"""Texts: HTML as Telegram reads it, what it finds by itself, and what it strips."""

from __future__ import annotations

import html as stdlib_html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.botapi import ApiError
from tests.botapi.html import parse_html
from tests.botapi.text import clean, cut, find, units
from tests.botapi.url import check_link

# Other tests share the machine: how long one example takes says nothing.
patient = settings(deadline=None)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def shape(source: str) -> tuple[str, list[tuple[str, int, int]]]:
    text, entities = parse_html(source)
    return text, [(e["type"], e["offset"], e["length"]) for e in entities]


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>a</b>", "a", [("bold", 0, 1)]),
        ("👋<i>é</i>", "👋é", [("italic", 2, 1)]),
        ("<B>a</b >", "a", [("bold", 0, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("<b>a</b><strong>b</strong>", "ab", [("bold", 0, 2)]),
        ("<b></b>x", "x", []),
        ("<b>a</>", "a", [("bold", 0, 1)]),
        ('<span class="tg-spoiler">a</span>', "a", [("spoiler", 0, 1)]),
        ("<code><b>a</b></code>", "a", [("code", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
        ("&lt;&gt;&amp;&quot;", '<>&"', []),
        ("&nbsp; &copy &", "&nbsp; &copy &", []),
        ("&#20320;&#x597d;&#128075;", "你好👋", []),
        ("&#0;&#1114111;", "&#0;&#1114111;", []),
        ("a > b", "a > b", []),
    ],
)
def test_html(source: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    assert shape(source) == (text, entities)


def test_links_and_code_carry_their_argument() -> None:
    _, entities = parse_html(
        '<a href="https://example.org/?a=1&amp;b=2">x</a>'
        "<a href='tg://user?id=5000000001'>y</a>"
        '<pre><code class="language-python">z</code></pre>'
    )
    assert [e.get("url") for e in entities] == ["https://example.org/?a=1&b=2", None, None]
    assert entities[1]["user_id"] == 5_000_000_001
    assert (entities[2]["type"], entities[2]["language"]) == ("pre", "python")


def test_a_link_that_leads_nowhere_leaves_its_words() -> None:
    assert shape('<a href="http://localhost/">x</a>') == ("x", [])


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("<p>a</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("你<br>", 'Unsupported start tag "br" at byte offset 3'),
        ("a < b", "Unclosed start tag at byte offset 2|Unsupported start tag"),
        ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>a</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>a</b", "Unclosed end tag at byte offset 4"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href>x</a>", "Expected equal sign"),
        ("<a =x>x</a>", "Empty attribute name"),
        ("<a href=x/y>x</a>", "Unexpected end of name token"),
        ("<span>a</span>", 'must have class "tg-spoiler"'),
        ('<tg-emoji emoji-id="x">👋</tg-emoji>', "Invalid custom emoji identifier"),
        ("&#xd800;", "invalid Unicode characters"),
    ],
)
def test_bad_html(source: str, complaint: str) -> None:
    with pytest.raises(ApiError, match=complaint) as refused:
        parse_html(source)
    assert refused.value.code == 400
    assert refused.value.description.startswith("Bad Request: can't parse entities: ")


@patient
@given(any_text)
def test_escaped_text_comes_back(text: str) -> None:
    assert parse_html(stdlib_html.escape(text, quote=False)) == (text, [])


@patient
@given(any_text, any_text, any_text)
def test_offsets_are_utf16(before: str, inside: str, after: str) -> None:
    escaped = [stdlib_html.escape(part, quote=False) for part in (before, inside, after)]
    text, entities = parse_html("{}<u>{}</u>{}".format(*escaped))
    assert text == before + inside + after
    if inside:
        (entity,) = entities
        assert cut(text, entity["offset"], entity["length"]) == inside
    else:
        assert entities == []


@patient
@given(st.text("<>/&;=\"'ab i#x0好👋", max_size=40))
def test_any_source_is_parsed_or_refused(source: str) -> None:
    try:
        text, entities = parse_html(source)
    except ApiError:
        return  # the complaints are tested above
    text, entities = clean(text, entities)
    raw = text.encode("utf-16-le")
    for entity in entities:
        assert entity["length"] > 0
        assert entity["offset"] >= 0
        assert 2 * (entity["offset"] + entity["length"]) <= len(raw)
        cut(text, entity["offset"], entity["length"])


@patient
@given(any_text)
def test_clean_text_is_clean(text: str) -> None:
    once, _ = clean(text, [])
    assert clean(once, []) == (once, [])
    assert units(once) <= units(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/start abc", [("bot_command", 0, 6)]),
        ("/start@kinroom_bot", [("bot_command", 0, 18)]),
        ("a/b path/x", []),
        ("👋 @kinroom_bot!", [("mention", 3, 12)]),
        ("#平安 #1", [("hashtag", 0, 3)]),
        ("see https://example.org/a.", [("url", 4, 21)]),
        ("me@example.org", [("email", 0, 14)]),
    ],
)
def test_what_telegram_finds_by_itself(text: str, found: list[tuple[str, int, int]]) -> None:
    assert [(e["type"], e["offset"], e["length"]) for e in find(text, [])] == found


def test_nothing_is_found_inside_code() -> None:
    code = [{"type": "code", "offset": 0, "length": 6}]
    assert find("/start", code) == code


@pytest.mark.parametrize("url", ["https://127.0.0.1:8080/x", "http://[::1]/", "tg://user?id=1"])
def test_links_that_hold(url: str) -> None:
    assert check_link(url) == url


@pytest.mark.parametrize("url", ["localhost", "http://host/", "mailto:a@b.c", "http://a b.c/", ""])
def test_links_that_do_not(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        check_link(url)
