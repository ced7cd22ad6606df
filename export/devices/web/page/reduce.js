// Training decodes a JPEG that is much larger than needed at a part of its size. Browsers decode it
// whole; the means of its squares are what libjpeg decodes, within a level or two.

const FACTORS = [8, 4, 2];

/**
 * Return a picture as training decodes it.
 *
 * @param spec of the network's input, see `readModel`
 * @param {{width, height, read: (left, top, width, height) => Uint8ClampedArray}} picture
 * @param {boolean} jpeg whether it was a JPEG; other pictures stay as they are
 * @returns {{width, height, read}}
 */
export function asDecoded(spec, picture, jpeg) {
  const factor = jpeg ? jpegFactor(spec, picture.width, picture.height) : 1;
  return factor === 1 ? picture : reduced(picture, factor);
}

function jpegFactor(spec, width, height) {
  // Interpolation takes single pixels of the file.
  if (spec.resize === "mediapipe") return 1;
  // With twice the final resolution, the resize decides the pixels and not the JPEG decoder.
  const atLeast = Math.ceil((2 * Math.max(spec.width, spec.height)) / spec.crop);
  const most = Math.floor(Math.min(width, height) / atLeast);
  return FACTORS.find((factor) => factor <= most) ?? 1;
}

/** The means of squares; those of the last row and column may be means of fewer pixels. */
function reduced(picture, factor) {
  const read = (left, top, width, height) => {
    const [fromLeft, fromTop] = [left * factor, top * factor];
    const wide = Math.min(width * factor, picture.width - fromLeft);
    const high = Math.min(height * factor, picture.height - fromTop);
    const from = picture.read(fromLeft, fromTop, wide, high);
    return means(from, wide, high, width, height, factor);
  };
  return { width: Math.ceil(picture.width / factor), height: Math.ceil(picture.height / factor), read };
}

function means(from, wide, high, width, height, factor) {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    const bottom = Math.min(high, (y + 1) * factor);
    for (let x = 0; x < width; x++) {
      const right = Math.min(wide, (x + 1) * factor);
      const count = (bottom - y * factor) * (right - x * factor);
      let [red, green, blue] = [0, 0, 0];
      for (let row = y * factor; row < bottom; row++) {
        for (let at = (row * wide + x * factor) * 4; at < (row * wide + right) * 4; at += 4) {
          red += from[at];
          green += from[at + 1];
          blue += from[at + 2];
        }
      }
      const to = (y * width + x) * 4;
      rgba[to] = red / count; // the array rounds to the nearest
      rgba[to + 1] = green / count;
      rgba[to + 2] = blue / count;
    }
  }
  return rgba;
}
