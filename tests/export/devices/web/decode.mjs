// Decode the golden vectors in tests/tasks with the page's modules: `node decode.mjs PAGE TASKS`.
// Prints JSON: task -> what is found in each case.

import { webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

globalThis.crypto ??= webcrypto; // as browsers and newer versions of Node have it
const [page, tasks] = process.argv.slice(2);
const { decoder } = await import(pathToFileURL(join(page, "tasks.js")));
const { readGallery } = await import(pathToFileURL(join(page, "gallery.js")));
const golden = async (task) => JSON.parse(await readFile(join(tasks, task, "decoding.json")));
const numbered = (count) => Array.from({ length: count }, (_, i) => String(i));

/** A model as `readModel` returns it. */
function model(name, shapes, { task = {}, constants = {}, labels = null, input = [1, 8, 8, 3] } = {}) {
  const outputs = shapes.map((shape) => ({ shape }));
  return { task: { name, ...task }, constants, labels, outputs, input: { shape: input }, sigmoid: false };
}

function boxes({ maps, rules, outputs }) {
  const { sizes, ...task } = rules;
  const constants = { maps, sizes, centre_unit: 0.1, side_unit: 0.2, candidates: 400 };
  const made = model("detection", outputs.map((one) => [1, one.length]), { task, constants });
  const found = decoder(made, "model")(outputs.map((one) => Float32Array.from(one))).boxes;
  return { classes: found.map(({ label }) => Number(label)), scores: found.map(({ score }) => score), boxes: found.map(({ edges }) => edges) };
}

function mask({ grid, sides, classes, logits }) {
  const made = model("segmentation", [[1, ...grid, classes]], { input: [1, ...sides, 3] });
  return Array.from(decoder(made, "model")([Float32Array.from(logits)]).mask.classes);
}

function classes({ scores, temperature, threshold }) {
  const made = model("classification", [[1, scores.length]], { task: { temperature, threshold } });
  const { lines } = decoder(made, "model")([Float32Array.from(scores)]);
  const tempered = numbered(scores.length).map((label) => lines.find((line) => line.label === label).score);
  return { classes: lines.map(({ label }) => Number(label)), tempered, accepted: lines[0].accepted };
}

function labels({ logits, thresholds }) {
  const made = model("multilabel", [[1, logits.length]], { task: { thresholds } });
  const { lines } = decoder(made, "model")([Float32Array.from(logits)]);
  const probabilities = numbered(logits.length).map((label) => lines.find((line) => line.label === label).share);
  return { predicted: lines.filter(({ accepted }) => accepted).map(({ label }) => Number(label)), probabilities };
}

function places({ cells, scores }) {
  const made = model("geolocation", [[1, scores.length]], { constants: { cells }, labels: numbered(scores.length) });
  return decoder(made, "model")([Float32Array.from(scores)]).lines.map(({ label, score }) => ({ label, score }));
}

/** The gallery of the golden vectors belongs to a file that nobody has: give it another one's hash. */
async function names({ gallery, identified }) {
  const file = new Uint8Array(3);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file));
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const read = await readGallery(JSON.stringify({ ...gallery, model: hash }), file, "gallery");
  const refused = await readGallery(JSON.stringify(gallery), file, "gallery.json").catch((error) => error.message);
  const found = identified.map(({ vector, threshold }) => {
    const made = model("embedding", [[1, vector.length]], { task: { threshold } });
    const { lines } = decoder(made, "model")([Float32Array.from(vector)], undefined, read);
    const [first] = lines;
    return { name: first.accepted ? first.label : null, names: lines.map(({ label, score }) => ({ name: label, similarity: score })) };
  });
  return { found, refused };
}

/** The sentence about a model that is not of its task. */
function refusal(...given) {
  try {
    decoder(model(...given), "a.tflite");
    return null;
  } catch (error) {
    return error.message;
  }
}

const results = {};
for (const [task, decode] of Object.entries({ classification: classes, detection: boxes, segmentation: mask, multilabel: labels, geolocation: places })) {
  results[task] = (await golden(task)).cases.map(decode);
}
results.embedding = await names(await golden("embedding"));
results.refusals = [
  refusal("pose", [[1, 5]]),
  refusal("classification", [[1, 5], [1, 5]]),
  refusal("classification", [[1, 5]], { labels: ["one"] }),
  refusal("classification", [[1, 5]], { task: { temperature: 0 } }),
  refusal("classification", [[1, 5]], { task: { threshold: "high" } }),
  refusal("detection", [[1, 4], [1, 5]]),
  refusal("segmentation", [[1, 3, 3, 2]]),
  refusal("segmentation", [[1, 8]]),
  refusal("multilabel", [[1, 2]], { task: { thresholds: [0.5, 1] } }),
  refusal("embedding", [[1, 2]], { task: { threshold: 3 } }),
  refusal("geolocation", [[1, 2]], { constants: { cells: [[1, 2]] } }),
];
console.log(JSON.stringify(results));
