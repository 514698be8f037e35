"""Escrow: m of n custodians bring the key file back, m-1 do not, and nothing in it can be changed."""

import base64
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from compliance.keys import escrow, shamir
from compliance.keys.providers import LocalKeyFile


# ------------------------------------------------------------------------------------------------ published vectors
def test_the_field_is_that_of_aes():
    # FIPS 197, sections 4.2 and 4.2.1.
    assert shamir.multiply(0x57, 0x83) == 0xC1
    assert shamir.multiply(0x57, 0x13) == 0xFE
    assert all(shamir.divide(shamir.multiply(a, b), b) == a for a in range(256) for b in range(1, 256))


def test_the_vector_of_the_internet_draft():
    # draft-mcgrew-tss-03, section 9: secret 7465737400, threshold 2.
    shares = {1: bytes.fromhex("B9FA07E185"), 2: bytes.fromhex("F5409B4511")}
    assert shamir.combine(shares) == bytes.fromhex("7465737400")


# ------------------------------------------------------------------------------------------------------- properties
@st.composite
def schemes(draw):
    shares = draw(st.integers(2, 12))
    return draw(st.integers(2, shares)), shares


@hypothesis_settings(deadline=None, max_examples=60)
@given(secret=st.binary(min_size=1, max_size=40), scheme=schemes(), data=st.data())
def test_any_threshold_of_the_shares_gives_the_secret(secret, scheme, data):
    threshold, count = scheme
    shares = shamir.split(secret, threshold=threshold, shares=count)
    some = data.draw(st.permutations(sorted(shares)))[: data.draw(st.integers(threshold, count))]
    assert shamir.combine({number: shares[number] for number in some}) == secret


@hypothesis_settings(deadline=None, max_examples=30)
@given(known=st.integers(0, 255), any_secret=st.integers(0, 255))
def test_one_share_short_every_secret_is_as_possible_as_any(known, any_secret):
    """Of threshold 2: whatever share 1 is, there is a share 2 that makes it a share of this secret."""
    share_2 = any_secret ^ shamir.multiply(known ^ any_secret, 2)
    assert shamir.combine({1: bytes([known]), 2: bytes([share_2])}) == bytes([any_secret])


@pytest.mark.parametrize(("threshold", "shares"), [(1, 3), (4, 3), (0, 0), (2, 256)])
def test_a_scheme_that_protects_nothing_is_refused(threshold, shares):
    with pytest.raises(ValueError, match="threshold"):
        shamir.split(b"secret", threshold=threshold, shares=shares)


# ---------------------------------------------------------------------------------------------------------- escrow
@pytest.fixture
def key_file(tmp_path):
    file = LocalKeyFile(tmp_path / "keys.json")
    file.create()
    return file


@pytest.fixture
def people(tmp_path):
    """Alice, Bob and Carol: (custodian, private key) each."""
    out = []
    for name in ("alice", "bob", "carol"):
        public = escrow.new_key(tmp_path / f"{name}.pem")
        out.append((escrow.custodian(f"{name}={public}"), escrow.read_key(tmp_path / f"{name}.pem")))
    return out


@pytest.fixture
def made(key_file, people):
    return escrow.make(key_file.raw(), [custodian for custodian, _key in people], threshold=2)


def test_any_two_of_three_bring_the_key_file_back_and_one_does_not(key_file, people, made, tmp_path):
    for number, pair in enumerate(itertools.combinations([key for _custodian, key in people], 2)):
        restored = LocalKeyFile(tmp_path / f"restored-{number}.json")
        restored.restore(escrow.recover(made, pair))
        assert restored.path.read_bytes() == key_file.path.read_bytes()
    for _custodian, key in people:
        with pytest.raises(escrow.CannotRecover, match="2 custodians are needed, 1"):
            escrow.recover(made, [key, key])


def test_the_escrow_holds_no_key_in_the_clear(key_file, made):
    told = json.dumps(made)
    contents = key_file.contents()
    for secret in (*contents.epochs.values(), contents.secret):
        assert base64.b64encode(secret).decode() not in told and secret.hex() not in told


def test_a_strangers_key_opens_nothing(made, tmp_path):
    escrow.new_key(tmp_path / "mallory.pem")
    with pytest.raises(escrow.CannotRecover, match="nobody"):
        escrow.recover(made, [escrow.read_key(tmp_path / "mallory.pem")])


@pytest.mark.parametrize("field", ["id", "threshold", "epochs", "custodians", "shares", "content"])
def test_a_changed_escrow_is_noticed(made, people, field):
    changed = json.loads(json.dumps(made))
    if field == "threshold":
        changed[field] = 3
    elif field == "content":
        changed[field] = changed[field][:-8] + ("AAAAAAA=" if changed[field][-8:] != "AAAAAAA=" else "BBBBBBA=")
    elif field == "shares":
        changed[field] = changed[field][::-1]
    elif field == "custodians":
        changed[field][0]["name"] = "mallory"
    else:
        changed[field] = {"id": "another", "epochs": [1, 2]}[field]
    with pytest.raises(escrow.CannotRecover):
        escrow.recover(changed, [key for _custodian, key in people])


def test_a_rotation_makes_an_escrow_stale_and_a_destroyed_epoch_makes_it_dangerous(key_file, made):
    assert escrow.check(made, content=key_file.raw()) == []
    key_file.rotate()
    assert "lacks the epochs 2" in escrow.check(made, content=key_file.raw())[0]
    key_file.destroy_epoch(1)
    assert "destroyed epochs 1" in escrow.check(made, content=key_file.raw())[1]


@pytest.mark.parametrize("text", ["alice", "=" + "0" * 64, "alice=xyz", "alice=" + "0" * 62])
def test_a_custodian_is_a_name_and_a_public_key(text):
    with pytest.raises(ValueError, match="name=public key"):
        escrow.custodian(text)
