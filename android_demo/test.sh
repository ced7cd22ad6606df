#!/usr/bin/env bash
# Everything of the demo that needs no device. Called by `make test-android`.
#   PYTHON: an interpreter with the project's requirements.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-../.venv/bin/python}

# Tool and the Debian package that has it.
needs=(javac:openjdk-17-jdk-headless mvn:maven gcc:gcc aapt2:aapt apksigner:apksigner
  zipalign:zipalign dexdump:dexdump zip:zip unzip:unzip)
missing=()
for need in "${needs[@]}"; do
  command -v "${need%%:*}" > /dev/null || missing+=("${need##*:}")
done
[[ -f /usr/share/android-framework-res/framework-res.apk ]] || missing+=(android-framework-res)
[[ -f /usr/include/stdio.h ]] || missing+=(libc6-dev)
if ((${#missing[@]})); then
  if [[ $(id -u) != 0 ]] || ! command -v apt-get > /dev/null; then
    echo "test-android needs Debian's packages: ${missing[*]}" >&2
    exit 2
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
fi
if [[ $(uname -sm) != "Linux x86_64" ]]; then
  echo "test-android runs the phone's x86_64 library, so it needs Linux on x86_64." >&2
  exit 2
fi

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
