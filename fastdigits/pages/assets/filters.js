// What scipy.ndimage and Pillow do to a picture in `fastdigits predict`, done here with the same results.

import { Plane, clipped, least, most } from "./plane.js";

// ---- extremes in a window, with the border repeated outward

// For each value of a line the least (isLess) or greatest one from `before` places before it to `after` behind it.
function slidingExtreme(line, before, after, isLess, out) {
  const n = line.length;
  const queue = new Int32Array(n + before + after); // places whose values only rise, or only fall
  let head = 0;
  let tail = 0;
  for (let next = -before; next < n + after; next++) {
    const value = line[clipped(next, 0, n - 1)];
    while (tail > head) {
      const last = line[clipped(queue[tail - 1], 0, n - 1)];
      if (isLess ? last < value : last > value) break;
      tail--;
    }
    queue[tail++] = next;
    const place = next - after;
    while (queue[head] < place - before) head++;
    if (place >= 0) out[place] = line[clipped(queue[head], 0, n - 1)];
  }
}

// The same along both axes of a plane, in windows of so many rows and columns.
function extreme(plane, rows, columns, isLess) {
  const { height, width } = plane;
  const data = plane.data.slice();
  // of windows of an even size scipy's least one lies further before its place, and its greatest one behind it
  const reach = (size) => [Math.floor(size / 2), size - Math.floor(size / 2) - 1];
  const [before, after] = isLess ? [0, 1] : [1, 0];
  if (rows > 1) {
    const sides = reach(rows);
    const line = new plane.data.constructor(height);
    const out = new plane.data.constructor(height);
    for (let column = 0; column < width; column++) {
      for (let row = 0; row < height; row++) line[row] = data[row * width + column];
      slidingExtreme(line, sides[before], sides[after], isLess, out);
      for (let row = 0; row < height; row++) data[row * width + column] = out[row];
    }
  }
  if (columns > 1) {
    const sides = reach(columns);
    for (let row = 0; row < height; row++) {
      const line = data.slice(row * width, (row + 1) * width);
      slidingExtreme(line, sides[before], sides[after], isLess, data.subarray(row * width, (row + 1) * width));
    }
  }
  return new Plane(height, width, data);
}

export function greyOpening(plane, rows, columns) {
  return extreme(extreme(plane, rows, columns, true), rows, columns, false);
}

// rows and columns are odd
export function greyClosing(plane, rows, columns) {
  return extreme(extreme(plane, rows, columns, false), rows, columns, true);
}

// ---- masks

// A mask, grown so many times by the points above, below and beside it.
export function grown(mask, times) {
  let now = mask;
  for (let round = 0; round < times; round++) {
    const { height, width, data } = now;
    now = now.map((value, at) => {
      const column = at % width;
      const beside = (column > 0 && data[at - 1]) || (column < width - 1 && data[at + 1]);
      return value || beside || data[at - width] || data[at + width] ? 1 : 0;
    });
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
  const along = (side, old) =>
    Array.from({ length: side }, (_, k) => {
      const place = placeOf(k, old, side);
      if (place < 0 || place > old - 1) return null;
      const start = Math.floor(place);
      return { start, next: Math.min(start + 1, old - 1), share: place - start };
    });
  const rows = along(height, plane.height);
  const columns = along(width, plane.width);
  const out = new data.constructor(height * width);
  rows.forEach((row, i) => {
    if (!row) return;
    columns.forEach((column, j) => {
      if (!column) return;
      const upper = data[row.start * stride + column.start] * (1 - column.share) + data[row.start * stride + column.next] * column.share;
      const lower = data[row.next * stride + column.start] * (1 - column.share) + data[row.next * stride + column.next] * column.share;
      out[i * width + j] = upper * (1 - row.share) + lower * row.share;
    });
  });
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
