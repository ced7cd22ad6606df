#!/usr/bin/env bash
# Run all tests of the demo that need no device, and pack an APK. Called by `make test-android`.
#   PYTHON   interpreter with the project's requirements; default: ../.venv/bin/python
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python}

source ./tools.sh

# Create the models and reference scores. Skip this if no Python file has changed since the last run.
ready=build/parity/.ready
if [[ ! -f $ready || -n $(find ../export ../mobilenet_tf vectors.py -name '*.py' -newer $ready) ]]; then
  echo "Creating models and reference scores"
  rm -rf build/parity
  mkdir -p build
  PYTHONPATH=.. "$python" vectors.py parity > build/parity.log 2>&1 || { tail -20 build/parity.log >&2; exit 1; }
  touch $ready
fi

# Maven compiles everything each time, but keeps the classes of deleted sources.
rm -rf {core,engine,app}/target/{classes,test-classes}
mvn -B --no-transfer-progress test
./package_apk.sh
