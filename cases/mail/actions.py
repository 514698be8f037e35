"""What the log says of mail that arrives and mail that does not."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC, OMIT = Kept.PUBLIC, Kept.OMIT
LETTER = {
    "state": PUBLIC,
    "kind": PUBLIC,
    "why": PUBLIC,
    "files": PUBLIC,
    "size": PUBLIC,
    "flaws": PUBLIC,
    "reason": PUBLIC,
    "outcome": PUBLIC,
    "urgent": PUBLIC,
    "sender_known": PUBLIC,
    "sorted_at": PUBLIC,
    "customer_id": PUBLIC,
    "case_id": PUBLIC,
    "suggested_id": PUBLIC,
    # What was written stays in the letter itself, which an erasure empties.
    "content_sealed": OMIT,
}
DELIVERY = {"code": PUBLIC, "channel": PUBLIC, "result": PUBLIC, "status": PUBLIC}

register(
    Action("mail.take_in", _("An e-mail arrived"), LETTER),
    Action("mail.match", _("{actor} put an e-mail to this case"), LETTER),
    Action("mail.discard", _("{actor} set an e-mail aside. Reason: {reason}"), LETTER),
    Action("mail.restore", _("{actor} took back an e-mail that was set aside"), LETTER),
    Action("mail.move_away", _("{actor} took an e-mail off this case: it belongs to somebody else"), LETTER),
    Action("mail.list", _("{actor} looked at the e-mails that belong to no case"), {"rows": PUBLIC}),
    Action("mail.read", _("{actor} read an e-mail that belongs to no case")),
    Action("mail.empty", _("What an e-mail said was removed after its time"), {"rows": PUBLIC}),
    Action("mail.refuse_file", _("A file that came by e-mail was not taken. Reason: {code}"), {"code": PUBLIC}),
    Action("mail.park", _("An e-mail could not be read and was put aside"), {"mailbox": PUBLIC, "error": PUBLIC}),
    Action("mail.bounce", _("A message did not reach the player: the mail server returned it"), DELIVERY),
    Action("mail.refuse_delivery", _("A message did not reach the player: the mail server refused it"), DELIVERY),
    Action("mail.doubt", _("It is not known whether a message reached the player"), DELIVERY),
    Action("mail.send_again", _("{actor} sends a message to the player again"), DELIVERY),
    Action("mail.settle_delivery", _("{actor} settled what became of a message: {result}"), DELIVERY),
)
