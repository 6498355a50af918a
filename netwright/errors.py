"""The tree of errors: each message says what is wrong, where, and what to do about it.

NetwrightError            anything Netwright itself reports
├── UserError             the person can mend it; the command line exits with 2
│   ├── DataError         a data set, a file, a column
│   ├── SpaceError        a search space that cannot be unfolded or built
│   ├── LimitError        a limit or metric that cannot be read
│   ├── NoFeasible        no architecture meets the limits
│   ├── RecipeError       an unknown part, a bad option, parts that do not fit
│   └── RunError          a run folder in use, read-only, damaged, or newer than this version
├── SealError             the test split was read before the final evaluation
└── WorkerError           a worker could not be started, or answered nonsense
"""

from __future__ import annotations

__all__ = [
    "DataError",
    "LimitError",
    "NetwrightError",
    "NoFeasible",
    "RecipeError",
    "RunError",
    "SealError",
    "SpaceError",
    "UserError",
    "WorkerError",
]


class NetwrightError(Exception):
    """Base of all errors. ``exit_code`` is what the command line ends with."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what, self.where, self.todo = what, where, todo
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}. {todo}" if todo else message)


class UserError(NetwrightError):
    exit_code = 2


class DataError(UserError):
    pass


class SpaceError(UserError):
    pass


class LimitError(UserError):
    pass


class NoFeasible(UserError):
    pass


class RecipeError(UserError):
    pass


class RunError(UserError):
    pass


class SealError(NetwrightError):
    pass


class WorkerError(NetwrightError):
    pass
