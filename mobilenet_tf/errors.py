"""What a user is told: one sentence, exit code 2, no traceback."""


class UserError(ValueError):
    """An input the user can mend. The message names the value and what is accepted."""


class Diverged(UserError):
    """Training has left the finite numbers."""
