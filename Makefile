# Everything runs in .venv, made from requirements.txt at first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo demo-detection demo-segmentation demo-embedding demo-pairs demo-multilabel demo-geolocation test test-slow test-long fuzz test-firmware test-arm test-web test-mediapipe test-android test-install screens android-vectors lint types docs format clean

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

RUN_DEMO = $(BIN)/python -m mobilenet_tf run --data digits --overwrite

demo: $(READY)  ## train, quantize, convert and prove on scikit-learn's handwritten digits
	$(RUN_DEMO)

BACKBONE := --model v2 --alpha 0.35
TRAINED := runs/digits_backbone/float.keras
FROM_CLASSIFIER := $(BACKBONE) --weights $(TRAINED)
$(TRAINED): | $(READY)
	$(BIN)/python -m mobilenet_tf train --data digits $(BACKBONE) --channels 3 --epochs 12 \
		--out $(@D) --overwrite

# Few epochs are enough for pictures that change little.
FEW_EPOCHS := --qat-epochs 1 $(addprefix --set train.,learning_rate=4e-3 augmentation.crop=0 \
	augmentation.zoom=0.1)
# Objects of 12 to 40 pixels are found on the maps of small strides.
SMALL_OBJECTS := $(addprefix --task-option ,first_stride=8 extras=0) \
	$(addprefix --set train.augmentation.,aspect=0 shift=0.05) \
	$(addprefix --set qat.augmentation.,zoom=0 aspect=0 shift=0)
demo-detection: $(TRAINED)  ## the same for boxes around digits in scenes, from a classifier's weights
	$(RUN_DEMO) --task detection $(FROM_CLASSIFIER) $(SMALL_OBJECTS) --epochs 10 $(FEW_EPOCHS)

# Nine pixels of ten are background: without class weights, all become background at first.
RARE_CLASSES := $(addprefix --task-option ,low_stride=8 halved=false dice=1.0) \
	$(addprefix --set ,train.class_weights=true qat.class_weights=true)
demo-segmentation: $(TRAINED)  ## for the pixels of digits in scenes, from the same weights
	$(RUN_DEMO) --task segmentation $(FROM_CLASSIFIER) $(RARE_CLASSES) --epochs 8 $(FEW_EPOCHS)

demo-embedding: $(READY)  ## for vectors that tell digits apart that were never trained
	$(RUN_DEMO) --task embedding

demo-pairs: $(READY)  ## for classes that are learned by comparing similar digits
	$(RUN_DEMO) --task-option pairs=true

demo-multilabel: $(READY)  ## for several labels per digit
	$(RUN_DEMO) --task multilabel

demo-geolocation: $(READY)  ## for places of digits on a made-up earth
	$(RUN_DEMO) --task geolocation

# Hundreds of commands would compile the package again where the environment forbids keeping it.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n 2 --dist loadgroup -q

test: $(READY) lint types  ## style, types and all tests that are not slow, on two processes
	$(PYTEST)

test-slow: $(READY)  ## the other tests: the longest, and further networks (see tests/slow.py)
	$(PYTEST) -m "slow and not (long or arm or firmware or web)"

test-long: $(READY)  ## what takes too long for every change: ten kills, workers that come and go
	$(BIN)/python -m pytest -m long -q

FUZZ_SEED ?= 1000
fuzz: $(READY)  ## 3,850 damaged models, pictures, configurations, states; FUZZ_SEED=N for others
	$(BIN)/python -m tests.fuzz $(FUZZ_SEED)

test-firmware: $(READY)  ## networks as plain C on emulated Cortex-M4, M7, M33 and M55
	PYTHON=$(abspath $(BIN))/python tests/export/devices/c/firmware.sh

test-web: $(READY)  ## the web page in headless Chromium with a fake camera
	PYTHON=$(abspath $(BIN))/python tests/export/devices/web/browser.sh

build/mediapipe: tests/export/devices/mediapipe.txt
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

test-mediapipe: $(READY) build/mediapipe  ## files in MediaPipe's real ImageClassifier and ObjectDetector
	$(BIN)/python -m pytest -q -rs tests/export/devices/test_image_classifier.py \
		tests/export/devices/test_mediapipe.py

test-arm: $(READY)  ## networks on emulated Cortex-A53, A76 and a core with i8mm
	PYTHON=$(abspath $(BIN))/python tests/export/devices/arm/arm.sh

test-android: $(READY)  ## the Android demo, as far as it needs no device
	PYTHON=$(abspath $(BIN))/python android_demo/test.sh

test-install: $(READY)  ## the wheel in fresh environments, without extras and with `train`
	$(BIN)/python -m pytest -m install -q

screens:  ## check the demo's screens and draw them into docs/screens
	android_demo/screens.sh

# After a change of preprocessing, or for another model: RUN=runs/NAME.
RUN ?= runs/digits_v1_0.25_32
android-vectors: $(READY)  ## the demo's shipped model and everything it is compared with
	$(BIN)/python -m mobilenet_tf android $(RUN) --name digits
	PYTHONPATH=. $(BIN)/python android_demo/vectors.py golden

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## annotations, checked by mypy
	$(BIN)/mypy

docs: $(READY)  ## the documents and the reference as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build site *.egg-info .pytest_cache .ruff_cache .mypy_cache
