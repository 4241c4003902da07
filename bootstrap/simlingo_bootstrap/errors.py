"""The error of the set-up."""


class SetupError(Exception):
    """The set-up cannot go on; the text names the cause, ``cure`` the command or step that helps."""

    def __init__(self, cause: str, cure: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.cause}\n  Cure: {self.cure}"
