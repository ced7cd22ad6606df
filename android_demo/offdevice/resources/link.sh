#!/usr/bin/env bash
# Compile the app's resources, manifest and R class with aapt2. The Android platform is Debian's
# package android-framework-res.
#   link.sh FOLDER   writes FOLDER/resources.apk and the compiled R classes in FOLDER/classes
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/../../app/src/main"
platform=/usr/share/android-framework-res/framework-res.apk
# Gradle sets the package and the versions; aapt2 needs them in the manifest or as options.
sed 's/<manifest /<manifest package="mobilenet.tf.demo" /' AndroidManifest.xml > "$out/AndroidManifest.xml"
aapt2 compile --dir res -o "$out/compiled.zip"
rm -rf "$out/generated"
aapt2 link -I "$platform" --manifest "$out/AndroidManifest.xml" -A assets -0 .tflite \
  --min-sdk-version 24 --target-sdk-version 36 --version-code 1 --version-name 1.0 \
  --auto-add-overlay --java "$out/generated" -o "$out/resources.apk" "$out/compiled.zip"
mkdir -p "$out/classes"
javac -nowarn -source 8 -target 8 -Xlint:-options -d "$out/classes" $(find "$out/generated" -name '*.java')
