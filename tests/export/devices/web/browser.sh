#!/usr/bin/env bash
# Open the page in Chromium. Called by `make test-web`.
#   PYTHON   interpreter with the project's requirements
set -euo pipefail
cd "$(dirname "$0")/../../../.."
source .ci/packages.sh

require_packages "The page's tests" chromium:chromium npm:npm

if [[ ! -d build/playwright ]]; then
  "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps \
    --target build/playwright -r tests/export/devices/web/playwright.txt
fi
"$PYTHON" -m pytest -m web -q -rs tests/export/devices/web
