// The page: what its controls do.

import { NOTHING, showBars, summary, Times } from "./answer.js";
import { Camera } from "./camera.js";
import { buildName } from "./engine.js";
import { showFacts } from "./facts.js";
import { storePage } from "./offline.js";
import { showOverlay } from "./overlay.js";
import { isGallery, isModel, openPicture } from "./pictures.js";
import { Runner } from "./runner.js";
import { checkSize, UserError } from "./tflite.js";
import { followTheme } from "./theme.js";
import { Tiles } from "./tiles.js";
import { newContext, showInput, showPart } from "./view.js";

const at = (id) => document.getElementById(id);
const runner = new Runner();
const view = newContext(at("view"));
const camera = new Camera(() => {
  showCamera();
  complain(new UserError("The camera has gone away. Start it again, or choose pictures."));
});
const tiles = new Tiles(at("tiles"), (file, item) => asked(() => showPicture(file, item)));
const times = { preparing: new Times(), running: new Times(), frame: new Times() };
let frozen = false;
let following = false;

/** Do what a person has asked for, and say why it did not work. */
async function asked(work) {
  at("error").textContent = "";
  try {
    await work();
  } catch (error) {
    complain(error);
  }
}

function complain(error) {
  const own = error instanceof UserError;
  if (!own) console.error(error);
  const sentence = own ? error.message : `This did not work: ${error?.message ?? error}.`;
  at("error").textContent = `${at("error").textContent} ${sentence}`.trim();
}

/** Show an answer; `what` names a picture that stays, and a screen reader reads both. */
function showAnswer(answer, what = null) {
  const { lines, nothing, model, pixels, part, preparing, running } = answer;
  showBars(at("bars"), lines);
  at("nothing").textContent = lines.length ? "" : (nothing ?? NOTHING);
  times.preparing.add(preparing);
  times.running.add(running);
  const rate = times.frame.median && !what ? `, ${(1000 / times.frame.median).toFixed(0)} pictures/s` : "";
  at("times").textContent =
    `Preparing ${times.preparing.median.toFixed(1)} ms, model ${times.running.median.toFixed(1)} ms${rate}`;
  showPart(at("part"), part);
  showInput(at("input"), pixels, model.spec);
  at("seen").hidden = false;
  const { width, height } = view.canvas;
  at("stage").style.setProperty("--aspect", width / height);
  at("stage").removeAttribute("data-empty");
  showOverlay(at("overlay"), answer, camera.facesUser);
  showState();
  at("view").setAttribute("aria-label", what ?? "The camera");
  if (!what) return;
  at("spoken").textContent = `${what}: ${summary(answer)}`;
}

function showState() {
  const ready = at("stage").hasAttribute("data-empty") ? "Ready." : "";
  at("status").textContent = runner.model ? ready : "No model is open.";
}

function clearTimes() {
  for (const one of Object.values(times)) one.clear();
}

async function openModel(file) {
  at("status").textContent = `Loading ${file.name} …`;
  try {
    checkSize(file);
    const bytes = new Uint8Array(await file.arrayBuffer());
    await runner.inTurn(() => runner.open({ name: file.name, bytes }));
    const { model } = runner;
    document.title = at("title").textContent = model.about.name || file.name;
    showFacts(at("facts"), at("labels"), model, file, await buildName());
    clearTimes();
    await answerAnew();
  } finally {
    showState();
  }
}

async function openGallery(file) {
  requireModel();
  checkSize(file);
  const text = await file.text();
  await runner.inTurn(() => runner.compare(text, file.name));
  await answerAnew();
}

/** Let no answer of the model before stay on the page. */
async function answerAnew() {
  await answerStill();
  const aside = newContext(document.createElement("canvas"));
  for (const [item, file] of tiles.all()) {
    try {
      await withPicture(file, async (bitmap, jpeg) => {
        tiles.label(item, bitmap, await runner.show(aside, bitmap, jpeg));
      });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      tiles.remove(item); // the file has changed or gone since
      complain(error);
    }
  }
}

