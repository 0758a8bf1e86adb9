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
    const data = new Kind(this.data.length);
    for (let at = 0; at < data.length; at++) data[at] = make(this.data[at], at);
    return new Plane(this.height, this.width, data);
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
  for (const value of values) if (value < found) found = value;
  return found;
}

export function most(values) {
  let found = -Infinity;
  for (const value of values) if (value > found) found = value;
  return found;
}

export function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

export const mean = (values) => sum(values) / values.length;

// Of sorted values, the one that so great a share of them lies below; between two of them in a straight line.
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const next = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (place - below) * (next - sorted[below]);
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
export function averaged(gray, down, across = down) {
  const height = Math.floor(gray.height / down);
  const width = Math.floor(gray.width / across);
  const sums = new Float64Array(height * width);
  for (let row = 0; row < height * down; row++) {
    const start = Math.floor(row / down) * width;
    for (let column = 0; column < width * across; column++) {
      sums[start + Math.floor(column / across)] += gray.data[row * gray.width + column];
    }
  }
  return new Plane(height, width, Float32Array.from(sums, (total) => total / (down * across)));
}
