"""What can be wrong with a policy: nobody has one, nobody verified a value, or a file is broken."""


class PolicyMissing(LookupError):
    """No policy for this jurisdiction, day or version. The text names it and what there is."""


class PolicyNotVerified(LookupError):
    """Nobody verified this value for this jurisdiction, so its key is absent. Ask counsel, then add the rule."""


class PolicyBroken(ValueError):
    """A policy file says something that the product does not understand. `problems` name file, key and fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
