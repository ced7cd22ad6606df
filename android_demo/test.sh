#!/usr/bin/env bash
# Everything of the demo that needs no device. Called by `make test-android`.
#   PYTHON: an interpreter with the project's requirements.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python}

source ./tools.sh

# Models and scores of today's Python, again only after it has changed.
ready=build/parity/.ready
if [[ ! -f $ready || -n $(find ../export ../mobilenet_tf vectors.py -name '*.py' -newer $ready) ]]; then
  echo "Converting the models to compare with"
  rm -rf build/parity
  mkdir -p build
  PYTHONPATH=.. "$python" vectors.py parity > build/parity.log 2>&1 || { tail -20 build/parity.log >&2; exit 1; }
  touch $ready
fi

mvn -B --no-transfer-progress test
./package_apk.sh
