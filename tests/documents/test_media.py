"""Kinds of file, told while they pass: however the bytes are cut up, whole is whole and half is half."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from documents.media import BoxWatch, JpegWatch, PngWatch, kind_of
from documents.refusals import Refused
from tests.documents import samples


def jpeg(width=300, height=200, **saving):
    out = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(out, "JPEG", **saving)
    return out.getvalue()


def with_thumbnail():
    """A photograph whose EXIF carries a whole small JPEG, with an end-of-image marker of its own."""
    thumbnail = jpeg(80, 60)
    exif = b"Exif\0\0" + thumbnail
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    main = jpeg()
    return main[:2] + segment + main[2:], 2 + len(segment)


THUMBED, AFTER_THUMBNAIL = with_thumbnail()
WHOLE = {
    "plain": jpeg(),
    "progressive": jpeg(progressive=True),
    "with restart markers": jpeg(restart_marker_blocks=4),
    "with a thumbnail": THUMBED,
    "with a film behind it": jpeg() + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 400,
    "with a second picture behind it": jpeg() + jpeg(),
}


def watched(watch, data, cuts=()):
    edges = [0, *sorted(cuts), len(data)]
    for start, stop in zip(edges, edges[1:], strict=False):
        watch.feed(data[start:stop])
    return watch


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_a_whole_jpeg_is_whole_with_its_pixels_known(data):
    watch = watched(JpegWatch(), data)
    assert watch.is_whole()
    assert watch.pixels == 300 * 200


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
@settings(max_examples=40, deadline=None)
@given(drawn=st.data())
def test_how_a_jpeg_is_cut_up_changes_nothing(data, drawn):
    cuts = drawn.draw(st.lists(st.integers(0, len(data)), max_size=8))
    watch = watched(JpegWatch(), data, cuts)
    assert watch.is_whole()
    assert watch.pixels == 300 * 200


def test_a_jpeg_that_comes_byte_by_byte_is_whole_only_after_the_last_one():
    data = jpeg(40, 30)
    watch = JpegWatch()
    for at in range(len(data)):
        assert not watch.is_whole()
        watch.feed(data[at : at + 1])
    assert watch.is_whole()


@settings(max_examples=80, deadline=None)
@given(drawn=st.data())
def test_a_jpeg_cut_anywhere_is_not_whole(drawn):
    assert not watched(JpegWatch(), THUMBED[: drawn.draw(st.integers(0, len(THUMBED) - 1))]).is_whole()


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_picture():
    assert THUMBED[:AFTER_THUMBNAIL].endswith(b"\xff\xd9")
    assert not watched(JpegWatch(), THUMBED[: AFTER_THUMBNAIL + 400]).is_whole()


def test_a_png_tells_its_pixels_in_its_first_bytes():
    watch = PngWatch()
    watch.feed(samples.png_bomb()[:33])
    assert watch.pixels == 900_000_000


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64), st.sampled_from(["a.jpg", "a.png", "a.pdf", "a", "a.svg"]))
def test_no_first_bytes_make_it_stumble(head, name):
    try:
        kind = kind_of(head, name=name, declared="")
    except Refused as refused:
        assert refused.code == "wrong_type"
    else:
        assert head.startswith(kind.signature)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_bytes_make_a_watch_stumble(pieces):
    for watch in (JpegWatch(), PngWatch()):
        for piece in pieces:
            watch.feed(piece)
        assert watch.is_whole() in (True, False)


@settings(max_examples=40, deadline=None)
@given(drawn=st.data())
def test_a_heic_is_whole_however_it_is_cut_up_and_cut_short_it_is_not(drawn):
    data = samples.heic()
    cuts = drawn.draw(st.lists(st.integers(0, len(data)), max_size=8))
    assert watched(BoxWatch(), data, cuts).is_whole()
    short = drawn.draw(st.integers(0, len(data) - 1).filter(lambda at: at != len(samples.SPECIMEN.read_bytes())))
    assert not watched(BoxWatch(), data[:short], [cut for cut in cuts if cut < short]).is_whole()


def box(name, body=b"", *, long=False, length=None):
    size = (16 if long else 8) + len(body) if length is None else length
    head = (1).to_bytes(4, "big") + name + size.to_bytes(8, "big") if long else size.to_bytes(4, "big") + name
    return head + body


BOXES = {
    "a long box": (box(b"meta", bytes(9)) + box(b"mdat", bytes(99), long=True), True),
    "a last box up to the end": (box(b"meta", bytes(9)) + box(b"mdat", bytes(99), length=0), True),
    "no picture": (box(b"meta", bytes(9)), False),
    "a box shorter than its head": (box(b"meta", bytes(9), length=7) + box(b"mdat", bytes(9)), False),
    "a web page behind it": (box(b"meta") + box(b"mdat") + b"<script>alert(1)</script>", False),
}


@pytest.mark.parametrize(("data", "whole"), BOXES.values(), ids=BOXES)
def test_boxes_end_where_the_file_does(data, whole):
    data = box(b"ftyp", b"heic") + data
    assert watched(BoxWatch(), data, range(1, len(data))).is_whole() == watched(BoxWatch(), data).is_whole() == whole


HEADS = {
    "of an iPhone": (b"heic\0\0\0\0mif1heicmiaf", True),
    "of another telephone": (b"mif1\0\0\0\0mif1heicmiaf", True),
    "with more colours": (b"heix\0\0\0\0mif1heixmiaf", True),
    "a film": (b"qt  \0\0\0\0qt  qt  qt  ", False),
    "AVIF": (b"avif\0\0\0\0mif1avifmiaf", False),
}


@pytest.mark.parametrize(("brands", "taken"), HEADS.values(), ids=HEADS)
def test_of_what_is_made_of_boxes_only_heic_is_taken(brands, taken):
    head = box(b"ftyp", brands).ljust(33, b"\0")
    if taken:
        assert kind_of(head, name="a.heic", declared="image/heic").media_type == "image/heic"
    else:
        with pytest.raises(Refused, match="must be a JPEG"):
            kind_of(head, name="a.heic", declared="image/heic")
