"""The file format: what is sealed opens, and what was touched anywhere releases nothing."""

import hashlib
import secrets
from uuid import UUID, uuid4

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.vault import (
    BODY,
    CHUNK,
    HEADER,
    SEALED_CHUNK,
    TAG,
    Header,
    RangeReader,
    Sealing,
    Tampered,
    context,
    seal,
)

KEY = bytes(range(32))
LICENSEE = UUID("00000000-0000-4000-8000-00000000000a")
OURS = Header(UUID("00000000-0000-4000-8000-000000000001"), UUID("00000000-0000-4000-8000-000000000002"), 3)
# Around every edge of the format: nothing, one byte, a chunk less one, a chunk, a chunk and one, several.
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 777]


class Memory:
    def __init__(self, data):
        self.data, self.size, self.reads = data, len(data), []

    def read_at(self, offset, length):
        self.reads.append((offset, length))
        return self.data[offset : offset + length]


def sealed(plaintext, *, key=KEY, header=OURS, licensee=LICENSEE):
    return seal(plaintext, key=key, header=header, licensee=licensee)[0]


def reader(data, *, key=KEY, header=OURS, licensee=LICENSEE):
    return RangeReader(Memory(data), key=key, header=header, licensee=licensee)


def released(data, **expected):
    """What reading from the beginning hands out before it fails."""
    out = b""
    try:
        opened = reader(data, **expected)
        for chunk in opened.read(0, opened.size):
            out += chunk
    except Tampered:
        return out, True
    return out, False


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens(size):
    plaintext = secrets.token_bytes(size)
    file, digests = seal(plaintext, key=KEY, header=OURS, licensee=LICENSEE)
    assert released(file) == (plaintext, False)
    assert digests.size == size
    assert digests.plaintext == hashlib.sha256(plaintext).digest()
    assert digests.ciphertext == hashlib.sha256(file).digest()


@pytest.mark.parametrize("size", SIZES)
def test_the_library_reads_what_we_write(size):
    plaintext = secrets.token_bytes(size)
    file = sealed(plaintext)
    decryptor = Cobblestone256Decryptor(KEY, context(file[:HEADER], LICENSEE))
    assert decryptor.update(file[HEADER:]) + decryptor.finalize() == plaintext


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3 * CHUNK), max_size=6))
def test_pieces_of_any_size_seal_to_the_same_plaintext(sizes):
    pieces = [secrets.token_bytes(size) for size in sizes]
    out = bytearray()
    sealing = Sealing(KEY, OURS, LICENSEE, out.extend)
    for piece in pieces:
        sealing.update(piece)
    digests = sealing.finish()
    assert released(bytes(out)) == (b"".join(pieces), False)
    assert digests.ciphertext == hashlib.sha256(out).digest()


def test_large_pieces_are_hashed_and_encrypted_alongside_without_mixing_buffers():
    plaintext = secrets.token_bytes(3 * 1024 * 1024 + 5)
    file, digests = seal(plaintext, key=KEY, header=OURS, licensee=LICENSEE)
    assert released(file) == (plaintext, False)
    assert digests.ciphertext == hashlib.sha256(file).digest()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_range_is_what_a_slice_would_be(data):
    size = data.draw(st.sampled_from(SIZES))
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    plaintext = hashlib.shake_128(b"range").digest(size)
    memory = Memory(sealed(plaintext))
    opened = RangeReader(memory, key=KEY, header=OURS, licensee=LICENSEE)
    assert b"".join(opened.read(start, stop)) == plaintext[start:stop]
    # Header, last chunk, and no more chunks than the range touches.
    assert len(memory.reads) <= (stop - start) // CHUNK + 2 + 2


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (0, 11), (5, 4), (11, 11)])
def test_a_range_outside_of_the_file_is_refused_by_name(start, stop):
    with pytest.raises(ValueError, match="range"):
        reader(sealed(b"ten bytes.")).read(start, stop)


def test_the_last_chunk_is_authenticated_first():
    file = bytearray(sealed(bytes(4 * CHUNK + 10)))
    file[-1] ^= 1
    assert released(bytes(file)) == (b"", True)


# ------------------------------------------------------------------------ what must fail before a byte is released
@pytest.mark.parametrize("size", [0, 10, CHUNK, 3 * CHUNK + 10])
def test_every_flipped_bit_in_header_salt_and_commitment_fails(size):
    file = sealed(bytes(size))
    for at in range(BODY):
        for bit in range(8):
            changed = bytearray(file)
            changed[at] ^= 1 << bit
            assert released(bytes(changed)) == (b"", True), f"byte {at}, bit {bit}"


def test_every_flipped_bit_of_a_small_file_fails():
    file = sealed(b"a short statement")
    for at in range(BODY, len(file)):
        for bit in range(8):
            changed = bytearray(file)
            changed[at] ^= 1 << bit
            assert released(bytes(changed)) == (b"", True)


