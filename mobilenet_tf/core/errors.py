"""Errors that end a command with one sentence and no traceback."""


class UserError(ValueError):
    """An input that the user can correct: exit code 2. It names the value and what is accepted."""


class Diverged(UserError):
    """Training diverged: the loss is NaN or infinite."""


class WorkerLost(RuntimeError):
    """Another machine has gone: exit code 75, "try again" (EX_TEMPFAIL of sysexits.h)."""
