// Picture files as pixels. The browser decodes them: upright by their EXIF orientation, and without
// their colour profile, as in training.

import { UserError } from "./tflite.js";

const PNG = [0x89, 0x50, 0x4e, 0x47];
const JPEG = [0xff, 0xd8, 0xff];
const HEAD = 26; // bytes, up to a PNG's depth and kind of colour
const GREY = 0;

/** Whether a file is a model, by its name or by the mark that models have. */
export async function isModel(file) {
  const mark = await file.slice(4, 8).text();
  return mark === "TFL3" || file.name.toLowerCase().endsWith(".tflite");
}

/** Whether a file is a gallery, by its name. */
export function isGallery(file) {
  return file.name.toLowerCase().endsWith(".json");
}

/**
 * @param {File} file
 * @returns {Promise<{bitmap: ImageBitmap, jpeg: boolean}>} upright; close the bitmap after use
 * @throws {UserError} this browser cannot decode it, or only in another way than training
 */
export async function openPicture(file) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const begins = (mark) => mark.every((byte, i) => head[i] === byte);
  if (begins(PNG) && head[24] === 16 && head[25] === GREY) {
    throw new UserError(`${file.name} has greys of 16 bits, which browsers cut to 8; convert it first.`);
  }
  try {
    const bitmap = await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
    return { bitmap, jpeg: begins(JPEG) };
  } catch {
    throw new UserError(`${file.name} is not a picture that this browser can decode.`);
  }
}
