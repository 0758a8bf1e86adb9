// What scipy.ndimage and Pillow do to a picture in `fastdigits predict`, done here with the same results.

import { Plane, clipped, least, most } from "./plane.js";

// ---- extremes in a window, with the border repeated outward

// For each value the least one of its window, from `before` lines before it to `after` lines behind it. A line is a row,
// or of a plane on its side a column; each value is in two blocks of a window's size, and the least values of their parts
// are computed once for all (van Herk 1992, Pattern Recognition Letters 13:517).
function slidingLeast({ height, width, data }, before, after) {
  const window = before + after + 1;
  const lines = height + before + after; // with the first and the last one repeated
  const placeOf = (line) => clipped(line - before, 0, height - 1) * width;
  const [fromStart, toEnd] = scratch(lines * width); // of the block so far
  for (let line = 0; line < lines; line++) {
    const [here, source] = [line * width, placeOf(line)];
    fromStart.set(data.subarray(source, source + width), here);
    if (line % window !== 0) lessen(fromStart, here, here - width, width);
  }
  for (let line = lines - 1; line >= 0; line--) {
    const [here, source] = [line * width, placeOf(line)];
    toEnd.set(data.subarray(source, source + width), here);
    if (line !== lines - 1 && (line + 1) % window !== 0) lessen(toEnd, here, here + width, width);
  }
  const ahead = (window - 1) * width;
  const out = new data.constructor(data.length);
  for (let k = 0; k < out.length; k++) out[k] = Math.min(toEnd[k], fromStart[k + ahead]);
  return new Plane(height, width, out);
}

let kept = [new Float64Array(0), new Float64Array(0)];

// Two arrays of that length at least, always the same ones: fresh memory is slow.
function scratch(length) {
  if (kept[0].length < length) kept = kept.map(() => new Float64Array(length));
  return kept;
}

// Replace so many values from `here` on by those from `there` on that are less.
function lessen(data, here, there, count) {
  for (let k = 0; k < count; k++) data[here + k] = Math.min(data[here + k], data[there + k]);
}

// Rows as columns.
function onItsSide({ height, width, data }) {
  const out = new data.constructor(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) out[column * height + row] = data[row * width + column];
  }
  return new Plane(width, height, out);
}

const negative = (plane) => plane.map((value) => -value);

// The least value in windows of so many rows and columns.
export function greyErosion(plane, rows, columns) {
  return leastOf(plane, rows, columns, (size) => [Math.floor(size / 2), size - Math.floor(size / 2) - 1]);
}

// The greatest one; of windows of an even size scipy's erosion reaches further before a place, and its dilation behind it.
export function greyDilation(plane, rows, columns) {
  const sides = (size) => [size - Math.floor(size / 2) - 1, Math.floor(size / 2)];
  return negative(leastOf(negative(plane), rows, columns, sides));
}

function leastOf(plane, rows, columns, sides) {
  const upright = rows > 1 ? slidingLeast(plane, ...sides(rows)) : plane;
  return columns > 1 ? onItsSide(slidingLeast(onItsSide(upright), ...sides(columns))) : upright;
}

// rows and columns are odd
export function greyClosing(plane, rows, columns) {
  return greyErosion(greyDilation(plane, rows, columns), rows, columns);
}

// ---- masks

// A mask, grown so many times by the points above, below and beside it.
export function grown(mask, times) {
  const { height, width } = mask;
  let now = mask;
  for (let round = 0; round < times; round++) {
    const { data } = now;
    const next = new Plane(height, width, data.slice());
    for (let at = 0; at < data.length; at++) {
      if (!data[at]) continue;
      const column = at % width;
      if (column > 0) next.data[at - 1] = 1;
      if (column < width - 1) next.data[at + 1] = 1;
      if (at >= width) next.data[at - width] = 1;
      if (at + width < data.length) next.data[at + width] = 1;
    }
    now = next;
  }
  return now;
}

// The number of the connected blot at each point of a mask, from 1 in the order of their first points, 0 where there is
// none; points that touch at a corner belong together. Returns { numbers: Plane, count }.
export function labelled({ height, width, data }) {
  const numbers = new Int32Array(data.length);
  const waiting = [];
  let count = 0;
  for (let first = 0; first < data.length; first++) {
    if (!data[first] || numbers[first]) continue;
    numbers[first] = ++count;
    waiting.push(first);
    while (waiting.length) {
      const at = waiting.pop();
      const column = at % width;
      for (let down = -width; down <= width; down += width) {
        for (let across = -1; across <= 1; across++) {
          const next = at + down + across;
          if (next < 0 || next >= data.length || column + across < 0 || column + across >= width) continue;
          if (!data[next] || numbers[next]) continue;
          numbers[next] = count;
          waiting.push(next);
        }
      }
    }
  }
  return { numbers: new Plane(height, width, numbers), count };
}

// ---- other sizes

// Linear interpolation at the places that `placeOf(row or column, old side, new side)` gives; 0 outside.
function interpolated(plane, height, width, placeOf) {
  const { width: stride, data } = plane;
  const along = (side, old) => {
    const places = Float64Array.from({ length: side }, (_, k) => placeOf(k, old, side));
    const starts = Int32Array.from(places, (place) => (place < 0 || place > old - 1 ? -1 : Math.floor(place)));
    const shares = places.map((place, k) => place - starts[k]);
    const nexts = starts.map((start) => Math.min(start + 1, old - 1));
    return { starts, nexts, shares };
  };
  const rows = along(height, plane.height);
  const columns = along(width, plane.width);
  const out = new data.constructor(height * width);
  for (let i = 0; i < height; i++) {
    if (rows.starts[i] < 0) continue;
    const [upper, lower, down] = [rows.starts[i] * stride, rows.nexts[i] * stride, rows.shares[i]];
    for (let j = 0; j < width; j++) {
      const [left, right, across] = [columns.starts[j], columns.nexts[j], columns.shares[j]];
      if (left < 0) continue;
      const above = data[upper + left] * (1 - across) + data[upper + right] * across;
      const below = data[lower + left] * (1 - across) + data[lower + right] * across;
      out[i * width + j] = above * (1 - down) + below * down;
    }
  }
  return new Plane(height, width, out);
}

