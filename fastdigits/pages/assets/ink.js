// Ink on paper: how much darker, or on dark paper lighter, than its paper each point of a photo is.
// The reasons for each step stand in fastdigits/photos/ink.py, whose results these are.

import { greyClosing, labelled, otsuLevel, percentileFilter, zoomed, zoomedGrid } from "./filters.js";
import { Plane, averaged, clipped, median, most } from "./plane.js";

export const LEAST_CONTRAST = 20;
const [PAPER_GRID, INK_GRID] = [48, 192];
const SPECK = 0.04;
const STROKE = 0.6;
const MOST_INK = 0.4;
const [FIT_ROUNDS, SETTLED] = [12, 0.01];
const TERMS = 6; // of a surface of second order
const MOST_GAIN = 3;

// The ink of a photo of one digit: gray levels, 0 or more.
export function digitInk(gray) {
  const grid = (side) => averaged(gray, Math.max(1, Math.floor(gray.height / side)), Math.max(1, Math.floor(gray.width / side)));
  const finer = () => grid(INK_GRID);
  let small = grid(PAPER_GRID);
  let light = lightOn(small);
  const isDark = isDarkInk(minus(small, light), () => minus(finer(), zoomedGrid(light, finer().height, finer().width)));
  if (!isDark) [gray, small, light] = [turned(gray), turned(small), turned(light)];
  const flat = withoutStrokes(minus(small, light));
  const paper = zoomedGrid(light.map((level, at) => level + flat.data[at]), gray.height, gray.width);
  return new Plane(gray.height, gray.width, inkOn(paper.data, gray.data, isDark));
}

// How much darker than its paper each point is; in a shadow, where paper and ink lie nearer to each other, dark ink more.
function inkOn(paper, levels, isDark) {
  const usual = isDark ? median(paper) : 0;
  const ink = paper.slice();
  for (let at = 0; at < ink.length; at++) {
    const darker = paper[at] - levels[at];
    if (darker <= 0) ink[at] = 0;
    else ink[at] = isDark ? darker * clipped(usual / Math.max(paper[at], 1), 1 / MOST_GAIN, MOST_GAIN) : darker;
  }
  return ink;
}

// The ink of a sheet of many digits; `neighbourhood` is the share of its sides in which paper has one brightness.
export function sheetInk(gray, neighbourhood) {
  const paper = median(gray.data);
  let [darker, lighter] = [0, 0];
  for (const level of gray.data) {
    if (level < paper) darker += paper - level;
    else lighter += level - paper;
  }
  const dark = darker >= lighter ? gray : turned(gray);
  const sides = [dark.height, dark.width].map((side) => Math.round(side * Math.min(1, PAPER_GRID / side)));
  const small = zoomed(dark, ...sides);
  const [rows, columns] = sides.map((side) => Math.floor(Math.trunc(side * neighbourhood) / 2) * 2 + 1);
  const around = zoomed(percentileFilter(small, 80, rows, columns), dark.height, dark.width);
  return around.map((level, at) => Math.max(level - dark.data[at], 0));
}

// The blots of a mask: `numbers` at each point (0: none), `boxes`, `areas`, and `atBorder`, how many points of each lie
// at the picture's border.
export function blotsOf(mask) {
  const { numbers, count } = labelled(mask);
  const areas = new Array(count).fill(0);
  const atBorder = new Array(count).fill(0);
  const boxes = Array.from({ length: count }, () => ({ left: Infinity, top: Infinity, right: 0, bottom: 0 }));
  const { height, width, data } = numbers;
  for (let at = 0; at < data.length; at++) {
    if (!data[at]) continue;
    const number = data[at] - 1;
    const [row, column] = [Math.floor(at / width), at % width];
    const box = boxes[number];
    areas[number]++;
    box.left = Math.min(box.left, column);
    box.top = Math.min(box.top, row);
    box.right = Math.max(box.right, column + 1);
    box.bottom = Math.max(box.bottom, row + 1);
    if (row === 0 || row === height - 1 || column === 0 || column === width - 1) atBorder[number]++;
  }
  return { numbers, boxes, areas, atBorder };
}

export const isInside = (blots) => blots.atBorder.map((points) => points === 0);

// Which of those `among`, at least one of them true, are no dirt beside the largest.
export function largerThanSpecks({ areas }, among) {
  const largest = most(areas.filter((_, k) => among[k]));
  return areas.map((area, k) => among[k] && area >= SPECK * largest);
}

// Which points hold ink, and the level above which they lie; none where contrast is too small.
export function inked(ink) {
  const level = otsuLevel(ink);
  const mask = new Plane(ink.height, ink.width, new Uint8Array(ink.data.length));
  let [n, above, below] = [0, 0, 0];
  for (let at = 0; at < ink.data.length; at++) {
    const value = ink.data[at];
    if (value > level) {
      mask.data[at] = 1;
      n++;
      above += value;
    } else below += value;
  }
  const rest = ink.data.length - n;
  const none = !n || !rest || above / n - below / rest < LEAST_CONTRAST;
  if (none) mask.data.fill(0);
  return { mask, level, none };
}

export function turned({ height, width, data }) {
  const levels = data.slice();
  for (let at = 0; at < levels.length; at++) levels[at] = 255 - levels[at];
  return new Plane(height, width, levels);
}

