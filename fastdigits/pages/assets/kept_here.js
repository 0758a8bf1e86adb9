// Digits that are drawn for a data set and kept in this browser, also when it is closed, until somebody clears them. They
// are saved as the two tables that `fastdigits convert --groups` takes.

import { SIDE } from "./digit.js";
import { drawnOn } from "./drawn.js";
import { about } from "./model.js";

// the entry of the browser's storage, which all pages from a disk share
const KEPT = `fastdigits digits of ${about.model}`;

// [{ id, label, writer, pixels }], pixels as base64
export function keptDigits() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
  } catch {
    throw new Error("this browser keeps nothing for this page; allow it to, or use another one");
  }
}

function write(digits) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(digits));
  } catch {
    throw new Error("this browser keeps no more digits; save both tables, then clear them");
  }
}

const counts = (digits, writer) => ({ yours: digits.filter((digit) => digit.writer === writer).length, all: digits.length });

// The next number of a kind of id, such as d000012.
function nextId(letter, ids, length) {
  const last = Math.max(0, ...ids.map((id) => Number(id.slice(1))));
  return letter + String(last + 1).padStart(length, "0");
}

// Keep a drawn digit: { id, token, seen, yours, all }; the token is the writer's number.
export async function keepDigit(label, pad, token) {
  const digits = keptDigits();
  const gray = drawnOn(pad);
  const id = nextId("d", digits.map((digit) => digit.id), 6);
  const writer = token ?? nextId("w", digits.map((digit) => digit.writer), 4);
  const pixels = btoa(String.fromCharCode(...gray.data));
  digits.push({ id, label, writer, pixels });
  write(digits);
  return { id, token: writer, seen: gray.rows(), ...counts(digits, writer) };
}

// Remove one that was drawn by mistake: { yours, all }.
export async function takeBack(id, token) {
  const digits = keptDigits().filter((digit) => digit.id !== id);
  write(digits);
  return counts(digits, token);
}

export const clearKept = () => localStorage.removeItem(KEPT);

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

// digits.csv: id, label and the pixels of each
export function digitsCsv() {
  const header = ["id", "label", ...Array.from({ length: SIDE * SIDE }, (_, k) => `pixel${k}`)];
  const rows = keptDigits().map(({ id, label, pixels }) => [id, quoted(label), ...[...atob(pixels)].map((letter) => letter.charCodeAt(0))]);
  return [header, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

// writers.csv: who wrote which
export function writersCsv() {
  return ["id,writer\n", ...keptDigits().map(({ id, writer }) => `${id},${writer}\n`)].join("");
}
