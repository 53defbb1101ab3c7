"""One bit a credential: encoding, bounds, and the published list."""

import base64
import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.kit.errors import Invalid
from vsm.standards.open_badges.status_list import (
    MAX_BYTES,
    MIN_ENTRIES,
    StatusList,
    StatusListCredential,
    read_status_list,
    write_status_list,
)

# The example of Bitstring Status List 1.0 §2.2 (W3C): a list in which nothing is set
W3C_EXAMPLE = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"
PUBLISHED = StatusListCredential(
    "https://andes.example/status/1",
    "https://andes.example/issuers/andes",
    "revocation",
    StatusList.empty().changed({5: True}),
    datetime(2026, 7, 1, tzinfo=UTC),
    datetime(2026, 7, 8, tzinfo=UTC),
)


def packed(bits: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(bits, 1)).rstrip(b"=").decode()


def test_the_example_of_the_standard_unpacks_to_the_smallest_list_with_nothing_set() -> None:
    assert StatusList.decoded(W3C_EXAMPLE) == StatusList.empty()


def test_the_first_index_is_the_left_most_bit() -> None:
    assert StatusList.empty().changed({0: True, 9: True}).bits[:3] == bytes([0b1000_0000, 0b0100_0000, 0])
    assert StatusList.empty().changed({MIN_ENTRIES - 1: True}).bits[-1] == 0b0000_0001


@given(st.sets(st.integers(0, MIN_ENTRIES - 1), max_size=40))
def test_exactly_the_bits_that_were_set_come_back(indices: set[int]) -> None:
    back = StatusList.decoded(StatusList.empty().changed(dict.fromkeys(indices, True)).encoded())
    assert {index for index in indices if back.is_set(index)} == indices
    assert sum(byte.bit_count() for byte in back.bits) == len(indices)


def test_a_bit_can_be_cleared_again_and_the_old_list_stays_as_it_was() -> None:
    suspended = StatusList.empty().changed({7: True})
    assert suspended.changed({7: False}) == StatusList.empty()
    assert suspended.is_set(7)


def test_the_same_bits_always_give_the_same_text() -> None:
    assert StatusList.empty().encoded() == StatusList.empty().encoded()
    assert gzip.decompress(base64.urlsafe_b64decode(StatusList.empty().encoded()[1:] + "==")) == bytes(16_384)


@pytest.mark.parametrize("index", [-1, MIN_ENTRIES])
def test_an_index_outside_the_list_is_an_error(index: int) -> None:
    with pytest.raises(IndexError):
        StatusList.empty().is_set(index)
    with pytest.raises(IndexError):
        StatusList.empty().changed({index: True})


@pytest.mark.parametrize("entries", [MIN_ENTRIES - 8, MIN_ENTRIES + 1, 0, MAX_BYTES * 8 + 8])
def test_a_list_of_a_wrong_size_is_not_made(entries: int) -> None:
    with pytest.raises(Invalid):
        StatusList.empty(entries)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "u",
        "z" + W3C_EXAMPLE[1:],
        W3C_EXAMPLE[1:],
        W3C_EXAMPLE[:-8],
        W3C_EXAMPLE.replace("-", "+"),
        W3C_EXAMPLE + "==",
        "u" + "A" * 99,
        packed(bytes(MIN_ENTRIES // 8 - 1)),
        packed(bytes(MAX_BYTES * 64)),
    ],
    ids=[
        *("empty", "only-u", "base58", "no-u", "cut", "base64", "padding", "no-gzip", "too-short", "gzip-bomb"),
    ],
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        StatusList.decoded(text)


def test_a_published_list_reads_back_the_same() -> None:
    assert read_status_list(json.loads(json.dumps(write_status_list(PUBLISHED)))) == (PUBLISHED,)


def test_a_list_for_two_purposes_reads_as_two() -> None:
    document = write_status_list(PUBLISHED)
    document["credentialSubject"]["statusPurpose"] = ["revocation", "suspension"]
    assert [found.purpose for found in read_status_list(document)] == ["revocation", "suspension"]


@pytest.mark.parametrize("member", ["id", "type", "issuer", "validFrom", "credentialSubject"])
def test_a_list_without_a_required_member_is_refused(member: str) -> None:
    document = write_status_list(PUBLISHED)
    del document[member]
    with pytest.raises(Invalid):
        read_status_list(document)


@pytest.mark.parametrize("document", [None, [], "list", 7, {"credentialSubject": None}])
def test_any_other_json_is_refused(document: object) -> None:
    with pytest.raises(Invalid):
        read_status_list(document)
