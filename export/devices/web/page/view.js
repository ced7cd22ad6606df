// What is seen of a picture: the picture itself, the part that is used, and the network's input.

const PIXELS = 1 << 24; // more than a phone's canvas may have; larger pictures are reduced to it

/** Return the context in which pictures are drawn and read: opaque, in main memory. */
export function newContext(canvas) {
  return canvas.getContext("2d", { alpha: false, willReadFrequently: true });
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

/** Return what a context shows, as `prepare` takes it. */
export function shown(context) {
  const { width, height } = context.canvas;
  return { width, height, read: (...box) => context.getImageData(...box).data };
}

/** Put a frame around a part of the picture, in shares of its sides. */
export function showPart(frame, [left, top, right, bottom]) {
  const sides = { left, top, width: right - left, height: bottom - top };
  frame.hidden = right - left === 1 && bottom - top === 1;
  for (const [side, share] of Object.entries(sides)) frame.style[side] = `${100 * share}%`;
}

/** Draw the pixels that the network receives. */
export function showInput(canvas, pixels, { width, height, channels }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * i + channel] = pixels[channels === 3 ? 3 * i + channel : i];
    }
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}
