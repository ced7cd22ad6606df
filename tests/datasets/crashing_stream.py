"""The child of `test_stream_check`: it dies, or is late, where the third record is decoded."""

import os
import signal
import time

from mobilenet_tf.core.serve import serve


def answer(request, content):
    if request["do"] == "decode" and request["skip"] <= 2 < request["skip"] + request["take"]:
        if request["feature"] == "slow":
            time.sleep(60)
        os.kill(os.getpid(), signal.SIGSEGV)
    return {}, b"[]"


if __name__ == "__main__":
    serve(answer)
