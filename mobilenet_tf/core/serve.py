"""The inside of a `Child`: answer requests within limits of memory and time.

A message is a line of JSON, followed by as many bytes as its field `bytes` says. The process ends
when its input ends, and is killed by an alarm when an answer takes too long.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

from mobilenet_tf.core.errors import UserError

_PART = 1 << 20  # bytes
_LONGEST = 300  # characters of a reason


class Content:
    """The bytes of one request, which its answer may read in parts."""

    def __init__(self, stream: BinaryIO, size: int):
        self._stream, self._left = stream, size

    def read(self, size: int | None = None) -> bytes:
        """Return the next `size` bytes, or all that are left."""
        found = self._stream.read(self._left if size is None else min(size, self._left))
        self._left -= len(found)
        return found

    def skip(self) -> None:
        """Read what is left, so that the next request can follow."""
        while self._left and self.read(_PART):
            pass


Answer = Callable[[dict[str, Any], Content], tuple[dict[str, Any], bytes]]


def serve(answer: Answer) -> None:
    """Answer requests until the input ends; the command line gives the bytes of memory.

    Args:
        answer: Takes a request, with `do`, `seconds` and further fields, and its bytes; returns
            the fields of the reply, which are short, and its bytes. A `UserError` is raised again
            in the parent, any other error becomes the reason why the file cannot be used.
    """
    _bound_memory(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends this process
    # Native libraries print to descriptor 1; replies go through another one.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    while line := requests.readline():
        request = json.loads(line)
        content = Content(requests, request.pop("bytes"))
        set_alarm(request["seconds"])
        reply, payload = _answered(answer, request, content)
        set_alarm(0)
        content.skip()
        replies.write(json.dumps(reply | {"bytes": len(payload)}).encode() + b"\n" + payload)
        replies.flush()


def set_alarm(seconds: float) -> None:
    """End this process after some seconds, even in native code; 0 takes that back."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _answered(
    answer: Answer, request: dict[str, Any], content: Content
) -> tuple[dict[str, Any], bytes]:
    try:
        return answer(request, content)
    except MemoryError:
        return {"failed": "memory"}, b""
    except UserError as error:
        return {"failed": "sentence"}, str(error).encode(errors="replace")
    except Exception as error:  # whatever the tool raises about the file
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        return {"failed": "error"}, reason[:_LONGEST].encode(errors="replace")


def _bound_memory(size: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # a system without this limit
        import resource

        for kind, most in ((resource.RLIMIT_AS, size), (resource.RLIMIT_CORE, 0)):
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))
