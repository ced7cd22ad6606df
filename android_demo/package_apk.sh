#!/usr/bin/env bash
# Pack and check an APK without the Android SDK, after `make test-android` has compiled it.
#   package_apk.sh [OUT.apk]     default: build/mobilenet.apk
# The runtime is tensorflow-lite 2.16.1 from Maven Central; the Gradle build uses litert.
set -euo pipefail
cd "$(dirname "$0")"
out=${1:-build/mobilenet.apk}
runtime=offdevice/runtime/target
work=build/apk
missing=()
for tool in aapt2:aapt apksigner:apksigner zipalign:zipalign dexdump:dexdump keytool:default-jdk-headless; do
  command -v "${tool%%:*}" > /dev/null || missing+=("${tool##*:}")
done
if ((${#missing[@]})); then
  echo "package_apk.sh needs these Debian packages: ${missing[*]}" >&2
  exit 2
fi
if [[ ! -d app/target/classes/mobilenet || ! -d $runtime/aar ]]; then
  echo "package_apk.sh needs compiled classes: run make test-android first." >&2
  exit 2
fi

rm -rf "$work"
mkdir -p "$work/lib" "$(dirname "$out")"
# Package resources, manifest and assets. link.sh stores .tflite files uncompressed.
bash offdevice/resources/link.sh offdevice/resources/target
cp offdevice/resources/target/resources.apk "$work/app.apk"

# Compile all classes into one dex file. app/pom.xml copies dx and Kotlin's standard library there.
# dx cannot read the library's module-info, which is for newer Java versions.
for jar in kotlin-stdlib kotlin-stdlib-jdk7; do
  cp "app/target/dex/$jar.jar" "$work/"
  zip -q -d "$work/$jar.jar" 'META-INF/*'
done
java -cp app/target/dex/dalvik-dx.jar com.android.dx.command.Main --dex --min-sdk-version=24 \
  --output="$work/classes.dex" core/target/classes engine/target/classes app/target/classes \
  offdevice/resources/target/classes "$runtime/classes" \
  "$work/kotlin-stdlib.jar" "$work/kotlin-stdlib-jdk7.jar"

cp -r "$runtime"/aar/lite/jni/* "$work/lib/"
(cd "$work" && zip -q -X app.apk classes.dex && zip -q -X -r -0 app.apk lib)
# Align libraries to page boundaries, so that they can be mapped directly from the APK.
zipalign -f -p 4 "$work/app.apk" "$work/aligned.apk"

# Sign with a throwaway key, as Android Studio does for debug builds.
key=build/debug.keystore
[[ -f $key ]] || keytool -genkeypair -keystore "$key" -storepass android -keypass android \
  -alias debug -keyalg RSA -keysize 2048 -validity 10000 -dname CN=debug > /dev/null 2>&1
apksigner sign --ks "$key" --ks-pass pass:android --min-sdk-version 24 --out "$out" "$work/aligned.apk"

# Check what a phone checks at installation.
check() { echo "checked: $1"; }
fail() { echo "package_apk.sh: $1" >&2; exit 1; }
apksigner verify --min-sdk-version 24 "$out" || fail "the signature is invalid"
check "signature"
zipalign -c -p 4 "$out" || fail "the APK is not aligned"
check "alignment"
badging=$(aapt2 dump badging "$out")
for fact in "package: name='mobilenet.tf.demo'" "sdkVersion:'24'" "targetSdkVersion:'36'" \
  "android.permission.CAMERA" "launchable-activity: name='mobilenet.tf.demo.LiveActivity'" \
  "application-icon-65534:'res/mipmap-anydpi-v26/ic_launcher.xml'"; do
  grep -qF "$fact" <<< "$badging" || fail "the manifest has no $fact"
done
# A feature that is required hides the app from devices without it; CAMERA implies two of them.
! grep -E "uses-(implied-)?feature: name='android.hardware.camera" <<< "$badging" || fail "the manifest requires a camera"
# Only adb may start the exported benchmark.
[[ $(aapt2 dump xmltree --file AndroidManifest.xml "$out" | grep -c 'android.permission.DUMP') == 1 ]] \
  || fail "every app may start the benchmark"
check "manifest"
unzip -p "$out" classes.dex > "$work/check.dex"
classes=$(dexdump "$work/check.dex" | grep 'Class descriptor')
for class in mobilenet/tf/demo/LiveActivity mobilenet/tf/demo/SettingsActivity \
  mobilenet/tf/demo/BenchmarkActivity mobilenet/tf/demo/R\$layout mobilenet/tf/engine/ImageModel mobilenet/tf/tasks/Detection \
  mobilenet/tf/core/Resize org/tensorflow/lite/Interpreter kotlin/Unit kotlin/jdk7/AutoCloseableKt; do
  grep -qF "'L$class;'" <<< "$classes" || fail "the dex file has no class $class"
done
# Compiled against a newer Java, these calls name methods that Android 7 and 8 do not have.
! dexdump -d "$work/check.dex" 2> /dev/null \
  | grep -E 'ByteBuffer;\.(clear|flip|limit|mark|position|reset|rewind):\(I?\)Ljava/nio/ByteBuffer;' \
  || fail "the dex file calls methods of ByteBuffer that Android 7 does not have"
check "dex, $(wc -l <<< "$classes") classes"
listing=$(unzip -Z "$out")
models=$(grep -c '\.tflite$' <<< "$listing" || true)
((models > 0)) || fail "the APK contains no model"
! grep '\.tflite$' <<< "$listing" | grep -vq ' stor ' || fail "a model is compressed"
check "models, $models stored uncompressed"
for abi in arm64-v8a armeabi-v7a x86 x86_64; do
  grep -q " stor .*lib/$abi/libtensorflowlite_jni.so$" <<< "$listing" || fail "the APK has no library for $abi"
done
check "native libraries, 4 ABIs"
echo "$out: $(stat -c %s "$out") bytes"
