// Gray levels in rows and columns, and the few sums that everything here needs.

export class Plane {
  // data: a typed array of height x width numbers, row by row
  constructor(height, width, data) {
    this.height = height;
    this.width = width;
    this.data = data;
  }

  // another of the same size, made of each value and its place
  map(make, Kind = this.data.constructor) {
    const { data: values } = this;
    const data = new Kind(values.length);
    for (let at = 0; at < values.length; at++) data[at] = make(values[at], at);
    return new Plane(this.height, this.width, data);
  }

  // lists of numbers, one for each row
  rows() {
    return Array.from({ length: this.height }, (_, row) => [...this.data.subarray(row * this.width, (row + 1) * this.width)]);
  }

  // rows top..bottom and columns left..right; bottom and right are not part of it
  part(top, bottom, left, right) {
    const width = right - left;
    const data = new this.data.constructor((bottom - top) * width);
    for (let row = top; row < bottom; row++) {
      const start = row * this.width;
      data.set(this.data.subarray(start + left, start + right), (row - top) * width);
    }
    return new Plane(bottom - top, width, data);
  }
}

export function least(values) {
  let found = Infinity;
  for (let at = 0; at < values.length; at++) if (values[at] < found) found = values[at];
  return found;
}

export function most(values) {
  let found = -Infinity;
  for (let at = 0; at < values.length; at++) if (values[at] > found) found = values[at];
  return found;
}

export function sum(values) {
  let total = 0;
  for (let at = 0; at < values.length; at++) total += values[at];
  return total;
}

export const mean = (values) => sum(values) / values.length;

// Of sorted values, the one that so great a share of them lies below; between two of them in a straight line.
export function quantile(values, share) {
  const some = new Float64Array(values);
  const place = share * (some.length - 1);
  const below = Math.floor(place);
  select(some, below);
  if (below + 1 === some.length) return some[below];
  return some[below] + (place - below) * (least(some.subarray(below + 1)) - some[below]);
}

// Move the value that would be at a place if they were sorted to there, and no greater one before it (Hoare 1961).
function select(values, place) {
  let [first, last] = [0, values.length - 1];
  while (first < last) {
    const pivot = values[(first + last) >> 1];
    let [i, j] = [first, last];
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) {
        const value = values[i];
        values[i++] = values[j];
        values[j--] = value;
      }
    }
    if (place <= j) last = j;
    else if (place >= i) first = i;
    else return;
  }
}

export const median = (values) => quantile(values, 0.5);

// The nearest whole number, of two as near the even one, as Python rounds.
export function rounded(value) {
  const below = Math.floor(value);
  const apart = value - below;
  if (apart !== 0.5) return apart < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

export const clipped = (value, low, high) => Math.min(Math.max(value, low), high);

// Which rows, or columns, of a mask hold ink.
export function inkedRows(mask) {
  const found = [];
  for (let row = 0; row < mask.height; row++) {
    const start = row * mask.width;
    if (mask.data.subarray(start, start + mask.width).some(Boolean)) found.push(row);
  }
  return found;
}

export function inkedColumns(mask) {
  const has = new Uint8Array(mask.width);
  for (let at = 0; at < mask.data.length; at++) if (mask.data[at]) has[at % mask.width] = 1;
  return [...has.keys()].filter((column) => has[column]);
}

// The centre of mass: its row and its column.
export function centreOf({ width, data }) {
  let [down, across] = [0, 0];
  for (let at = 0; at < data.length; at++) {
    down += data[at] * Math.floor(at / width);
    across += data[at] * (at % width);
  }
  const total = sum(data);
  return [down / total, across / total];
}

// The outermost points, corners twice.
export function rim({ height, width, data }) {
  const found = [];
  for (let column = 0; column < width; column++) found.push(data[column]);
  for (let column = 0; column < width; column++) found.push(data[(height - 1) * width + column]);
  for (let row = 0; row < height; row++) found.push(data[row * width]);
  for (let row = 0; row < height; row++) found.push(data[row * width + width - 1]);
  return found;
}

// Smaller by whole factors: the mean gray level of each block.
export function averaged({ height, width, data }, down, across = down) {
  if (down === 1 && across === 1) return new Plane(height, width, new Float32Array(data));
  const rows = Math.floor(height / down);
  const columns = Math.floor(width / across);
  const means = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let total = 0;
      for (let i = row * down; i < (row + 1) * down; i++) {
        const start = i * width + column * across;
        for (let at = start; at < start + across; at++) total += data[at];
      }
      means[row * columns + column] = total / (down * across);
    }
  }
  return new Plane(rows, columns, means);
}
