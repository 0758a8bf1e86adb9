// A photo of one digit, brought to the form of MNIST's pictures: white on black, 28x28 pixels, the digit 20 pixels
// tall or wide, its centre of mass in the middle. The reasons stand in fastdigits/photos/digit.py.

import { greyDilation, greyErosion, grown, resizedBilinear } from "./filters.js";
import { blotsOf, digitInk, inked, isInside, largerThanSpecks } from "./ink.js";
import { Plane, averaged, centreOf, clipped, inkedColumns, inkedRows, mean, most, quantile, rim, rounded } from "./plane.js";

export const SIDE = 28;
const DIGIT_SIDE = 20;
const WORKING_SIDE = 400;
const BORDER_LEVEL = 24;
const INK_LEVEL = 40;
const EXTENTS = [17, 23];
const OFF_CENTRE = 2.5;
const RULED_SIDE = 60;
const [LINE, LINE_WIDTH] = [0.8, 0.05];
const LINE_LEVEL = 1;

// The digit of a picture, gray levels 0..255, as MNIST would have it; black where no ink was found.
export function normalised(gray) {
  if (hasForm(gray)) return gray;
  const longer = Math.max(gray.height, gray.width);
  const factor = Math.max(1, Math.min(Math.floor(longer / WORKING_SIDE), gray.height, gray.width));
  let ink = digitInk(averaged(gray, factor));
  if (Math.min(gray.height, gray.width) >= RULED_SIDE) ink = withoutLines(ink, LINE);
  const blots = digitBlots(ink);
  return blots ? cutOut(ink, blots) : new Plane(SIDE, SIDE, new Uint8Array(SIDE * SIDE));
}

// The digit whose points are `blots`, some of them ink.
export function cutOut(ink, blots) {
  const [rows, columns] = [inkedRows(blots), inkedColumns(blots)];
  const place = [rows[0], rows.at(-1) + 1, columns[0], columns.at(-1) + 1];
  const [digit, own] = [ink.part(...place), blots.part(...place)];
  const bold = quantile(digit.data.filter((_, at) => own.data[at]), 0.75);
  return centred(fitted(digit.map((level, at) => (own.data[at] ? level / bold : 0), Float32Array)));
}

// Whether a picture has this form already.
function hasForm(gray) {
  if (gray.height !== SIDE || gray.width !== SIDE) return false;
  const mask = gray.map((level) => (level > INK_LEVEL ? 1 : 0));
  const [rows, columns] = [inkedRows(mask), inkedColumns(mask)];
  if (mean(rim(gray)) >= BORDER_LEVEL || !rows.length) return false;
  const extent = Math.max(rows.at(-1) - rows[0], columns.at(-1) - columns[0]) + 1;
  const off = Math.max(...centreOf(gray).map((centre) => Math.abs(centre - (SIDE - 1) / 2)));
  return EXTENTS[0] <= extent && extent <= EXTENTS[1] && off <= OFF_CENTRE;
}

// The ink without what runs straight through a share of the picture: the lines of ruled or squared paper.
export function withoutLines(ink, long) {
  const { height, width } = ink;
  let lines = null;
  const straights = [
    [Math.max(2, Math.trunc(height * long)), 1, 1, Math.max(3, Math.trunc(width * LINE_WIDTH))],
    [1, Math.max(2, Math.trunc(width * long)), Math.max(3, Math.trunc(height * LINE_WIDTH)), 1],
  ];
  for (const [rows, columns, rowsAcross, columnsAcross] of straights) {
    if (isBroken(ink, rows, columns)) continue; // as nearly always
    const eroded = greyErosion(ink, rows, columns);
    if (most(eroded.data) < LINE_LEVEL) continue;
    const straight = greyDilation(eroded, rows, columns);
    const wide = greyDilation(greyErosion(straight, rowsAcross, columnsAcross), rowsAcross, columnsAcross);
    const found = straight.map((level, at) => level - wide.data[at]);
    const before = lines;
    lines = before ? found.map((level, at) => Math.max(level, before.data[at])) : found;
  }
  return lines ? ink.map((level, at) => level - lines.data[at]) : ink;
}

// Whether no window of so many rows or columns, as greyErosion has them, is all ink; at the border half of one is enough,
// since there its outer half shows the border again.
function isBroken({ height, width, data }, rows, columns) {
  const window = Math.max(rows, columns);
  const before = Math.floor(window / 2);
  const [lines, side, step, next] = rows > 1 ? [width, height, width, 1] : [height, width, 1, width];
  for (let line = 0; line < lines; line++) {
    let run = before; // of ink, up to here
    for (let k = 0; k < side; k++) {
      run = data[line * next + k * step] >= LINE_LEVEL ? run + 1 : 0;
      if (run >= window || (k === side - 1 && run > before)) return false;
    }
  }
  return true;
}

// Which points belong to the digit: all blots of ink but specks, and lines that end at the border; null without ink.
function digitBlots(ink) {
  const { mask, level, none } = inked(ink);
  if (none) return null;
  const blots = blotsOf(mask);
  const all = blots.areas.map(() => true);
  const inside = isInside(blots);
  const hasInside = largerThanSpecks(blots, all).some((is, k) => is && inside[k]); // else the digit itself is cut off
  const kept = largerThanSpecks(blots, hasInside ? inside : all);
  for (let at = 0; at < mask.data.length; at++) if (mask.data[at] && !kept[blots.numbers.data[at] - 1]) mask.data[at] = 0;
  const times = Math.max(1, Math.floor(Math.max(ink.height, ink.width) / 100));
  const points = grown(mask, times);
  for (let at = 0; at < ink.data.length; at++) if (!(ink.data[at] > level / 3)) points.data[at] = 0;
  return points;
}

// A cut-out digit, resized so that its longer side is DIGIT_SIDE pixels: 0..1.
function fitted(digit) {
  const longer = Math.max(digit.height, digit.width);
  const [height, width] = [digit.height, digit.width].map((side) => Math.max(1, rounded((side * DIGIT_SIDE) / longer)));
  const resized = resizedBilinear(digit, height, width);
  const bright = most(resized.data);
  return resized.map((level) => clipped(bright < 1 ? level / Math.max(bright, 1e-6) : level, 0, 1));
}

// The digit in a black picture, its centre of mass in the middle, or as near as it fits.
function centred(digit) {
  const { height, width, data } = digit;
  const [down, across] = centreOf(digit);
  const start = (centre, side) => clipped(rounded(SIDE / 2 - 0.5 - centre), 0, SIDE - side);
  const [top, left] = [start(down, height), start(across, width)];
  const picture = new Uint8Array(SIDE * SIDE);
  data.forEach((level, at) => {
    picture[(top + Math.floor(at / width)) * SIDE + left + (at % width)] = rounded(Math.fround(level * 255));
  });
  return new Plane(SIDE, SIDE, picture);
}
