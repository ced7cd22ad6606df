// Values of a model's metadata that decoding needs. Other tools may have written anything there.

import { UserError } from "./tflite.js";

const LARGEST = 100_000; // rows of a list

/** @returns {number} a field that must lie in a range */
export function number(values, field, least, most) {
  const value = values[field];
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw new UserError(`has ${field} ${shown(value)}; it must be a number from ${least} to ${most}.`);
}

/** @returns {number[][]} a list of rows of so many numbers each */
export function rows(value, width, field) {
  const valid =
    Array.isArray(value) &&
    value.length <= LARGEST &&
    value.every((row) => Array.isArray(row) && row.length === width && row.every(Number.isFinite));
  if (valid) return value;
  throw new UserError(`has ${field} ${shown(value)}; they must be rows of ${width} numbers.`);
}

/** @returns {string[]} the labels of so many classes, or their numbers if there are no labels */
export function names(labels, classes) {
  if (labels && labels.length !== classes) {
    throw new UserError(`has ${labels.length} labels for ${classes} classes.`);
  }
  return labels ?? Array.from({ length: classes }, (_, i) => String(i));
}

function shown(value) {
  return String(JSON.stringify(value)).slice(0, 40);
}
