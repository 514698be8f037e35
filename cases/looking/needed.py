"""What a page raises before it shows a player to somebody who has no case of theirs. It imports nothing of ours."""


class ReasonNeeded(Exception):
    """`number` is the case that was asked for. Pages answer with the question (428.html)."""

    def __init__(self, number: str) -> None:
        super().__init__("Say why you look at this player.")
        self.number = number
