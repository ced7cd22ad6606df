#!/usr/bin/env bash
# Build Android's C libraries, as far as libtensorflowlite_jni.so needs them, into a folder.
set -euo pipefail
cd "$(dirname "$0")"
out=$1
mkdir -p "$out"
link() { gcc -shared -fPIC -O1 -Wall -Werror -Wl,--version-script=android.map -Wl,-soname,"$1" -o "$out/$1" "${@:2}"; }
link libc.so bionic.c -lm -ldl
# Named by the library; all they have is in the one above.
for name in libm.so libdl.so liblog.so; do link "$name" -x c /dev/null; done