@pytest.mark.parametrize("at", [BODY, BODY + 100, BODY + SEALED_CHUNK - 1], ids=["start", "middle", "tag"])
def test_a_flipped_bit_in_the_first_chunk_fails(at):
    file = bytearray(sealed(bytes(3 * CHUNK + 10)))
    file[at] ^= 0x10
    assert released(bytes(file)) == (b"", True)


def test_a_chunk_that_fails_in_the_middle_ends_the_reading_and_none_of_it_is_released():
    plaintext = secrets.token_bytes(4 * CHUNK + 10)
    file = bytearray(sealed(plaintext))
    file[BODY + 2 * SEALED_CHUNK + 5] ^= 1
    assert released(bytes(file)) == (plaintext[: 2 * CHUNK], True)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, BODY + 3 * SEALED_CHUNK + 10 + TAG - 1))
def test_a_file_cut_anywhere_fails(length):
    assert released(sealed(bytes(3 * CHUNK + 10))[:length]) == (b"", True)


@pytest.mark.parametrize("chunks", [0, 1, 2, 3])
@pytest.mark.parametrize("beyond", [-1, 0, 1, TAG - 1, TAG, TAG + 1])
def test_a_file_cut_at_a_chunks_edge_fails(chunks, beyond):
    file = sealed(bytes(3 * CHUNK + 10))
    length = BODY + chunks * SEALED_CHUNK + beyond
    if length < len(file):
        assert released(file[:length]) == (b"", True)


def _appended(file):
    return file + file[BODY : BODY + SEALED_CHUNK]


def _doubled(file):
    return file[: BODY + SEALED_CHUNK] + file[BODY : BODY + SEALED_CHUNK] + file[BODY + SEALED_CHUNK :]


def _swapped_with_the_last(file):
    first, last = file[BODY : BODY + SEALED_CHUNK], file[-(10 + TAG) :]
    return file[:BODY] + last + file[BODY + SEALED_CHUNK : -(10 + TAG)] + first


def _reordered(file):
    first, second = file[BODY : BODY + SEALED_CHUNK], file[BODY + SEALED_CHUNK : BODY + 2 * SEALED_CHUNK]
    return file[:BODY] + second + first + file[BODY + 2 * SEALED_CHUNK :]


def _removed(file):
    return file[:BODY] + file[BODY + SEALED_CHUNK :]


def _zero_byte_appended(file):
    return file + b"\0"


@pytest.mark.parametrize(
    "change", [_appended, _doubled, _swapped_with_the_last, _reordered, _removed, _zero_byte_appended]
)
def test_an_appended_doubled_removed_or_reordered_chunk_fails(change):
    file = sealed(secrets.token_bytes(3 * CHUNK + 10))
    assert released(change(file)) == (b"", True)


def test_a_chunk_of_another_file_under_the_same_key_fails():
    one, other = sealed(bytes(3 * CHUNK + 10)), sealed(bytes(3 * CHUNK + 10))
    assert released(one[:BODY] + other[BODY:]) == (b"", True)


def test_two_documents_of_one_customer_swapped_fail():
    other = Header(uuid4(), OURS.customer, OURS.key_version)
    assert released(sealed(b"other", header=other)) == (b"", True)


def test_two_documents_of_two_customers_swapped_fail():
    other = Header(OURS.document, uuid4(), OURS.key_version)
    assert released(sealed(b"other", header=other)) == (b"", True)


def test_a_header_edited_to_look_like_ours_fails():
    other = Header(uuid4(), uuid4(), 1)
    file = sealed(b"theirs", header=other)
    assert released(OURS.pack() + file[HEADER:]) == (b"", True)


def test_another_licensee_fails():
    assert released(sealed(b"theirs"), licensee=uuid4()) == (b"", True)


def test_another_key_fails():
    assert released(sealed(b"theirs"), key=secrets.token_bytes(32)) == (b"", True)


def test_a_file_that_names_a_newer_key_than_the_row_fails():
    newer = Header(OURS.document, OURS.customer, OURS.key_version + 1)
    assert released(sealed(b"x", header=newer)) == (b"", True)


def test_a_file_sealed_under_an_older_key_version_opens_after_its_key_was_wrapped_anew():
    older = Header(OURS.document, OURS.customer, 1)
    assert released(sealed(b"kept", header=older)) == (b"kept", False)


@pytest.mark.parametrize(
    ("at", "value"), [(4, 0), (4, 2), (5, 2), (6, 1), (127, 1)], ids=["v0", "v2", "algorithm", "length", "reserved"]
)
def test_only_version_one_is_read(at, value):
    raw = bytearray(OURS.pack())
    raw[at] = value
    with pytest.raises(Tampered):
        Header.unpack(bytes(raw))


def test_the_same_plaintext_never_seals_to_the_same_bytes():
    assert sealed(b"x" * 100)[HEADER:] != sealed(b"x" * 100)[HEADER:]