const minus = (a, b) => a.map((value, at) => value - b.data[at], Float64Array);

// The light on the paper as a surface of second order: the one on which most points agree.
function lightOn(small) {
  const { height, width, data: values } = small;
  const along = (side, k) => (side > 1 ? -1 + (2 * k) / (side - 1) : -1);
  const terms = new Float64Array(TERMS * values.length); // of each point: 1, row, column, row², row * column, column²
  for (let at = 0; at < values.length; at++) {
    const row = along(height, Math.floor(at / width));
    const column = along(width, at % width);
    terms.set([1, row, column, row * row, row * column, column * column], TERMS * at);
  }
  let surface = new Float64Array(values.length).fill(median(values));
  for (let round = 0; round < FIT_ROUNDS; round++) {
    const off = surface.map((level, at) => values[at] - level);
    const scale = Math.max(3, 1.5 * median(off.map(Math.abs)));
    const weights = off.map((value) => (1 / (1 + (value / scale) ** 2)) ** 2);
    const factors = leastSquares(terms, values, weights);
    let change = 0;
    surface = surface.map((before, at) => {
      let level = 0;
      for (let k = 0; k < TERMS; k++) level += terms[TERMS * at + k] * factors[k];
      change = Math.max(change, Math.abs(level - before));
      return level;
    });
    if (change < SETTLED) break;
  }
  return new Plane(height, width, surface);
}

// The factors of the terms whose sum is nearest to the values, by Cholesky's method.
function leastSquares(terms, values, weights) {
  const a = Array.from({ length: TERMS }, () => new Float64Array(TERMS));
  const b = new Float64Array(TERMS);
  for (let at = 0; at < values.length; at++) {
    for (let i = 0; i < TERMS; i++) {
      const weighted = weights[at] * terms[TERMS * at + i];
      const row = a[i];
      b[i] += weighted * values[at];
      for (let j = 0; j <= i; j++) row[j] += weighted * terms[TERMS * at + j];
    }
  }
  for (let i = 0; i < TERMS; i++) a[i][i] += 1e-11 * a[0][0]; // pictures of few rows or columns have no one answer
  for (let i = 0; i < TERMS; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i][j];
      for (let k = 0; k < j; k++) rest -= a[i][k] * a[j][k];
      a[i][j] = i === j ? Math.sqrt(rest) : rest / a[j][j];
    }
  }
  for (let i = 0; i < TERMS; i++) {
    for (let k = 0; k < i; k++) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (let i = TERMS - 1; i >= 0; i--) {
    for (let k = i + 1; k < TERMS; k++) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

// Gray levels in which dark strokes are as bright as what is around them.
function withoutStrokes(flat) {
  const [rows, columns] = [flat.height, flat.width].map((side) => Math.floor(Math.max(1, Math.trunc(side * STROKE)) / 2) * 2 + 1);
  return greyClosing(flat, rows, columns);
}

// Whether the ink is darker than its paper: the first of four signs that says something. `finer` is only made where the
// first sign says nothing.
function isDarkInk(flat, finer) {
  const darker = (plane) => plane.map((value) => Math.max(-value, 0));
  const lighter = (plane) => plane.map((value) => Math.max(value, 0));
  const closed = (plane) => withoutStrokes(plane).map((value, at) => value - plane.data[at]);
  const total = (plane) => plane.data.reduce((a, b) => a + b, 0);
  const signs = [
    () => [innerInk(darker(flat), 3), innerInk(lighter(flat), 3)],
    () => [innerInk(darker(finer()), 9), innerInk(lighter(finer()), 9)],
    () => [span(closed(flat)), span(closed(flat.map((value) => -value)))],
    () => [total(darker(flat)), total(lighter(flat))],
  ];
  for (const sign of signs) {
    const [dark, light] = sign();
    if (dark !== light) return dark > light;
  }
  return true;
}

// The ink of all blots that have so many points at least and lie mostly away from the border.
function innerInk(ink, leastPoints) {
  const { numbers, areas, atBorder } = blotsOf(ink.map((value) => (value > LEAST_CONTRAST ? 1 : 0), Uint8Array));
  const most = Math.min(ink.height, ink.width) / 2;
  const counts = areas.map((area, k) => atBorder[k] < most && area >= leastPoints);
  let total = 0;
  for (let at = 0; at < ink.data.length; at++) if (numbers.data[at] && counts[numbers.data[at] - 1]) total += ink.data[at];
  return total;
}

// The area of the box around all blots of ink inside the picture; 0 when there are none, or it is mostly ink.
function span(ink) {
  const { mask } = inked(ink);
  const blots = blotsOf(mask);
  const inside = isInside(blots);
  const share = mask.data.reduce((a, b) => a + b, 0) / mask.data.length;
  if (share > MOST_INK || !inside.some(Boolean)) return 0;
  const kept = largerThanSpecks(blots, inside);
  const boxes = blots.boxes.filter((_, k) => kept[k]);
  const side = (end, start) => Math.max(...boxes.map((box) => box[end])) - Math.min(...boxes.map((box) => box[start]));
  return side("bottom", "top") * side("right", "left");
}
