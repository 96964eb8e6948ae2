"""The ledger without Kafka: notes, checkpoints, proofs, the tree as it is kept, and what is found when it is tampered
with."""

from __future__ import annotations

import base64
import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.errors import ProofError, SettingsError
from hueandcry.lanes.state import Overlay
from hueandcry.ledger.checkpoints import Checkpoint, open_checkpoint
from hueandcry.ledger.notes import VerifierKey, open_note, sign_note, verifier_key
from hueandcry.ledger.proofs import LedgerProof
from hueandcry.ledger.records import RECORD, Act, batches, bodies, concerns, leaf_of, read_record, seal
from hueandcry.ledger.tree import Tree, grow, opened
from hueandcry.ledger.verify import Fault, Verifier, signed
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import frame
from hueandcry.wire.merkle import Range, check_consistency, levels
from hueandcry.wire.schemas import schema

ORIGIN = "hueandcry.example/ledger"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
VKEY = verifier_key(ORIGIN, KEY)
FINGERPRINT = schema(RECORD).fingerprint
ALERT = "67d51283-0897-56dd-babc-5d7802f6a043"

# -- notes, against the vectors of golang.org/x/mod/sumdb/note ------------------------------------------------------

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCHS = (
    "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)


def test_a_note_is_signed_as_go_signs_it() -> None:
    private = Ed25519PrivateKey.from_private_bytes(PETERS_SEED)
    assert str(verifier_key("PeterNeumann", private)) == PETER
    assert sign_note(TEXT, "PeterNeumann", private) == f"{TEXT}\n{PETERS}"


def test_notes_of_go_are_opened() -> None:
    peter, enoch = VerifierKey.parse(PETER), VerifierKey.parse(ENOCH)
    assert open_note(f"{TEXT}\n{PETERS}{ENOCHS}", [peter]).signed_by == (peter,)
    assert open_note(f"{TEXT}\n{PETERS}{ENOCHS}", [peter, enoch]).signed_by == (peter, enoch)
    # A witness's line of another kind is passed over.
    other = "\u2014 witness.example/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5"
    other += "nNo0xUe+mbIUBkBIfZ+qnA==\n"
    assert open_note(f"{TEXT}\n{other}{PETERS}", [peter]).text == TEXT


@pytest.mark.parametrize(
    ("note", "rule"),
    [
        (f"{TEXT}\n{PETERS}{ENOCHS}", "note.unsigned"),
        (TEXT, "note.malformed"),
        (f"{TEXT}\n", "note.malformed"),
        (f"{TEXT}\n{PETERS[:-1]}", "note.malformed"),
        (f"\x01{TEXT}\n{PETERS}", "note.malformed"),
        (f"{TEXT}\n\u2014 Bad Name x08go/ZJ\n", "note.malformed"),
        (f"{TEXT}\n{PETERS}Unexpected line.\n", "note.malformed"),
        (f"{TEXT}\n{PETERS * 101}", "note.malformed"),
    ],
)
def test_notes_that_do_not_count(note: str, rule: str) -> None:
    with pytest.raises(ProofError) as caught:
        open_note(note, [VKEY])
    assert caught.value.rule == rule


def test_a_known_signature_that_does_not_hold_spoils_the_note() -> None:
    for note in (f"{TEXT}more\n\n{PETERS}{ENOCHS}", f"{TEXT}\n{PETERS[:60]}ABCD{PETERS[60:]}"):
        with pytest.raises(ProofError) as caught:
            open_note(note, [VerifierKey.parse(PETER)])
        assert caught.value.rule == "note.signature"


def test_mangled_keys_are_refused() -> None:
    """No part of a key and no key with a character changed is one."""
    for first, last in itertools.combinations(range(len(PETER) + 1), 2):
        if (first, last) != (0, len(PETER)):
            with pytest.raises(SettingsError):
                VerifierKey.parse(PETER[first:last])
    for at in range(len(PETER)):
        with pytest.raises(SettingsError):
            VerifierKey.parse(PETER[:at] + chr(ord(PETER[at]) + 1) + PETER[at + 1 :])


# -- checkpoints ----------------------------------------------------------------------------------------------------


def test_a_checkpoint() -> None:
    checkpoint = Checkpoint(ORIGIN, 3, b"\x07" * 32)
    note = checkpoint.signed(KEY)
    assert note.startswith(f"{ORIGIN}\n3\n{base64.b64encode(bytes([7] * 32)).decode()}\n\n\u2014 {ORIGIN} ")
    assert open_checkpoint(note, [VKEY]) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n03\n{'A' * 43}=\n",
        f"{ORIGIN}\n-3\n{'A' * 43}=\n",
        f"{ORIGIN}\n3\n{'A' * 40}\n",
        f"{ORIGIN}\n3\n{'A' * 42}B=\n",
        f"{ORIGIN}\n3\n",
        f"{ORIGIN}\n3\n{'A' * 43}=\n\nmore\n",
        f"another.example/log\n3\n{'A' * 43}=\n",
    ],
)
def test_what_is_signed_and_no_checkpoint(text: str) -> None:
    with pytest.raises(ProofError):
        open_checkpoint(sign_note(text, ORIGIN, KEY), [VKEY])


