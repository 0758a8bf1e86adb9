// A sheet of several handwritten digits: cut apart, in the order in which one reads them. The reasons stand in
// fastdigits/photos/sheet.py.

import { cutOut, withoutLines } from "./digit.js";
import { otsuLevel, resizedBicubic } from "./filters.js";
import { LEAST_CONTRAST, blotsOf, sheetInk } from "./ink.js";
import { Plane, averaged, inkedColumns, inkedRows, mean, median, rim, rounded } from "./plane.js";

const WORKING_SIDE = 1600;
const NEIGHBOURHOOD = 0.2;
const RULING = 0.3;
const LEAST_HEIGHT = 0.4;
const SPECK_HEIGHT = 0.15;
const SHARED = 0.5;
const SAME_LINE = 0.8;
const GAP = 0.9;
const [LEAST_FRAMED, CORNER] = [0.3, 0.12];
const MOST_BLOTS = 2000;
const MOST_TOGETHER = 8;
const [SMALL, ENLARGED_TO, MOST_ENLARGED] = [10, 24, 6];
const WIDE = 1.15;

export const heightOf = (box) => box.bottom - box.top;
export const widthOf = (box) => box.right - box.left;
const middleOf = (box) => (box.top + box.bottom) / 2;

// A cut and the halves into which it may fall, and theirs.
export const withHalves = (cut) => [cut, ...cut.halves.flatMap(withHalves)];

// { lines, notes }: lines from above, in each its numbers from the left, of each its cuts { box, picture, halves }.
export function cutSheet(gray) {
  const longer = Math.max(gray.height, gray.width);
  const factor = Math.max(1, Math.min(rounded(longer / WORKING_SIDE), gray.height, gray.width));
  let { lines, usual } = cutLines(averaged(gray, factor), factor);
  if (!lines.length || factor * usual >= SMALL) return { lines, notes: [] };
  let height = factor * usual;
  const times = Math.min(MOST_ENLARGED, Math.ceil(ENLARGED_TO / usual), Math.max(1, Math.floor(WORKING_SIDE / longer)));
  if (times > 1) {
    const larger = resizedBicubic(gray, times * gray.height, times * gray.width);
    const margin = times * gray.height; // paper around, by which ink is known from paper
    const enlarged = cutLines(padded(larger, margin, median(Float32Array.of(mean(rim(gray))))), 1 / times);
    if (enlarged.lines.length) {
      lines = enlarged.lines;
      height = enlarged.usual / times;
      const by = Math.floor(-margin / times);
      for (const cut of lines.flat(2).flatMap(withHalves)) cut.box = shifted(cut.box, by, gray);
    }
  }
  const note = `its digits are about ${rounded(height)} px high, too small to be read well; take it from nearer`;
  return { lines, notes: [note] };
}

function padded(plane, margin, level) {
  const [height, width] = [plane.height + 2 * margin, plane.width + 2 * margin];
  const data = new Float32Array(height * width).fill(level);
  for (let row = 0; row < plane.height; row++) {
    const values = plane.data.subarray(row * plane.width, (row + 1) * plane.width);
    data.set(values, (row + margin) * width + margin);
  }
  return new Plane(height, width, data);
}

function shifted(box, by, { height, width }) {
  const within = (side, end) => Math.min(Math.max(0, side + by), end);
  const [left, right] = [within(box.left, width), within(box.right, width)];
  const [top, bottom] = [within(box.top, height), within(box.bottom, height)];
  return { left, top, right: Math.max(right, left + 1), bottom: Math.max(bottom, top + 1) };
}

// `factor` pixels of the photo are one of these
function cutLines(gray, factor) {
  const ink = withoutLines(sheetInk(gray, NEIGHBOURHOOD), RULING);
  const { numbers, boxes } = blotsOnSheet(ink);
  if (boxes.size > MOST_BLOTS) {
    const [found, bound] = [boxes.size, MOST_BLOTS].map((n) => n.toLocaleString("en"));
    throw new Error(`the sheet has ${found} blots of ink, more than ${bound}; pass a photo of digits`);
  }
  if (!boxes.size) return { lines: [], usual: 0 };
  const usual = usualHeight([...boxes.values()]);
  const lines = linesOf(joined(boxes, usual), usual).map((line) => {
    const found = [];
    let end = null;
    for (const { members, box } of line) {
      if (end === null || box.left - end > GAP * usual) found.push([]);
      const place = [box.top, box.bottom, box.left, box.right];
      const own = numbers.part(...place).map((number) => (members.includes(number) ? 1 : 0), Uint8Array);
      found.at(-1).push(cutOf(ink.part(...place), own, box, usual, factor));
      end = Math.max(box.right, end ?? 0);
    }
    return found;
  });
  return { lines, usual };
}

