"""The child of `test_child`: it does what a request says, as a tool that is led astray would."""

import os
import sys
import time

import numpy as np

from mobilenet_tf.core.errors import UserError
from mobilenet_tf.core.serve import serve


def answer(request, content):
    match request["do"]:
        case "sum":
            return {"sum": sum(content.read())}, b""
        case "first":
            return {"first": content.read(1)[0]}, b""
        case "print":
            os.write(1, b"a library prints to the standard output\n")
            return {}, b""
        case "reply":
            return {}, bytes(request["size"])
        case "die":
            os.kill(os.getpid(), request["signal"])
        case "exit":
            sys.exit(3)
        case "nonsense":
            os.write(3, b"[]\n")
        case "wait":
            time.sleep(60)
        case "fill":
            np.ones(1 << 30, np.uint8)
        case "refuse":
            raise UserError("That is\N{EN SPACE}no file. " + "x" * 5000)
        case "raise":
            raise RuntimeError("wrong \x1b[31m thing.\nsecond line")
    raise AssertionError(request)


if __name__ == "__main__":
    serve(answer)