# -- records --------------------------------------------------------------------------------------------------------


def act(number: int, **fields: Any) -> Act:
    given = {"to": "ken-police", "state": "KEN", "alert_id": ALERT, "version": 1, "ref": f"d-{number}", **fields}
    return Act("disclosed", "issued", "fra-police", 1_700_000_000_000 + number, **given)


def test_a_record_comes_back() -> None:
    (body,) = bodies([act(5, withheld=("biometrics",), seal=b"\x01" * 32, form="redacted", rule="subscription: cars")])
    record = read_record(FINGERPRINT, body)
    assert record is not None
    assert len(record["salt"]) == 16
    assert (record["type"], record["to"], record["withheld"]) == ("disclosed", "ken-police", ["biometrics"])
    assert read_record("another", body) is None


def test_same_acts_have_different_hashes() -> None:
    """Whoever guesses a whole record still can't tell it by its hash in another's proof."""
    acts = [act(1)] * 50
    assert len({leaf_of(FINGERPRINT, body) for body in bodies(acts)}) == 50


def test_a_record_concerns_one_agency() -> None:
    for each, whose in (
        (act(1), "ken-police"),
        (act(1, to=None), "fra-police"),
        (Act("consulted", "vin", "ken-police", 1), "ken-police"),
        (Act("combined", "link", "platform", 1, alert_id=ALERT), "platform"),
    ):
        (body,) = bodies([each])
        assert concerns(decode(RECORD, body)) == whose


def test_a_seal_needs_its_secret() -> None:
    assert seal(b"s" * 64, b"content") != seal(b"t" * 64, b"content")
    assert seal(b"ab", b"c") != seal(b"a", b"bc")


def test_many_records_are_split() -> None:
    values = list(batches((act(number) for number in range(5000)), 7))
    assert len(values) > 1
    assert max(map(len, values)) < 300_000
    assert sum(len(opened(value)[1]) for value in values) == 5000


# -- the tree as it is kept -----------------------------------------------------------------------------------------


