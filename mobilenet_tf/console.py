"""The terminal. Progress and tables go to standard error; standard output is for results."""

from rich.console import Console

console = Console(stderr=True)