// The number of the blot at each point, and the box of each that is neither dirt nor a frame, by number.
function blotsOnSheet(ink) {
  const level = Math.max(otsuLevel(ink), LEAST_CONTRAST / 2);
  const mask = ink.map((value) => (value > level ? 1 : 0), Uint8Array);
  const above = ink.data.filter((value) => value > level);
  const below = ink.data.filter((value) => value <= level);
  if (!above.length || mean(above) - mean(below) < LEAST_CONTRAST) {
    return { numbers: mask.map(() => 0, Int32Array), boxes: new Map() };
  }
  const { numbers, boxes } = blotsOf(mask);
  const all = new Map(boxes.map((box, k) => [k + 1, box]));
  const usual = usualHeight([...all.values()]);
  const isNoSpeck = ([, box]) => Math.max(heightOf(box), widthOf(box)) > Math.max(2, SPECK_HEIGHT * usual);
  const kept = new Map([...all].filter(isNoSpeck));
  if (kept.size > MOST_BLOTS) return { numbers, boxes: kept };
  return { numbers, boxes: new Map([...kept].filter(([number]) => !isFrame(numbers, number, kept))) };
}

// Whether a blot is a box drawn around others: ink in its corners, and another blot inside.
function isFrame(numbers, number, boxes) {
  const box = boxes.get(number);
  const encloses = (other) => box.left < other.left && other.right < box.right && box.top < other.top && other.bottom < box.bottom;
  const isAround = (other) => encloses(other) && heightOf(other) > LEAST_FRAMED * heightOf(box);
  if (![...boxes.values()].some(isAround)) return false;
  const [high, wide] = [heightOf(box), widthOf(box)].map((side) => Math.max(1, Math.trunc(side * CORNER)));
  return [[box.top, box.top + high], [box.bottom - high, box.bottom]].every(([top, bottom]) =>
    [[box.left, box.left + wide], [box.right - wide, box.right]].every(([left, right]) =>
      numbers.part(top, bottom, left, right).data.includes(number),
    ),
  );
}

// The height of a digit here: the median of blots that are not much lower than the highest ones.
function usualHeight(boxes) {
  const heights = boxes.map(heightOf).sort((a, b) => a - b);
  const high = median(heights.slice(-Math.max(1, Math.floor(heights.length / 4))));
  return median(heights.filter((height) => height > LEAST_HEIGHT * high));
}

// Blots that are one digit, such as a 5 and its roof: those that stand above each other, close by.
function joined(boxes, usual) {
  const digits = [...boxes].sort((a, b) => heightOf(b[1]) - heightOf(a[1]));
  const found = [];
  for (const [number, box] of digits) {
    const home = found.find(({ box: around }) => {
      const shared = Math.min(box.right, around.right) - Math.max(box.left, around.left);
      const apart = Math.max(box.top, around.top) - Math.min(box.bottom, around.bottom);
      const isNear = apart < 0.3 * usual && heightOf(together(box, around)) < 1.5 * usual;
      return shared > SHARED * Math.min(widthOf(box), widthOf(around)) && isNear;
    });
    if (!home) found.push({ members: [number], box });
    else {
      home.members.push(number);
      home.box = together(box, home.box);
    }
  }
  return found.filter(({ box }) => heightOf(box) > LEAST_HEIGHT * usual);
}

function together(a, b) {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

// Digits by lines from above, in each from the left; a line may climb or fall slowly.
function linesOf(digits, usual) {
  const lines = [];
  const level = (line) => mean(line.map(({ box }) => middleOf(box)));
  for (const digit of [...digits].sort((a, b) => a.box.left - b.box.left)) {
    const distances = lines.map((line) => Math.abs(middleOf(digit.box) - level(line.slice(-3))));
    const nearest = Math.min(...distances);
    if (nearest < SAME_LINE * usual) lines[distances.indexOf(nearest)].push(digit);
    else lines.push([digit]);
  }
  return lines.sort((a, b) => level(a) - level(b));
}

// The digit whose points are `blots`; both planes are those of its box.
function cutOf(ink, blots, box, usual, factor) {
  const high = Math.max(heightOf(box), usual);
  const mayBeSeveral = WIDE * high < widthOf(box) && widthOf(box) < MOST_TOGETHER * high;
  const onPhoto = {
    left: Math.floor(factor * box.left),
    top: Math.floor(factor * box.top),
    right: Math.ceil(factor * box.right),
    bottom: Math.ceil(factor * box.bottom),
  };
  const halves = mayBeSeveral ? halvesOf(ink, blots, box, usual, factor) : [];
  return { box: onPhoto, picture: cutOut(ink, blots), halves };
}

// The two parts of a blot at the column of its middle half that has the least ink.
function halvesOf(ink, blots, box, usual, factor) {
  const width = widthOf(box);
  if (width < 3) return [];
  const columns = new Float32Array(width);
  ink.data.forEach((level, at) => {
    if (blots.data[at]) columns[at % width] += level;
  });
  const quarter = Math.max(1, Math.floor(width / 4));
  let at = quarter;
  for (let column = quarter; column < width - quarter; column++) if (columns[column] < columns[at]) at = column;
  const found = [];
  for (const [start, stop] of [[0, at], [at, width]]) {
    const rows = inkedRows(blots.part(0, blots.height, start, stop));
    if (!rows.length) return [];
    const place = [rows[0], rows.at(-1) + 1, start, stop];
    const part = {
      left: box.left + start,
      top: box.top + rows[0],
      right: box.left + stop,
      bottom: box.top + rows.at(-1) + 1,
    };
    found.push(cutOf(ink.part(...place), blots.part(...place), part, usual, factor));
  }
  return found;
}
