// Picture files as gray levels, as Pillow reads them.

import { Plane } from "./plane.js";

const MOST_PIXELS = 50e6;
const STRIP_PIXELS = 8e6; // that are read at a time, since phones have no larger canvas than about 16 million

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
  const data = new Uint8ClampedArray(4 * width * height);
  const rows = Math.max(1, Math.floor(STRIP_PIXELS / width));
  for (let top = 0; top < height; top += rows) {
    const part = Math.min(rows, height - top);
    const context = new OffscreenCanvas(width, part).getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, top, width, part, 0, 0, width, part);
    data.set(context.getImageData(0, 0, width, part).data, 4 * width * top);
  }
  bitmap.close();
  return grayOf({ width, height, data });
}
