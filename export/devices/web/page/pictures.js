// Picture files as pixels. The browser decodes them: upright by their EXIF orientation, and without
// their colour profile, as in training.

import { UserError } from "./tflite.js";

const PIXELS = 1 << 24; // more than a phone's canvas may have; larger pictures are reduced to it
const PNG = [0x89, 0x50, 0x4e, 0x47];
const HEAD = 26; // bytes, up to a PNG's depth and kind of colour
const GREY = 0;

/** Whether a file is a model, by its name or by the mark that models have. */
export async function isModel(file) {
  const mark = await file.slice(4, 8).text();
  return mark === "TFL3" || file.name.toLowerCase().endsWith(".tflite");
}

/**
 * @param {File} file
 * @returns {Promise<ImageBitmap>} upright; close it after use
 * @throws {UserError} this browser cannot decode it, or only in another way than training
 */
export async function openPicture(file) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  if (PNG.every((byte, i) => head[i] === byte) && head[24] === 16 && head[25] === GREY) {
    throw new UserError(`${file.name} has greys of 16 bits, which browsers cut to 8; convert it first.`);
  }
  try {
    return await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new UserError(`${file.name} is not a picture that this browser can decode.`);
  }
}

/**
 * Draw a picture or a frame of a video on white, at its own size.
 *
 * @param {CanvasRenderingContext2D} context of an opaque canvas, which gets that size
 */
export function draw(context, picture) {
  const width = picture.videoWidth || picture.width;
  const height = picture.videoHeight || picture.height;
  const scale = Math.min(1, Math.sqrt(PIXELS / (width * height)));
  const { canvas } = context;
  const [wide, high] = [Math.max(1, Math.floor(width * scale)), Math.max(1, Math.floor(height * scale))];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  context.fillStyle = "white";
  context.fillRect(0, 0, wide, high);
  context.drawImage(picture, 0, 0, wide, high);
}
