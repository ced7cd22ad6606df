// What a .tflite says of itself: TensorFlow Lite's metadata, labels.txt and preprocessing.json.
// Texts are shown as text and never as markup; numbers are checked where they are used.

import { readArchive } from "./archive.js";
import { Damaged, Flatbuffer } from "./flatbuffer.js";
import { FITS } from "./input.js";
import { FILTERS } from "./resize.js";
import { readGraph, UserError } from "./tflite.js";

// Field numbers of metadata_schema.fbs.
const MODEL = { name: 0, description: 1, version: 2, graphs: 3, author: 4, license: 5 };
const GRAPH = { inputs: 2, outputs: 3 };
const TENSOR = { units: 4, files: 6 };
const UNIT = { kind: 0, options: 1 };
const NORMALIZATION = 1;
const OPTIONS = { mean: 0, std: 1 };
const FILE = { name: 0, kind: 2 };
const LABELS = [2, 3];
const CHANNELS = 4096;
const VERSION_BYTES = 32;

const ENTRY = "TFLITE_METADATA";
const RUNTIME = "min_runtime_version";
const PREPROCESSING = "preprocessing.json";

/**
 * @param {Uint8Array} bytes
 * @param {string} name by which errors call the file
 * @returns the graph of `readGraph` with `labels` (null if there are none) and `about`: {name,
 *   description, version, author, license, runtime}, null where the file does not state it; `spec`:
 *   height, width, channels, mean, std (lists or null), crop, fit, resize; `task` and `constants`: the
 *   task's name and settings, empty for a classifier, and what else decoding needs
 * @throws {UserError} see `readGraph`; the metadata are damaged, or do not fit the graph
 */
export async function readModel(bytes, name) {
  const graph = readGraph(bytes, name);
  const [, height, width, channels] = graph.input.shape;
  try {
    const stated = standard(graph.metadata.get(ENTRY));
    const labels = stated.labels ? await readLabels(bytes, stated.labels) : null;
    const { extra, ...prepared } = await readPreprocessing(bytes);
    const runtime = text(graph.metadata.get(RUNTIME)?.subarray(0, VERSION_BYTES)) || null;
    return {
      ...graph,
      labels,
      task: record(extra.task),
      constants: record(extra.constants),
      about: { ...stated.about, runtime },
      spec: { height, width, channels, mean: stated.mean, std: stated.std, ...prepared },
    };
  } catch (error) {
    if (!(error instanceof Damaged)) throw error;
    throw new UserError(`The metadata of ${name} cannot be read: ${error.message}.`);
  }
}

function standard(bytes) {
  const nothing = { about: {}, mean: null, std: null, labels: null };
  if (!bytes) return nothing;
  const buffer = new Flatbuffer(bytes);
  if (buffer.mark !== "M001") return nothing;
  const root = buffer.root();
  const fields = ["name", "description", "version", "author", "license"];
  const about = Object.fromEntries(fields.map((field) => [field, root.string(MODEL[field])]));
  const [graph] = root.tables(MODEL.graphs);
  const [input] = graph?.tables(GRAPH.inputs) ?? [];
  const unit = input?.tables(TENSOR.units).find((one) => one.int8(UNIT.kind) === NORMALIZATION);
  const options = unit?.table(UNIT.options);
  const files = (graph?.tables(GRAPH.outputs) ?? []).flatMap((one) => one.tables(TENSOR.files));
  const labels = files.find((file) => LABELS.includes(file.int8(FILE.kind)));
  return {
    about,
    mean: values(options, OPTIONS.mean),
    std: values(options, OPTIONS.std),
    labels: labels?.string(FILE.name) ?? null,
  };
}

function values(options, field) {
  const found = options?.floats(field) ?? [];
  if (found.length > CHANNELS) throw new Damaged("it has a normalisation of too many channels");
  return found.length ? found : null;
}

async function readLabels(bytes, file) {
  const content = await readArchive(bytes, file);
  if (!content) throw new Damaged(`it lists ${file}, which the file does not contain`);
  const lines = text(content).replace(/\r\n?/g, "\n").split("\n");
  while (lines.length && !lines.at(-1).trim()) lines.pop();
  return lines;
}

/** The fields of preprocessing.json that are valid; other tools may write anything there. */
async function readPreprocessing(bytes) {
  const found = { crop: 1, fit: "crop", resize: "bilinear", extra: {} };
  let stated;
  try {
    stated = JSON.parse(text(await readArchive(bytes, PREPROCESSING)));
  } catch {
    return found;
  }
  const { crop, fit, resize, extra } = record(stated);
  if (typeof crop === "number" && crop > 0 && crop <= 1) found.crop = crop;
  if (FITS.includes(fit)) found.fit = fit;
  if (typeof resize === "string" && Object.hasOwn(FILTERS, resize)) found.resize = resize;
  found.extra = record(extra);
  return found;
}

/** An object of JSON; an empty one for anything else. */
function record(value) {
  return value && typeof value === "object" && !Array.isArray(value) ? value : {};
}

/** Decode UTF-8 without the zeros at its end. */
function text(bytes) {
  let end = bytes?.length ?? 0;
  while (end && bytes[end - 1] === 0) end--;
  return end ? new TextDecoder().decode(bytes.subarray(0, end)) : "";
}
