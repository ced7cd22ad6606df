#!/usr/bin/env bash
# Run files on emulated cores of phones. Called by `make test-arm`.
#   PYTHON   interpreter with the project's requirements
# LiteRT's library is kept in the user's cache folder, the phone's in Maven's.
set -euo pipefail
cd "$(dirname "$0")/../../../.."
source .ci/packages.sh

if [[ $(uname -sm) != "Linux x86_64" ]]; then
  echo "The tests of emulated phones need Linux on x86_64." >&2
  exit 2
fi
require_packages "The tests of emulated phones" qemu-aarch64:qemu-user \
  aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu \
  /usr/aarch64-linux-gnu/include/stdio.h:libc6-dev-arm64-cross \
  /usr/aarch64-linux-gnu/lib/libstdc++.so.6:libstdc++6-arm64-cross \
  gcc:gcc /usr/include/stdio.h:libc6-dev javac:openjdk-17-jdk-headless mvn:maven unzip:unzip

# The phone's library, on a stand-in for Android's C library.
out=$PWD/build/arm
runtime=android_demo/offdevice/runtime
if [[ ! -f $out/libtensorflowlite_jni.so ]]; then
  mvn -B -q --no-transfer-progress -f android_demo/pom.xml -pl offdevice/runtime dependency:copy@aar
  sha256sum --check --quiet <<< "34b065817e294e7dd3569504e8b9454938ceae453b6a459da54d5f6e45d3c94e  $runtime/target/lite.aar"
  mkdir -p "$out"
  CC=aarch64-linux-gnu-gcc bash $runtime/src/main/native/build.sh "$out"
  unzip -q -o -j $runtime/target/lite.aar jni/arm64-v8a/libtensorflowlite_jni.so -d "$out/new"
  mv "$out/new/libtensorflowlite_jni.so" "$out"
fi
"$PYTHON" -m pytest -m arm -n 2 --dist loadgroup -q -rs \
  tests/export/devices/arm tests/test_executed_commands.py
