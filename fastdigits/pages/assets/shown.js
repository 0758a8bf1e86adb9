// How answers are put into words and pictures.

export const element = (id) => document.getElementById(id);

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

export const VERDICTS = {
  doubtful: "doubtful: look yourself",
  blank: "blank: no ink",
  several: "several digits? read it as a sheet",
  other: "no digit, as it seems",
};

// What stands behind an answer that is not sure, such as ", blank".
export const doubt = (answer) => (answer.doubtful ? `, ${answer.verdict}` : "");

// An element of the page: its kind, what is known of it, and what stands in it.
export function made(kind, about = {}, ...inside) {
  const { dataset = {}, ...known } = about;
  const found = Object.assign(document.createElement(kind), known);
  Object.assign(found.dataset, dataset);
  found.append(...inside);
  return found;
}

// Gray levels, rows of numbers 0..255, into a canvas of that size.
export function showSeen(canvas, rows) {
  canvas.height = rows.length;
  canvas.width = rows[0].length;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  rows.flat().forEach((level, k) => pixels.data.set([level, level, level, 255], 4 * k));
  context.putImageData(pixels, 0, 0);
}

// Save a text as a file at once.
export function save(name, text, type) {
  const link = savingLink(name, text, type);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function clearSeen(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

// A link that saves a text or blob under a name.
export function savingLink(name, content, type, words = name) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  return made("a", { href: URL.createObjectURL(blob), download: name, textContent: words });
}
