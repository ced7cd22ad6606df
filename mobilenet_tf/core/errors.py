"""What a user is told: one sentence, no traceback."""


class UserError(ValueError):
    """An input the user can mend: exit code 2. Names the value and what is accepted."""


class Diverged(UserError):
    """Training has left the finite numbers."""


class WorkerLost(RuntimeError):
    """Another machine has gone: exit code 75, for "try again" (EX_TEMPFAIL of sysexits.h)."""
