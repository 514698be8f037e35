"""Files that people hand in, drawn by the tests: photographs with noise and EXIF, statements, and hostile ones."""

import io
import secrets
import zipfile
import zlib
from pathlib import Path

import pikepdf
from PIL import Image, ImageDraw


def photo(width=640, height=400, *, gps=True, quality=85):
    """A JPEG as a telephone makes it: noise, turned by EXIF, with the place where it was taken."""
    noise = Image.frombytes("L", (width, height), secrets.token_bytes(width * height)).convert("RGB")
    picture = Image.blend(Image.new("RGB", (width, height), (200, 220, 210)), noise, 0.15)
    ImageDraw.Draw(picture).text((20, 20), "SPECIMEN", fill="black")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "SecretCameraMaker"
    if gps:
        exif.get_ifd(0x8825).update({1: "N", 2: (41.0, 0.0, 49.0), 3: "E", 4: (28.0, 58.0, 36.0)})
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


SPECIMEN = Path(__file__).parents[1] / "vectors" / "heic" / "specimen.heic"


def heic():
    """A photograph of a card as an iPhone makes it (400 x 640 as it is shown, turned by the file), with its maker and
    its place; each time another file, by a box that nobody reads.

    Drawn by us and encoded once with pillow-heif: what is installed here only decodes.
    """
    unread = secrets.token_bytes(16)
    return SPECIMEN.read_bytes() + (len(unread) + 8).to_bytes(4, "big") + b"free" + unread


def heic_bomb(width=30_000, height=30_000):
    """The same, and says of itself that it is 900 megapixels."""
    data = heic()
    at = data.index(b"ispe") + 8
    return data[:at] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + data[at + 8 :]


def png(width=320, height=200):
    picture = Image.frombytes("L", (width, height), secrets.token_bytes(width * height)).convert("RGB")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def pdf(pages=1, *, change=None, **saving):
    """A statement; `change(pdf)` adds what should not be in it."""
    document = pikepdf.new()
    for number in range(pages):
        page = document.add_blank_page(page_size=(595, 842))
        text = f"BT /F1 24 Tf 72 720 Td (Statement {number} {secrets.token_hex(4)}) Tj ET".encode()
        page.Contents = document.make_stream(text)
        font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    if change:
        change(document)
    out = io.BytesIO()
    document.save(out, **saving)
    return out.getvalue()


def pdf_with_password(user="secret"):
    return pdf(encryption=pikepdf.Encryption(owner="owner", user=user))


def _run_javascript(document):
    document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('hello')")


def _launch(document):
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="cmd.exe")
    document.pages[0].Annots = pikepdf.Array(
        [pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=action)]
    )


def _carry_a_file(document):
    document.attachments["evil.exe"] = b"MZ" + bytes(100)


def _javascript_in_the_names(document):
    script = document.make_indirect(pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=document.make_stream(b"app.x()")))
    document.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=["a", script]))


ACTIVE = {
    "javascript": _run_javascript,
    "launch": _launch,
    "embedded_file": _carry_a_file,
    "names": _javascript_in_the_names,
}


def _png_chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png_bomb(width=30_000, height=30_000):
    """A few kilobytes that say they are 900 megapixels."""
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    body = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", head) + _png_chunk(b"IDAT", body) + _png_chunk(b"IEND", b"")


def _squeezed_zeros(size):
    """A zlib stream of `size` zeros, a multiple of 16 MiB, made without unpacking them."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 24)
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = (size % 65521) << 16 | 1  # Adler-32 of zeros
    return first + again * (size // len(block) - 1) + b"\x03\x00" + checksum.to_bytes(4, "big")


def zip_bomb(size=1 << 27, each=16):
    """16 kilobytes: a ZIP of 16 ZIPs of 16 ZIPs of 16, each of which unpacks to 128 MiB of zeros: half a TiB."""
    data = _zip({"zeros": bytes(size)})
    for _layer in range(3):
        data = _zip({f"{n}.zip": data for n in range(each)})
    return data


def _zip(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def pdf_bomb(size=4 << 30):
    """Some kilobytes whose page unpacks to 4 GiB, through two filters."""

    def change(document):
        stream = document.make_stream(zlib.compress(_squeezed_zeros(size), 9))
        stream.Filter = pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode])
        document.pages[0].Contents = document.make_indirect(stream)

    return pdf(change=change, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
