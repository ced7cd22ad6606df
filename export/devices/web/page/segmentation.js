// A class for every pixel of the input: logits (1, h, w, classes) are enlarged bilinearly, with
// half-pixel centres and edges repeated, and each pixel gets the class with the largest one; of equal
// ones, the first.

import { classColour, parsedColour } from "./colours.js";
import { names } from "./fields.js";
import { percent } from "./scores.js";
import { UserError } from "./tflite.js";

const MOST_CLASSES = 255;
const ALPHA = 153; // of 255, of a colour over the picture

/** See `TASKS`. */
export function segmentation({ constants, input, outputs, labels: named }) {
  const [, height, width] = input.shape;
  const [, h, w, classes] = outputs[0].shape;
  const fits = outputs.length === 1 && outputs[0].shape.length === 4 && height % h === 0 && width % w === 0;
  if (!fits || classes > MOST_CLASSES) {
    throw new UserError(`has outputs that are not those of a segmenter for ${width} x ${height} pixels.`);
  }
  const labels = names(named, classes);
  const stated = Array.isArray(constants.colours) ? constants.colours : [];
  const colours = Array.from({ length: classes }, (_, i) => parsedColour(stated[i]) ?? classColour(i));
  const enlarge = { down: enlargement(height, h), across: enlargement(width, w), classes, w };
  return ([logits], [left, top, right, bottom] = [0, 0, width, height]) => {
    const mask = classesOf(logits, enlarge);
    const counts = new Array(classes).fill(0);
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) counts[mask[y * width + x]]++;
    const whole = (right - left) * (bottom - top);
    const lines = counts.map((count, i) => {
      const share = count / whole;
      return { label: labels[i], text: percent(share), share, score: share, colour: i ? colours[i] : undefined };
    });
    lines.sort((a, b) => b.share - a.share);
    return { lines: lines.filter(({ share }) => share > 0), mask: { width, height, classes: mask, rgba: coloured(mask, colours) } };
  };
}

/** The first class has no colour. */
function coloured(mask, colours) {
  const rgba = new Uint8ClampedArray(4 * mask.length);
  mask.forEach((index, i) => {
    if (index) rgba.set([...colours[index], ALPHA], 4 * i);
  });
  return rgba;
}

function classesOf(logits, { down, across, classes, w }) {
  const mask = new Uint8Array(down.length * across.length);
  const line = new Float64Array(w * classes);
  down.forEach(([above, below, aboveWeight, belowWeight], y) => {
    // Sums of products with small integers are exact, in any order.
    for (let i = 0; i < line.length; i++) {
      line[i] = logits[above * line.length + i] * aboveWeight + logits[below * line.length + i] * belowWeight;
    }
    across.forEach(([left, right, leftWeight, rightWeight], x) => {
      let most = -Infinity;
      for (let index = 0; index < classes; index++) {
        const value = line[left * classes + index] * leftWeight + line[right * classes + index] * rightWeight;
        if (value > most) {
          most = value;
          mask[y * across.length + x] = index;
        }
      }
    });
  });
  return mask;
}

/** Two neighbours of each pixel of an enlarged line, with weights whose sum is twice the factor. */
function enlargement(large, small) {
  const factor = large / small;
  return Array.from({ length: large }, (_, i) => {
    // Centre of the large pixel, less that of the first small one, in units of 1 / (2 * factor).
    const place = 2 * i + 1 - factor;
    const lower = Math.floor(place / (2 * factor));
    const weight = place - 2 * factor * lower;
    const inside = (at) => Math.min(small - 1, Math.max(0, at));
    return [inside(lower), inside(lower + 1), 2 * factor - weight, weight];
  });
}
