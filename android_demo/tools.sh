# Install the Debian packages that the demo's tests need; without root rights, list the missing ones.
# Sourced by test.sh and screens.sh.
source ../.ci/packages.sh

require_packages "The demo's tests" javac:openjdk-17-jdk-headless mvn:maven gcc:gcc aapt2:aapt \
  apksigner:apksigner zipalign:zipalign dexdump:dexdump zip:zip unzip:unzip \
  /usr/share/android-framework-res/framework-res.apk:android-framework-res \
  /usr/include/stdio.h:libc6-dev
if [[ $(uname -sm) != "Linux x86_64" ]]; then
  echo "The demo's tests need Linux on x86_64, because they run the phone's x86_64 library." >&2
  exit 2
fi
