#!/usr/bin/env bash
# Run the C form on emulated Cortex-M cores. Called by `make test-firmware`.
#   PYTHON   interpreter with the project's requirements
set -euo pipefail
cd "$(dirname "$0")/../../../.."
source .ci/packages.sh

require_packages "The firmware's tests" arm-none-eabi-gcc:gcc-arm-none-eabi \
  /usr/lib/arm-none-eabi/newlib/rdimon.specs:libnewlib-arm-none-eabi \
  qemu-system-arm:qemu-system-arm make:make gcc:gcc

# Arm's CMSIS-NN as C source, only unpacked: no code of this package is imported.
if [[ ! -d build/cmsis_nn ]]; then
  "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --target build/cmsis_nn -r tests/export/devices/c/cmsis_nn.txt ||
    echo "CMSIS-NN cannot be installed; its tests are skipped." >&2
fi
"$PYTHON" -m pytest -m firmware -q -rs tests/export/devices/c tests/test_executed_commands.py