/** Decode and use a picture in turn, so that the one that was asked for last is shown last. */
function withPicture(file, use) {
  return runner.inTurn(async () => {
    const { bitmap, jpeg } = await openPicture(file);
    try {
      await use(bitmap, jpeg);
    } finally {
      bitmap.close();
    }
  });
}

async function answerStill() {
  if (at("stage").hasAttribute("data-empty") || (camera.on && !frozen)) return;
  const answer = await runner.inTurn(() => runner.again(view));
  showAnswer(answer, at("view").getAttribute("aria-label"));
}

async function showPicture(file, item) {
  requireModel();
  stopCamera();
  await withPicture(file, async (bitmap, jpeg) => {
    const answer = await runner.show(view, bitmap, jpeg);
    showAnswer(answer, file.name);
    tiles.label(item, bitmap, answer);
    tiles.mark(item);
  });
}

async function addPicture(file) {
  const item = tiles.add(file);
  try {
    await showPicture(file, item);
  } catch (error) {
    tiles.remove(item);
    throw error;
  }
}

/** Open all files; what cannot be opened does not keep the others from it. */
function openFiles(files, open = openFile) {
  return asked(async () => {
    for (const file of files) await open(file).catch(complain);
  });
}

async function openFile(file) {
  if (await isModel(file)) return openModel(file);
  return isGallery(file) ? openGallery(file) : addPicture(file);
}

function requireModel() {
  if (!runner.model) throw new UserError("No model is open; open a .tflite first.");
}

async function startCamera(start) {
  requireModel();
  try {
    await start();
  } finally {
    showCamera();
  }
  if (!camera.on) return; // it was stopped, or started again, before it ran
  at("other").hidden = (await camera.count()) < 2;
  tiles.mark(null);
  clearTimes();
  if (!following) followCamera().catch(complain);
}

async function followCamera() {
  following = true;
  try {
    let before = performance.now();
    while (camera.on) {
      const video = await camera.frame();
      const wanted = () => video && camera.on && !frozen;
      const answer = await runner.inTurn(() => (wanted() ? runner.show(view, video) : null));
      if (!answer) continue;
      times.frame.add(performance.now() - before);
      before = performance.now();
      showAnswer(answer);
    }
  } finally {
    following = false;
  }
}

function stopCamera() {
  camera.stop();
  showCamera();
}

function showCamera() {
  if (!camera.on) setFrozen(false);
  at("camera").textContent = camera.on ? "Stop camera" : "Start camera";
  at("freeze").disabled = !camera.on;
  at("other").hidden ||= !camera.on;
  at("stage").classList.toggle("mirrored", camera.facesUser);
}

function setFrozen(value) {
  frozen = value;
  at("freeze").setAttribute("aria-pressed", String(value));
}

at("camera").addEventListener("click", () =>
  asked(() => (camera.on ? stopCamera() : startCamera(() => camera.start()))),
);
at("other").addEventListener("click", () => asked(() => startCamera(() => camera.next())));
at("freeze").addEventListener("click", () =>
  asked(() => {
    setFrozen(!frozen);
    return answerStill();
  }),
);
for (const [id, open] of [["pictures", undefined], ["model", (file) => (isGallery(file) ? openGallery : openModel)(file)]]) {
  at(id).addEventListener("change", ({ target }) => {
    openFiles([...target.files], open);
    target.value = ""; // so that the same file can be chosen again
  });
}
document.addEventListener("paste", ({ clipboardData }) => openFiles([...clipboardData.files]));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") openFiles([...event.dataTransfer.files]);
  });
}

followTheme(at("theme"));
asked(async () => {
  const answer = await fetch("model.tflite");
  if (!answer.ok) throw new UserError("model.tflite is missing beside this page; open another model.");
  await openModel(new File([await answer.blob()], "model.tflite"));
  await storePage().catch(() => {}); // a browser may forbid it; the page works without
});
