// Picture files as gray levels, as Pillow reads them.

import { Plane } from "./plane.js";

const MOST_PIXELS = 50e6;

// The gray levels of ImageData; what is transparent is paper, white under dark ink.
export function grayOf({ width, height, data }) {
  const gray = new Uint8Array(width * height);
  let visible = 0;
  let total = 0;
  let isOpaque = true;
  for (let at = 0; at < gray.length; at++) {
    const alpha = data[4 * at + 3];
    gray[at] = (data[4 * at] * 19595 + data[4 * at + 1] * 38470 + data[4 * at + 2] * 7471 + 0x8000) >> 16;
    if (alpha > 127) {
      visible++;
      total += gray[at];
    }
    if (alpha < 255) isOpaque = false;
  }
  if (!isOpaque) {
    const paper = visible && total / visible <= 127.5 ? 255 : 0;
    gray.forEach((level, at) => {
      const mixed = level * data[4 * at + 3] + paper * (255 - data[4 * at + 3]) + 128;
      gray[at] = (mixed + (mixed >> 8)) >> 8;
    });
  }
  return new Plane(height, width, gray);
}

// The gray levels of a picture file, upright.
export async function grayOfFile(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Error(`${file.name} is no picture that this browser reads; save it as PNG or JPEG`);
  }
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) {
    throw new Error(`${file.name} has more than ${MOST_PIXELS / 1e6} million pixels; use a smaller picture`);
  }
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return grayOf(context.getImageData(0, 0, width, height));
}
