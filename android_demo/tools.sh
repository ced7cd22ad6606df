# Install the Debian packages that the demo's tests need; without root rights, list the missing ones.
# Sourced by test.sh and screens.sh.

# Each entry is a tool and the Debian package that contains it.
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
    echo "The demo's tests need these Debian packages: ${missing[*]}" >&2
    exit 2
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"
fi
if [[ $(uname -sm) != "Linux x86_64" ]]; then
  echo "The demo's tests need Linux on x86_64, because they run the phone's x86_64 library." >&2
  exit 2
fi
