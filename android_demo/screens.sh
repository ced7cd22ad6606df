#!/usr/bin/env bash
# Test the app's screens and draw them into docs/screens, without a device. Called by `make screens`.
# Separate from test.sh because Robolectric, the Android platform and its drawing library are a
# download of 350 MB.
set -euo pipefail
cd "$(dirname "$0")"
source ./tools.sh

rm -rf {core,engine,app,offdevice/screens}/target/{classes,test-classes}
drawn=offdevice/screens/target/screens
rm -rf "$drawn"
mvn -B --no-transfer-progress -Pscreens -Dtest="mobilenet.tf.demo.*Test" -Dsurefire.failIfNoSpecifiedTests=false test
mkdir -p ../docs/screens
rm -f ../docs/screens/*.png
cp "$drawn"/*.png ../docs/screens/