// The corners' points stay the corners' points: scipy's zoom of order 1.
export function zoomed(plane, height, width) {
  return interpolated(plane, height, width, (k, old, side) => k * (side > 1 ? (old - 1) / (side - 1) : 1));
}

// The corners stay the corners: scipy's zoom of order 1 in grid mode, the border repeated outward.
export function zoomedGrid(plane, height, width) {
  return interpolated(plane, height, width, (k, old, side) => clipped((k + 0.5) * (old / side) - 0.5, 0, old - 1));
}

// Of each point's window, sorted, the value that `percent` of the window lies below.
export function percentileFilter(plane, percent, rows, columns) {
  const { height, width, data } = plane;
  const size = rows * columns;
  const rank = Math.floor((size * percent) / 100);
  const window = new data.constructor(size);
  return plane.map((_, at) => {
    const row = Math.floor(at / width);
    const column = at % width;
    let k = 0;
    for (let i = row - (rows - 1) / 2; i <= row + (rows - 1) / 2; i++) {
      const start = clipped(i, 0, height - 1) * width;
      for (let j = column - (columns - 1) / 2; j <= column + (columns - 1) / 2; j++) {
        window[k++] = data[start + clipped(j, 0, width - 1)];
      }
    }
    return window.sort()[rank];
  });
}

// For each place of a resized line the first old place and the weights from there on; they sum up to 1.
function weightsOf(old, side, kernel, support) {
  const scale = old / side;
  const widened = Math.max(scale, 1); // to shrink without gaps
  return Array.from({ length: side }, (_, k) => {
    const centre = (k + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support * widened + 0.5));
    const end = Math.min(old, Math.trunc(centre + support * widened + 0.5));
    const weights = [];
    for (let at = first; at < end; at++) weights.push(kernel((at - centre + 0.5) / widened));
    const total = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => (total ? weight / total : weight)) };
  });
}

function resampled(plane, height, width, kernel, support, finished) {
  const across = weightsOf(plane.width, width, kernel, support);
  const down = weightsOf(plane.height, height, kernel, support);
  const Kind = plane.data.constructor;
  const wide = new Kind(plane.height * width);
  for (let row = 0; row < plane.height; row++) {
    across.forEach(({ first, weights }, k) => {
      wide[row * width + k] = finished(weights, (j) => plane.data[row * plane.width + first + j]);
    });
  }
  const out = new Kind(height * width);
  down.forEach(({ first, weights }, row) => {
    for (let k = 0; k < width; k++) {
      out[row * width + k] = finished(weights, (j) => wide[(first + j) * width + k]);
    }
  });
  return new Plane(height, width, out);
}

// Pillow's BILINEAR of float gray levels.
export function resizedBilinear(plane, height, width) {
  const triangle = (x) => Math.max(0, 1 - Math.abs(x));
  return resampled(plane, height, width, triangle, 1, (weights, value) => {
    let total = 0;
    for (let j = 0; j < weights.length; j++) total += value(j) * weights[j];
    return total;
  });
}

// Pillow's BICUBIC of gray levels 0..255, which counts in whole 2^-22 parts.
export function resizedBicubic(plane, height, width) {
  const a = -0.5;
  const cubic = (x) => {
    const t = Math.abs(x);
    if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
  };
  const one = 2 ** 22;
  return resampled(plane, height, width, cubic, 2, (weights, value) => {
    let total = one / 2;
    for (let j = 0; j < weights.length; j++) total += value(j) * Math.trunc(weights[j] * one + Math.sign(weights[j]) * 0.5);
    return clipped(Math.floor(total / one), 0, 255);
  });
}

// The level that parts values into two classes whose means lie furthest apart (Otsu 1979, IEEE SMC 9:62).
export function otsuLevel({ data }) {
  const bins = 256;
  let low = least(data);
  let high = most(data);
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const edges = new data.constructor(bins + 1);
  for (let k = 0; k <= bins; k++) edges[k] = k === bins ? high : low + k * ((high - low) / bins);
  const counts = new Float64Array(bins);
  const perLevel = bins / (high - low);
  for (const value of data) {
    let bin = Math.min(Math.floor((value - low) * perLevel), bins - 1);
    if (value < edges[bin]) bin--;
    else if (bin < bins - 1 && value >= edges[bin + 1]) bin++;
    counts[bin]++;
  }
  const centres = Float64Array.from(counts, (_, k) => (edges[k] + edges[k + 1]) / 2);
  const n = data.length;
  const total = counts.reduce((a, count, k) => a + count * centres[k], 0);
  const apart = new Float64Array(bins - 1);
  let below = 0;
  let sums = 0;
  for (let k = 0; k < bins - 1; k++) {
    below += counts[k];
    sums += counts[k] * centres[k];
    const above = n - below;
    const distance = sums / Math.max(below, 1) - (total - sums) / Math.max(above, 1);
    apart[k] = below * above * distance ** 2;
  }
  const bound = most(apart) * (1 - 1e-9);
  const best = [...apart.keys()].filter((k) => apart[k] >= bound); // a gap, whose middle counts
  return best.reduce((a, k) => a + edges[k + 1], 0) / best.length;
}
