// Resizing of 8-bit pictures, byte for byte as in training. Pillow's filters: weights of 22 fractional
// bits, rows first, then columns, each rounded to eight bits. MediaPipe's: interpolation between four
// pixels, rounded once.

const BITS = 22;
const CACHED = 8;
const STEPS = 32; // of MediaPipe's positions, in a pixel

// Name of the filter -> its support in pixels and its curve. `nearest` takes single pixels, and
// `mediapipe` interpolates.
export const FILTERS = {
  nearest: null,
  box: [0.5, (x) => (x > -0.5 && x <= 0.5 ? 1 : 0)],
  bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
  bicubic: [2, cubic],
  lanczos: [3, (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
  mediapipe: null,
};

const known = new Map();

/**
 * @param {Uint8ClampedArray} rgba width * height pixels
 * @param {string} filter a name in `FILTERS`
 * @returns {Uint8Array} red, green, blue of toWidth * toHeight pixels
 */
export function resize(rgba, width, height, toWidth, toHeight, filter) {
  if (filter === "mediapipe") return interpolated(rgba, width, height, toWidth, toHeight);
  const across = taps(width, toWidth, filter);
  const down = taps(height, toHeight, filter);
  const rows = new Uint8Array(height * toWidth * 3);
  for (let y = 0; y < height; y++) {
    pass(rgba, y * width * 4, 4, rows, y * toWidth * 3, 3, across);
  }
  if (!down.changes) return rows;
  const resized = new Uint8Array(toHeight * toWidth * 3);
  for (let x = 0; x < toWidth; x++) {
    pass(rows, x * 3, toWidth * 3, resized, x * 3, toWidth * 3, down);
  }
  return resized;
}

function interpolated(rgba, width, height, toWidth, toHeight) {
  const across = between(width, toWidth);
  const down = between(height, toHeight);
  const rgb = new Uint8Array(toHeight * toWidth * 3);
  let to = 0;
  for (const [top, bottom, low] of down) {
    for (const [left, right, near] of across) {
      for (let channel = 0; channel < 3; channel++) {
        const value = (x, y) => rgba[(y * width + x) * 4 + channel];
        const row = (y) => value(left, y) * (STEPS - near) + value(right, y) * near;
        const sum = row(top) * (STEPS - low) + row(bottom) * low;
        rgb[to++] = Math.floor(sum / STEPS ** 2 + 0.5);
      }
    }
  }
  return rgb;
}

/** Which two pixels of a side each pixel of another lies between, and the share of the second. */
function between(side, toSide) {
  return Array.from({ length: toSide }, (_, out) => {
    const steps = roundEven((out * side * STEPS) / toSide);
    const first = Math.min(Math.floor(steps / STEPS), side - 1);
    return [first, Math.min(first + 1, side - 1), steps % STEPS];
  });
}

/** A half goes to the even neighbour, as in NumPy and Python. */
export function roundEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Resize one line of pixels, which lie `fromStep` and `toStep` bytes apart. */
function pass(from, fromStart, fromStep, to, toStart, toStep, { first, count, weights }) {
  let weight = 0;
  for (let out = 0; out < first.length; out++) {
    let red = 1 << (BITS - 1);
    let green = red;
    let blue = red;
    let at = fromStart + first[out] * fromStep;
    for (let tap = 0; tap < count[out]; tap++) {
      const share = weights[weight++];
      red += from[at] * share;
      green += from[at + 1] * share;
      blue += from[at + 2] * share;
      at += fromStep;
    }
    const target = toStart + out * toStep;
    to[target] = clipped(red >> BITS);
    to[target + 1] = clipped(green >> BITS);
    to[target + 2] = clipped(blue >> BITS);
  }
}

function clipped(value) {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Which pixels of a side become each pixel of another, with which weights. */
function taps(side, toSide, filter) {
  const key = `${filter} ${side} ${toSide}`;
  if (!known.has(key)) {
    if (known.size === CACHED) known.clear();
    const same = side === toSide || filter === "nearest";
    known.set(key, same ? single(side, toSide) : weighted(side, toSide, ...FILTERS[filter]));
  }
  return known.get(key);
}

/** One pixel each; Pillow adds up the step, which matters for the last bit. */
function single(side, toSide) {
  const step = side / toSide;
  const first = new Int32Array(toSide);
  let at = step * 0.5;
  for (let out = 0; out < toSide; out++, at += step) first[out] = Math.min(side - 1, at);
  return {
    first,
    count: new Int32Array(toSide).fill(1),
    weights: new Int32Array(toSide).fill(1 << BITS),
    changes: side !== toSide,
  };
}

function weighted(side, toSide, reach, curve) {
  const scale = side / toSide;
  const stretch = Math.max(scale, 1);
  const support = reach * stretch;
  const inverse = 1 / stretch; // Pillow multiplies with it; a division differs in the last bit
  const first = new Int32Array(toSide);
  const count = new Int32Array(toSide);
  const weights = [];
  for (let out = 0; out < toSide; out++) {
    const centre = (out + 0.5) * scale;
    first[out] = Math.max(0, Math.trunc(centre - support + 0.5));
    count[out] = Math.min(side, Math.trunc(centre + support + 0.5)) - first[out];
    const shares = Array.from({ length: count[out] }, (_, tap) =>
      curve((tap + first[out] - centre + 0.5) * inverse),
    );
    let total = 0;
    for (const share of shares) total += share;
    for (const share of shares) {
      const part = total === 0 ? share : share / total;
      weights.push(Math.trunc(part * (1 << BITS) + (part < 0 ? -0.5 : 0.5)));
    }
  }
  return { first, count, weights: Int32Array.from(weights), changes: true };
}

function cubic(x) {
  const a = -0.5;
  x = Math.abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
