// From a picture to the network's input, byte for byte as in training: the centred part of the
// picture, resized, grey if the network wants it, padded, and normalised by a table.

import { resize, roundEven } from "./resize.js";
import { UserError } from "./tflite.js";

export const FITS = ["crop", "stretch", "pad"];
const FEWEST_LEVELS = 32; // of 256; a table of inputs with fewer is a mistake in the metadata

/**
 * Say which part of a picture lands where in the input.
 *
 * @returns {{source: number[], target: number[]}} boxes (left, top, right, bottom) of whole pixels
 */
export function placement(spec, width, height) {
  const whole = [0, 0, spec.width, spec.height];
  if (spec.fit === "crop") {
    // Multiply before dividing, so that the sides of a square are exact.
    const across = Math.min(width, (height * spec.width) / spec.height);
    const down = Math.min(height, (width * spec.height) / spec.width);
    return { source: centred(width, height, across, down, spec.crop), target: whole };
  }
  const source = centred(width, height, width, height, spec.crop);
  if (spec.fit === "stretch") return { source, target: whole };
  const [across, down] = [source[2] - source[0], source[3] - source[1]];
  const scale = Math.min(spec.width / across, spec.height / down);
  return { source, target: centred(spec.width, spec.height, scale * across, scale * down, 1) };
}

/**
 * Map a box from shares of the input to shares of the picture, within it.
 *
 * @param {number[]} part the part of the picture that is used, in shares of its sides
 * @param {number[]} target the part of the input that it fills, in pixels
 */
export function toPicture(edges, part, target, { width, height }) {
  return edges.map((share, i) => {
    const axis = i % 2;
    const inside = (share * (axis ? height : width) - target[axis]) / (target[axis + 2] - target[axis]);
    return Math.min(1, Math.max(0, part[axis] + inside * (part[axis + 2] - part[axis])));
  });
}

/** The centred box of share * across by share * down pixels, rounded, at least one pixel. */
function centred(width, height, across, down, share) {
  const wide = Math.min(width, Math.max(1, Math.floor(share * across + 0.5)));
  const high = Math.min(height, Math.max(1, Math.floor(share * down + 0.5)));
  const [left, top] = [Math.floor((width - wide) / 2), Math.floor((height - high) / 2)];
  return [left, top, left + wide, top + high];
}

/**
 * @param spec the model's, see `readModel`
 * @param {{width, height, read: (left, top, width, height) => Uint8ClampedArray}} picture `read`
 *   returns RGBA of a part of it
 * @returns {Uint8Array} pixels of the input, row by row, channels last
 */
export function prepare(spec, { width, height, read }) {
  const { source, target } = placement(spec, width, height);
  const [wide, high] = [source[2] - source[0], source[3] - source[1]];
  const [toWide, toHigh] = [target[2] - target[0], target[3] - target[1]];
  const rgba = read(source[0], source[1], wide, high);
  const rgb = resize(rgba, wide, high, toWide, toHigh, spec.resize);
  const pixels = spec.channels === 1 ? grey(rgb) : rgb;
  if (toWide === spec.width && toHigh === spec.height) return pixels;
  const padded = new Uint8Array(spec.width * spec.height * spec.channels).fill(padding(spec.mean));
  for (let y = 0; y < toHigh; y++) {
    const row = pixels.subarray(y * toWide * spec.channels, (y + 1) * toWide * spec.channels);
    padded.set(row, ((y + target[1]) * spec.width + target[0]) * spec.channels);
  }
  return padded;
}

/** The integer ITU-R 601 weights of Pillow's mode L. */
function grey(rgb) {
  const found = new Uint8Array(rgb.length / 3);
  for (let i = 0, at = 0; i < found.length; i++, at += 3) {
    found[i] = (19595 * rgb[at] + 38470 * rgb[at + 1] + 7471 * rgb[at + 2] + 32768) >> 16;
  }
  return found;
}

/** The grey level that fills the rest of a padded input: the mean, as a pixel. */
function padding(mean) {
  return roundEven(Math.min(Math.max(mean?.[0] ?? 128, 0), 255));
}

/**
 * Make the table of 256 entries per channel from pixels to values of the input. For this project's
 * files it is the identity.
 *
 * @param model see `readModel`
 * @param {string} name by which errors call the file
 * @returns {(pixels: Uint8Array) => Uint8Array | Float32Array}
 * @throws {UserError} the normalisation cannot be used
 */
export function inputTable({ input, spec }, name) {
  const { mean, std, channels } = spec;
  for (const [what, values] of Object.entries({ mean, std })) check(what, values, channels, name);
  const isFloat = input.type === "float32";
  if (isFloat && !(mean && std)) {
    throw new UserError(`${name} has a float32 input and states no mean and std.`);
  }
  // By convention the input of files without a normalisation is the pixels.
  if (!mean || !std || (!isFloat && input.scale === null)) return (pixels) => pixels;
  const table = new (isFloat ? Float32Array : Uint8ClampedArray)(256 * channels);
  for (let pixel = 0; pixel < 256; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      const real = (pixel - of(mean, channel)) / of(std, channel);
      table[pixel * channels + channel] = isFloat
        ? real
        : roundEven(real / input.scale) + input.zeroPoint;
    }
  }
  // Many tools write mean 0 and std 1 and mean the pixels.
  if (!isFloat && levels(table, channels) < FEWEST_LEVELS) return (pixels) => pixels;
  return (pixels) => {
    const values = new (isFloat ? Float32Array : Uint8Array)(pixels.length);
    for (let i = 0; i < pixels.length; i++) values[i] = table[pixels[i] * channels + (i % channels)];
    return values;
  };
}

function check(what, values, channels, name) {
  if (!values) return;
  const finite = values.every((value) => Number.isFinite(value) && (what === "mean" || value !== 0));
  if (!finite || ![1, channels].includes(values.length)) {
    throw new UserError(`${name}: ${what} is ${values.slice(0, 4).join(", ")}, which cannot be used.`);
  }
}

function of(values, channel) {
  return values[values.length === 1 ? 0 : channel];
}

function levels(table, channels) {
  const rows = Array.from({ length: 256 }, (_, i) => table.slice(i * channels, (i + 1) * channels));
  return new Set(rows.map(String)).size;
}
