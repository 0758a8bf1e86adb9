// Who answers the page: here the page itself, without a server. The functions are those of engine.js.

import { onDark } from "./contents.js";
import { normalised } from "./digit.js";
import { drawnOn } from "./drawn.js";
import { grayOfFile } from "./gray.js";
import { about, sharesOf } from "./model.js";
import { averaged } from "./plane.js";
import { answerTo, readingOf } from "./reading.js";
import { cutSheet, withHalves } from "./sheet.js";

export { opened } from "./model.js";
export { keepDigit, takeBack } from "./kept_here.js";

const SEEN_SIDE = 100; // pixels; larger pictures are shown smaller

async function answerOf(gray) {
  const [shares] = await sharesOf([gray]);
  const factor = Math.max(1, Math.floor(Math.max(gray.height, gray.width) / SEEN_SIDE));
  const shown = averaged(gray, Math.min(factor, gray.height), Math.min(factor, gray.width));
  return { ...answerTo(gray, shares, about), seen: shown.rows() };
}

// { label, confidence, verdict, doubtful, probabilities, seen } of what is drawn
export const answerDrawing = (pad) => answerOf(drawnOn(pad));

// the same of a photo
export async function answerPhoto(file) {
  const gray = await grayOfFile(file);
  return answerOf(about.normalise ? normalised(gray) : onDark(gray));
}

// { numbers, lines, left_out, notes, size } of a photo of several digits
export async function readSheet(file) {
  const gray = await grayOfFile(file);
  const sheet = cutSheet(gray);
  const cuts = sheet.lines.flat(2).flatMap(withHalves);
  const shares = await sharesOf(cuts.map((cut) => cut.picture));
  const answers = new Map(cuts.map((cut, k) => [cut, answerTo(cut.picture, shares[k], about)]));
  return { ...readingOf(sheet, answers, about), size: [gray.width, gray.height] };
}

export const answerTable = null; // tables are for `fastdigits predict`
