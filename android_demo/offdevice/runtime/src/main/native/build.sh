#!/usr/bin/env bash
# Build the part of Android's C libraries that libtensorflowlite_jni.so needs.
#   build.sh FOLDER   writes libc.so, libm.so, libdl.so and liblog.so; CC is the compiler
set -euo pipefail
cd "$(dirname "$0")"
out=$1
mkdir -p "$out"
link() { "${CC:-gcc}" -shared -fPIC -O1 -Wall -Werror -Wl,--version-script=android.map -Wl,-soname,"$1" -o "$out/$1" "${@:2}"; }
link libc.so bionic.c -lm -ldl
# The runtime also links to these three, but libc.so above already has all of their symbols.
for name in libm.so libdl.so liblog.so; do link "$name" -x c /dev/null; done
