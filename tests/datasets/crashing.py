"""The child of `test_decoders`: its decoder does what the name of a file says."""

import os
import signal
import time

from mobilenet_tf.core.serve import serve
from mobilenet_tf.datasets import decoders
from mobilenet_tf.datasets.images import read_picture


def read(path, *arguments):
    name = os.path.basename(path)
    if name.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("slow"):
        time.sleep(60)
    if name.startswith("fill"):
        bytearray(1 << 40)
    return read_picture(path, *arguments)


if __name__ == "__main__":
    decoders.READERS["picture"] = read
    serve(decoders.answer)