class Memory:
    """A database in memory."""

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.held.get(key)

    def scan(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        return iter(sorted((key, self.held[key]) for key in self.held if key.startswith(prefix) and key > after))

    def scan_back(self, prefix: bytes, before: bytes) -> Iterator[tuple[bytes, bytes]]:
        found = ((key, self.held[key]) for key in self.held if key.startswith(prefix) and key < before)
        return iter(sorted(found, reverse=True))


def value_of(given: Sequence[bytes]) -> bytes:
    return frame(7, encode("hueandcry.LedgerBatch", {"schema": FINGERPRINT, "records": list(given)}))


def grown(values: Sequence[bytes | None]) -> Memory:
    memory = Memory()
    for offset, value in enumerate(values):
        # One batch at a time, as it is committed: what has been written goes on from the database alone.
        overlay = Overlay(memory)
        grow(overlay, value, offset * 2)
        memory.held.update({key: each for key, each in overlay.writes.items() if each is not None})
    return memory


@given(st.lists(st.integers(0, 90), min_size=1, max_size=12), st.data())
@settings(max_examples=40, deadline=None)
def test_the_kept_tree_is_the_tree(sizes: list[int], data: st.DataObject) -> None:
    """Whatever the batches, in every size that it has had: roots, proofs, and where a record lies."""
    made = [list(bodies(act(number) for number in range(size))) for size in sizes]
    tree = Tree(grown([value_of(each) for each in made]))
    leaves = [leaf_of(FINGERPRINT, body) for each in made for body in each]
    assert tree.size == len(leaves)
    if not leaves:
        return
    size = data.draw(st.integers(1, tree.size))
    root = levels(leaves[:size])[-1][0]
    assert tree.root(size) == root
    index = data.draw(st.integers(0, size - 1))
    note = Checkpoint(ORIGIN, size, root).signed(KEY)
    body = [body for each in made for body in each][index]
    proof = LedgerProof(FINGERPRINT, body, index, tuple(tree.inclusion(index, size)), note)
    assert LedgerProof.from_text(proof.to_text()) == proof
    checkpoint, record = proof.check([VKEY])
    assert checkpoint.size == size
    assert record == decode(RECORD, body)
    old = data.draw(st.integers(0, size))
    check_consistency(old, tree.root(old), size, root, tree.consistency(old, size))
    offset, first = tree.batch_of(index) or (0, 0)
    assert body == made[offset // 2][index - first]


def test_across_tiles_of_two_levels() -> None:
    count = 66_000
    given = [b"%d" % number for number in range(count)]
    tree = Tree(grown([value_of(given[at : at + 997]) for at in range(0, count, 997)]))
    leaves = [leaf_of(FINGERPRINT, each) for each in given]
    for size in (count, 65_537, 65_536, 65_535, 257):
        assert tree.root(size) == levels(leaves[:size])[-1][0]
        for index in (0, 255, 256, size - 1):
            proof = tree.inclusion(index, size)
            note = Checkpoint(ORIGIN, size, tree.root(size)).signed(KEY)
            assert open_checkpoint(note, [VKEY]).size == size
            assert len(proof) <= 17


def test_an_agency_finds_its_own() -> None:
    acts = [act(1), act(2, to="deu-vehicles"), act(3), Act("consulted", "vin", "ken-police", 4, ref="c-1")]
    tree = Tree(grown(list(batches(acts, 7))))
    assert [each.index for each in tree.found(ALERT) if each.agency == "ken-police"] == [0, 2]
    assert [tuple(each) for each in tree.found("c-1")] == [(3, "ken-police")]
    assert list(tree.found(ALERT[:-1])) == []


def test_what_is_no_record_is_a_leaf_all_the_same() -> None:
    values = [*batches([act(1)], 7), b"something else", None]
    tree = Tree(grown(values))
    verifier = Verifier({3: tree.root()})
    for value in values:
        verifier.take(value)
    assert tree.size == 3
    assert verifier.end() == []


def test_a_proof_tells_nothing_of_others() -> None:
    """Two logs that differ only in who else got the alert give proofs that differ in hashes alone, not in how many."""
    texts: list[list[str]] = []
    for others in (["deu-vehicles", "bra-federal"], ["are-police", "nor-border"]):
        acts = [act(0), *(act(number, to=to) for number, to in enumerate(others, 1))]
        (value,) = batches(acts, 7)
        tree = Tree(grown([value]))
        note = Checkpoint(ORIGIN, 3, tree.root()).signed(KEY)
        body = opened(value)[1][0]
        texts.append(LedgerProof(FINGERPRINT, body, 0, tuple(tree.inclusion(0, 3)), note).to_text().split("\n"))
    assert len(texts[0]) == len(texts[1])
    for text in texts:
        whole = "\n".join(text) + base64.b64decode(text[1].removeprefix("extra ")).decode()
        assert not any(name in whole for name in ("deu-vehicles", "bra-federal", "are-police", "nor-border"))


# -- tampering ------------------------------------------------------------------------------------------------------

SAMPLE = 1000
EVERY = 64


def sample() -> tuple[list[bytes], dict[int, bytes]]:
    """A thousand records, and what was signed of them every 64 records and at the end."""
    made = list(bodies(act(number) for number in range(SAMPLE)))
    tree, roots = Range(), {}
    for number, body in enumerate(made, 1):
        tree.append(leaf_of(FINGERPRINT, body))
        if number % EVERY == 0 or number == SAMPLE:
            roots[number] = tree.root()
    return made, roots


def found(given: Sequence[bytes], roots: dict[int, bytes], kept: Sequence[bytes] = ()) -> list[Fault]:
    verifier = Verifier(roots, lambda index: kept[index] if index < len(kept) else None)
    for body in given:
        verifier.take_leaf(leaf_of(FINGERPRINT, body))
    return verifier.end()


def test_every_bit_of_a_thousand_records() -> None:
    """Each bit flipped, one at a time, changes the leaf, and with it the root that the path leads to.

    The path does not depend on the record, so that only its own leaf need be made anew.
    """
    made, roots = sample()
    leaves = [leaf_of(FINGERPRINT, body) for body in made]
    flips = 0
    for body, leaf in zip(made, leaves, strict=True):
        changed = bytearray(body)
        for at in range(len(body)):
            for bit in range(8):
                changed[at] ^= 1 << bit
                assert leaf_of(FINGERPRINT, bytes(changed)) != leaf
                changed[at] ^= 1 << bit
                flips += 1
        assert bytes(changed) == body
    assert flips == 8 * sum(map(len, made)) > 750_000
    # A leaf that differs leads to another root, wherever it is: each of them once, through the whole verification.
    for index in range(SAMPLE):
        tree = list(leaves)
        tree[index] = bytes([leaves[index][0] ^ 1]) + leaves[index][1:]
        verifier = Verifier(roots)
        first = index - index % EVERY
        verifier._range = Range(first, _peaks(leaves, first))
        verifier._good = Range(first, _peaks(leaves, first))
        for leaf in tree[first : min(first + EVERY, SAMPLE)]:
            verifier.take_leaf(leaf)
        (fault,) = verifier.faults
        assert fault.what == "changed"
        assert fault.first <= index <= fault.last


def _peaks(leaves: Sequence[bytes], size: int) -> list[bytes]:
    tree = Range()
    for leaf in leaves[:size]:
        tree.append(leaf)
    return list(tree.peaks)


@pytest.mark.parametrize("where", [0, 1, 63, 64, 500, 998, 999])
def test_whatever_is_done_to_a_record(where: int) -> None:
    made, roots = sample()
    kept = [leaf_of(FINGERPRINT, body) for body in made]
    assert found(made, roots) == []
    other = where + 1 if where + 1 < SAMPLE else where - 1
    swapped = list(made)
    swapped[where], swapped[other] = made[other], made[where]
    (forged,) = bodies([act(where)])
    cases = {
        "changed": [*made[:where], forged, *made[where + 1 :]],
        "dropped": [*made[:where], *made[where + 1 :]],
        "twice": [*made[:where], made[where], *made[where:]],
        "moved": swapped,
    }
    if where == SAMPLE - 1:
        # What comes after all that was signed is new, not changed.
        del cases["twice"]
    for what, tampered in cases.items():
        pairs = enumerate(zip(tampered, made, strict=False))
        first = next((at for at, (one, two) in pairs if one != two), len(tampered))
        fault = found(tampered, roots)[0]
        assert fault.what in ("changed", "missing"), what
        assert fault.first <= first <= fault.last, what
        # With a copy of the hashes it is found to the record.
        assert found(tampered, roots, kept)[0].first == first, what


def test_the_end_taken_off() -> None:
    made, roots = sample()
    (fault,) = found(made[:900], roots)
    assert fault.what == "missing"
    assert (fault.first, fault.last) == (896, 999)
    (fault,) = found(made[:900], roots, [leaf_of(FINGERPRINT, body) for body in made])
    assert (fault.first, fault.last) == (900, 999)


def test_a_copy_that_does_not_lead_to_the_root_says_nothing() -> None:
    made, roots = sample()
    wrong = [leaf_of(FINGERPRINT, body) for body in made]
    wrong[3] = wrong[4]
    changed = [*made[:10], made[11], *made[11:]]
    (fault,) = found(changed, roots, wrong)
    assert (fault.first, fault.last) == (0, EVERY - 1)


def test_a_forked_log() -> None:
    one, other = (Checkpoint(ORIGIN, 8, bytes([number]) * 32).signed(KEY) for number in (1, 2))
    read = signed([("the topic", one), ("what we kept", other), ("the topic", one)], [VKEY])
    assert [fault.what for fault in read.faults] == ["fork"]
    assert "what we kept" in read.faults[0].message


def test_a_checkpoint_of_nobody() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
    note = Checkpoint(ORIGIN, 8, b"\x01" * 32).signed(stranger)
    for bad in (note, "no note", ""):
        read = signed([("here", bad)], [VKEY])
        assert [fault.what for fault in read.faults] == ["checkpoint"]
        assert not read.roots


def test_bits_of_a_proof() -> None:
    """No bit of a proof can be changed: it fails, or the change is in a signature line of nobody's."""
    acts = [act(number) for number in range(5)]
    (value,) = batches(acts, 7)
    tree = Tree(grown([value]))
    note = Checkpoint(ORIGIN, 5, tree.root()).signed(KEY)
    body = opened(value)[1][2]
    text = LedgerProof(FINGERPRINT, body, 2, tuple(tree.inclusion(2, 5)), note).to_text()
    data = text.encode()
    draw = random.Random(1)
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << draw.randrange(8)
        try:
            proof = LedgerProof.from_text(changed.decode())
            proof.check([VKEY])
        except (ProofError, UnicodeDecodeError):
            continue
        raise AssertionError(f"byte {at} of the proof can be changed")
