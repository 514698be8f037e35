"""Letters as players, servers and attackers write them."""

import io
from email.message import EmailMessage
from email.utils import make_msgid

from PIL import Image

PLAYER = "isil@example.com"  # as in tests/world.py


def a_letter(subject="", text="Belgem ekte.", sender=PLAYER, files=(), **headers):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "help@brand.example", subject
    mail["Message-ID"] = headers.pop("message_id", None) or make_msgid(domain="example.com")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    for name, kind, data in files:
        main, sub = kind.split("/")
        mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes()


def a_picture(shade=120):
    out = io.BytesIO()
    Image.new("RGB", (640, 400), (shade, 90, 60)).save(out, "JPEG")
    return out.getvalue()


def a_bounce(message_id, *, action="failed", status="5.1.1"):
    return (
        "From: MAILER-DAEMON@mx.example.com\r\nTo: no-reply@brand.example\r\nSubject: Undelivered\r\n"
        "Message-ID: <b1@mx.example.com>\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; isil@example.com\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()
