// Boxes from the raw outputs of a detector: anchors, sigmoid, suppression of duplicates. Per feature
// map there are offsets (1, height, width, anchors * 4) and logits (1, height, width, anchors *
// classes).

import { classColour } from "./colours.js";
import { names, number, rows } from "./fields.js";
import { percent, sigmoid } from "./scores.js";
import { UserError } from "./tflite.js";

const EDGES = 4;
const MOST = 1000; // candidates and boxes
const LARGEST_SIDE = 4; // logarithm of a box's side over its anchor's, so that exp stays finite

/** See `TASKS`. */
export function detection({ task, constants, outputs, labels: stated }) {
  const rules = {
    overlap: number(task, "overlap", 0, 1),
    score: number(task, "score", 1e-6, 1 - 1e-6),
    most: number(task, "most", 1, MOST),
    candidates: number(constants, "candidates", 1, MOST),
    centreUnit: number(constants, "centre_unit", 1e-6, 1e6),
    sideUnit: number(constants, "side_unit", 1e-6, 1e6),
    background: task.background === true ? 1 : 0,
  };
  const maps = rows(constants.maps, 2, "maps");
  const sizes = (Array.isArray(constants.sizes) ? constants.sizes : []).map((map) => rows(map, 2, "sizes"));
  const counts = outputs.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const places = maps.map(([height, width], i) => height * width * (sizes[i]?.length ?? 0));
  const values = counts[1] / places[0];
  const fits = places.every((count, i) => counts[2 * i] === count * EDGES && counts[2 * i + 1] === count * values);
  if (!fits || !places.length || counts.length !== 2 * places.length || sizes.length !== maps.length || !(values > rules.background)) {
    throw new UserError(`has ${counts.length} outputs, which are not those of a detector with its anchors.`);
  }
  const labels = names(stated, values - rules.background);
  const anchors = anchorBoxes(maps, sizes);
  return (raw) => {
    const boxes = found(raw, anchors, values, rules).map(({ edges, index, score }) => ({
      label: labels[index],
      text: percent(score),
      share: score,
      colour: classColour(index),
      index,
      score,
      edges,
    }));
    return { lines: boxes, boxes };
  };
}

/** Left, top, right and bottom of each anchor, which are centred on the pixels of the maps. */
function anchorBoxes(maps, sizes) {
  const found = [];
  maps.forEach(([height, width], map) => {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [x, y] = [(column + 0.5) / width, (row + 0.5) / height];
        for (const [wide, high] of sizes[map]) {
          found.push(Float32Array.of(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2));
        }
      }
    }
  });
  return found;
}

/** The likeliest candidates that overlap no likelier one of their class, in order. */
function found(raw, anchors, values, rules) {
  const [offsets, logits] = [0, 1].map((first) => joined(raw.filter((_, i) => i % 2 === first)));
  const least = Math.fround(Math.log(rules.score) - Math.log1p(-rules.score));
  const best = [];
  for (let at = 0; at < logits.length; at++) {
    if (logits[at] >= least && at % values >= rules.background) best.push(at);
  }
  best.sort((a, b) => logits[b] - logits[a]); // stable: of equal ones, the first comes first
  const kept = [];
  for (const at of best.slice(0, rules.candidates)) {
    const index = (at % values) - rules.background;
    const edges = box(offsets, Math.floor(at / values), anchors, rules);
    if (kept.some((one) => one.index === index && overlap(one.edges, edges) > rules.overlap)) continue;
    kept.push({ edges, index, score: sigmoid(logits[at]) });
    if (kept.length === rules.most) break;
  }
  return kept;
}

function joined(parts) {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The box that an anchor's offsets describe, within the picture (SSD, equation 2). */
function box(offsets, place, anchors, { centreUnit, sideUnit }) {
  const [left, top, right, bottom] = anchors[place];
  const [width, height] = [right - left, bottom - top];
  const [dy, dx, dh, dw] = offsets.subarray(EDGES * place, EDGES * (place + 1));
  const x = dx * centreUnit * width + left + width / 2;
  const y = dy * centreUnit * height + top + height / 2;
  const halfWidth = (Math.exp(Math.min(dw * sideUnit, LARGEST_SIDE)) * width) / 2;
  const halfHeight = (Math.exp(Math.min(dh * sideUnit, LARGEST_SIDE)) * height) / 2;
  const edges = [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
  return edges.map((edge) => Math.min(1, Math.max(0, edge)));
}

/** Intersection over union; 0 where both have no area. */
function overlap(one, other) {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  const inside = Math.max(0, width) * Math.max(0, height);
  const union = area(one) + area(other) - inside;
  return union > 0 ? inside / union : 0;
}

function area([left, top, right, bottom]) {
  return (right - left) * (bottom - top);
}
