// What a model is for: its outputs become lines of the answer, boxes and a mask. The counterpart of
// mobilenet_tf/tasks, whose definitions decide; the golden vectors in tests/tasks belong to both.

import { detection } from "./detection.js";
import { names, number, rows } from "./fields.js";
import { logit, percent, sigmoid, tempered } from "./scores.js";
import { segmentation } from "./segmentation.js";
import { UserError } from "./tflite.js";

const DEFAULT = "classification";

/**
 * Task -> function that takes a model (see `readModel`) and returns a function from the outputs, a
 * Float32Array each in the order of the file, the part of the input that the picture fills and a
 * gallery or null to {lines, nothing, boxes, mask}. Lines are {label, text, share, colour, accepted},
 * the best first: share is the length of the bar, colour and accepted may be absent; `nothing` says
 * why there are none. Boxes are lines with edges in shares of the input. A mask has {width, height,
 * rgba} for the input. A file that is not of the task gives a UserError.
 */
const TASKS = {
  [DEFAULT]: classification,
  detection,
  segmentation,
  embedding,
  multilabel,
  geolocation: (model) => classification(model, places(model)),
};

/**
 * @param model see `readModel`
 * @param {string} name by which errors call the file
 * @returns {Function} see `TASKS`
 * @throws {UserError} the task is unknown, or the model is not of it
 */
export function decoder(model, name) {
  const task = model.task.name ?? DEFAULT;
  if (!Object.hasOwn(TASKS, task)) {
    throw new UserError(`${name} is for the task ${String(task).slice(0, 40)}; a page knows ${Object.keys(TASKS).join(", ")}.`);
  }
  try {
    return TASKS[task](model);
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${name} ${error.message}`);
    throw error;
  }
}

/** The only output, a value for each label. */
function vector(model, what) {
  const [output, ...others] = model.outputs;
  if (others.length) throw new UserError(`has ${model.outputs.length} outputs; ${what} has one.`);
  return model.sigmoid ? 2 : output.shape.reduce((a, b) => a * b, 1);
}

/** Scores of classes; those that lie between 0 and 1 are shown in per cent. */
function classification(model, stated = model.labels) {
  const classes = vector(model, "a classifier");
  if (classes === 1) throw new UserError("has one score per picture; a class each is needed.");
  const labels = names(stated, classes);
  const temperature = number({ temperature: 1, ...model.task }, "temperature", 0.25, 4);
  const threshold = number({ threshold: 0, ...model.task }, "threshold", 0, 1);
  return ([output]) => {
    const raw = model.sigmoid ? Float32Array.of(1 - output[0], output[0]) : output;
    const shares = raw.every((score) => score >= 0 && score <= 1);
    const scores = shares ? tempered(raw, temperature) : raw;
    // Without a spread: a call takes fewer arguments than there may be classes.
    const least = scores.reduce((a, b) => Math.min(a, b), 0);
    const most = scores.reduce((a, b) => Math.max(a, b), 1);
    const accepted = !threshold || scores.some((score) => score >= threshold);
    const lines = Array.from(scores, (score, i) => ({
      label: labels[i],
      text: shares ? percent(score) : score.toPrecision(3),
      share: (score - least) / (most - least || 1),
      score,
      accepted,
    }));
    lines.sort((a, b) => b.score - a.score); // equal scores stay in class order
    return { lines, nothing: "None of these." };
  };
}

/** Several labels: those that reach their thresholds come first, then the others. */
function multilabel(model) {
  const classes = vector(model, "a multi-label classifier");
  const stated = model.task.thresholds ?? [];
  const valid = Array.isArray(stated) && stated.every((value) => value > 0 && value < 1);
  if (!valid || ![0, classes].includes(stated.length)) {
    throw new UserError(`has thresholds that are not one for each of ${classes} labels, between 0 and 1.`);
  }
  const labels = names(model.labels, classes);
  const limits = Array.from({ length: classes }, (_, i) => logit(stated[i] ?? 0.5));
  return ([logits]) => {
    const lines = Array.from(logits, (value, i) => {
      const share = sigmoid(value);
      return { label: labels[i], text: percent(share), share, score: value, accepted: value >= limits[i] };
    });
    return { lines: lines.sort((a, b) => b.accepted - a.accepted || b.score - a.score) };
  };
}

/** Cells of the earth by their centres and radii. */
function places({ constants }) {
  return rows(constants.cells, 3, "cells").map(([latitude, longitude, radius]) => {
    const north = `${Math.abs(latitude).toFixed(2)} ${latitude >= 0 ? "N" : "S"}`;
    const east = `${Math.abs(longitude).toFixed(2)} ${longitude >= 0 ? "E" : "W"}`;
    return `${north} ${east}, ${Math.max(1, Math.round(radius)).toLocaleString("en")} km around`;
  });
}

/** A vector, of which the page shows how similar it is to those of a gallery. */
function embedding(model) {
  const dimension = vector(model, "an embedder");
  const threshold = model.task.threshold === undefined ? -1 : number(model.task, "threshold", -1, 1);
  return ([output], filled, gallery) => {
    if (!gallery) return { lines: [], nothing: "Drop a gallery that `mobilenet-tf enroll` has written." };
    if (gallery.dimension !== dimension) throw new UserError("The gallery has vectors of another length than the model.");
    return { lines: similar(unit(output), gallery.entries, threshold) };
  };
}

/** @returns {Float32Array} a vector of length 1; one of length 0 stays */
export function unit(values) {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return Float32Array.from(values, (value) => (length ? value / length : value));
}

/**
 * The most similar of other vectors, as lines of an answer.
 *
 * @param {{name: string, vector: number[]}[]} others with vectors of length 1
 * @param {number} threshold similarity above which two are taken for the same
 */
function similar(vector, others, threshold) {
  const found = new Map();
  for (const { name, vector: other } of others) {
    const cosine = other.reduce((sum, value, i) => sum + value * vector[i], 0);
    found.set(name, Math.max(cosine, found.get(name) ?? -1));
  }
  return Array.from(found, ([label, cosine]) => ({
    label,
    text: cosine.toFixed(2),
    share: Math.max(0, cosine),
    score: cosine,
    accepted: cosine > threshold,
  })).sort((a, b) => b.score - a.score);
}
