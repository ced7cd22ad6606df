#!/usr/bin/env bash
# Check the app's screens and draw them into docs/screens, without a device. Called by `make screens`,
# apart from test.sh: Robolectric, with the platform and its drawing library, is 350 MB to download.
set -euo pipefail
cd "$(dirname "$0")"
source ./tools.sh

drawn=offdevice/screens/target/screens
rm -rf "$drawn"
mvn -B --no-transfer-progress -Pscreens -Dtest=ScreensTest -Dsurefire.failIfNoSpecifiedTests=false test
mkdir -p ../docs/screens
rm -f ../docs/screens/*.png
cp "$drawn"/*.png ../docs/screens/
