"""Sealed values open in their own place, with their own key, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.vault import SealBroken, Vault, new_ref

VAULT = Vault("a secret key")
names = st.from_regex(r"[a-z_]{1,20}\.[a-z_]{1,20}", fullmatch=True)
refs = st.text("abcdefABCDEF0123456789_-", min_size=22, max_size=22)


@given(names, refs, st.text())
def test_what_is_sealed_opens_again(column: str, ref: str, text: str) -> None:
    assert VAULT.open(column, ref, VAULT.seal(column, ref, text)) == text


@given(names, refs, st.binary())
def test_bytes_too(column: str, ref: str, content: bytes) -> None:
    assert VAULT.open_bytes(column, ref, VAULT.seal_bytes(column, ref, content)) == content


@given(names, refs, refs, st.text())
def test_not_in_another_row(column: str, ref: str, other: str, text: str) -> None:
    sealed = VAULT.seal(column, ref, text)
    if ref != other:
        with pytest.raises(SealBroken, match="row"):
            VAULT.open(column, other, sealed)


@given(names, names, refs, st.text())
def test_not_in_another_column(column: str, other: str, ref: str, text: str) -> None:
    sealed = VAULT.seal(column, ref, text)
    if column != other:
        with pytest.raises(SealBroken):
            VAULT.open(other, ref, sealed)


@given(names, refs, st.text(), st.text(min_size=1))
def test_not_with_another_key(column: str, ref: str, text: str, key: str) -> None:
    sealed = VAULT.seal(column, ref, text)
    if key != "a secret key":
        with pytest.raises(SealBroken, match="another secret key"):
            Vault(key).open(column, ref, sealed)


@given(refs, st.text(min_size=1), st.data())
def test_not_when_a_bit_has_changed(ref: str, text: str, data: st.DataObject) -> None:
    sealed = bytearray(VAULT.seal("person.name", ref, text))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        VAULT.open("person.name", ref, bytes(sealed))


@pytest.mark.parametrize("length", range(38))
def test_a_stump_does_not_open(length: int) -> None:
    sealed = VAULT.seal("person.name", "r", "小芳")[:length]
    with pytest.raises(SealBroken):
        VAULT.open("person.name", "r", sealed)


@given(st.text(), st.text())
def test_a_lookup_finds_the_same_and_tells_nothing(value: str, other: str) -> None:
    key = VAULT.lookup("phone", value)
    assert key == Vault("a secret key").lookup("phone", value)
    assert len(key) == 43
    assert key != VAULT.lookup("name", value)
    assert key != Vault("another key").lookup("phone", value)
    assert (VAULT.lookup("phone", other) == key) == (value == other)


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert VAULT.seal("a.b", "r", "x") != VAULT.seal("a.b", "r", "x")


def test_refs_do_not_repeat() -> None:
    refs = {new_ref() for _ in range(10_000)}
    assert len(refs) == 10_000
    assert all(len(ref) == 22 for ref in refs)
