// What a picture shows besides one digit, as far as its ink tells, and whether it is dark ink on a light ground. The
// reasons stand in fastdigits/photos/contents.py and ground.py.

import { LEAST_CONTRAST, turned } from "./ink.js";
import { Plane, inkedColumns, inkedRows, least, mean, most, rim } from "./plane.js";

export const [DIGIT, BLANK, SEVERAL, OTHER] = [0, 1, 2, 3];
const INK_LEVEL = 64;
const TALL = 0.6;
const SHARE = 0.2;
const MOST_INK = 0.6;
const MOST_CHANGES = 1.5;
const LEAST_INK = 12;
const LOOKED_AT = 112;
const LEAST_SIDE = 8;
const [DARK, LIGHT, MOST] = [1 / 3, 2 / 3, 0.6];

// The picture as light ink on a dark ground; what is not clear stays as it is.
export function onDark(gray) {
  const [low, high, level] = [least(gray.data), most(gray.data), Math.fround(mean(rim(gray)))];
  const isSmall = Math.min(gray.height, gray.width) < LEAST_SIDE;
  if (isSmall || high - low < LEAST_CONTRAST) return gray;
  if (level < DARK * high && level < 2 * LEAST_CONTRAST) return gray;
  const half = Math.floor((low + high) / 2);
  const above = gray.data.reduce((n, value) => n + (value > half), 0) / gray.data.length;
  return (level - low) / (high - low) > LIGHT && above > MOST ? turned(gray) : gray;
}

// What a picture, light ink on dark, shows.
export function contentsOf(gray) {
  const high = most(gray.data);
  const ground = Math.fround(mean(rim(gray)));
  const isFlat = high < INK_LEVEL || ground > LEAST_CONTRAST;
  if (isFlat && high - least(gray.data) < LEAST_CONTRAST) return BLANK;
  if (Math.min(gray.height, gray.width) < LEAST_SIDE) return DIGIT;
  const step = Math.max(1, Math.floor(Math.max(gray.height, gray.width) / LOOKED_AT));
  const level = Math.trunc(ground + Math.min(INK_LEVEL, (high - ground) / 4));
  const ink = every(gray, step).map((value) => (value > level ? 1 : 0));
  const area = ink.data.reduce((n, point) => n + point, 0);
  const share = area / ink.data.length;
  const changes = Math.min(changesAlong(ink, 1), changesAlong(ink, ink.width));
  const isRough = area > LEAST_INK && changes > MOST_CHANGES * (1 - share) * area;
  if (share > MOST_INK || !area || isRough) return OTHER;
  return partsOf(ink, area) > 1 ? SEVERAL : DIGIT;
}

// Every so many rows and columns.
function every({ height, width, data }, step) {
  const [rows, columns] = [Math.ceil(height / step), Math.ceil(width / step)];
  const picked = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) picked[row * columns + column] = data[row * step * width + column * step];
  }
  return new Plane(rows, columns, picked);
}

// How often ink and paper change along the rows (by 1) or the columns (by the width) of a mask.
function changesAlong({ width, data }, by) {
  let changes = 0;
  for (let at = 0; at + by < data.length; at++) {
    if (by === 1 && at % width === width - 1) continue;
    changes += data[at] !== data[at + by];
  }
  return changes;
}

// How many parts, each as tall as a digit, stand beside each other, empty columns between.
function partsOf(ink, area) {
  const [rows, columns] = [inkedRows(ink), inkedColumns(ink)];
  const height = rows.at(-1) - rows[0] + 1;
  let parts = 0;
  let first = 0;
  for (let k = 1; k <= columns.length; k++) {
    if (k < columns.length && columns[k] - columns[k - 1] === 1) continue;
    const part = ink.part(0, ink.height, columns[first], columns[k - 1] + 1);
    const own = inkedRows(part);
    const points = part.data.reduce((n, point) => n + point, 0);
    parts += own.at(-1) - own[0] + 1 >= TALL * height && points >= SHARE * area;
    first = k;
  }
  return parts;
}
