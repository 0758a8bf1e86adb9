// The drawing page: the probabilities follow the pen; photos, sheets and tables are answered below.

import { Pad, PNG, ask, clearSeen, showSeen } from "./pad.js";

const element = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const model = element("model");
const pad = new Pad(element("pad"), changed, (text) => (element("pen").textContent = text));
let question = 0; // the latest; an answer to an older one is not shown

element("undo").addEventListener("click", () => pad.undo());
element("clear").addEventListener("click", () => pad.clear());
model.addEventListener("change", () => {
  makeBars();
  changed();
  clearUpload();
});
makeBars();
element("example").textContent = element("example").textContent.replace("ADDRESS", location.origin);

// ---- what is drawn

let isAsking = false;
let hasChanged = false;

// One question at a time; what changed meanwhile is asked next, so that the answers keep up with the pen.
async function changed() {
  hasChanged = true;
  question += 1;
  element("status").textContent = ""; // what was said is of another drawing
  if (isAsking) return;
  isAsking = true;
  while (hasChanged) {
    hasChanged = false;
    await answerDrawing();
  }
  isAsking = false;
  if (!pad.isDrawing) announce();
}

async function answerDrawing() {
  if (pad.isEmpty) {
    if (question !== fileQuestion) showNothing(); // else a file is answered
    return;
  }
  const asked = question;
  try {
    const answer = await answerOf({ method: "POST", headers: PNG, body: await pad.png() });
    if (asked <= fileQuestion) return; // a photo was dropped meanwhile
    if (pad.isEmpty) showNothing();
    else showAnswer(answer);
  } catch (error) {
    showNothing();
    element("status").classList.add("problem");
    element("status").textContent = error.message;
  }
}

async function answerOf(options) {
  const query = new URLSearchParams({ model: model.value, normalise: true, seen: true });
  const response = await ask(`/predict?${query}`, options);
  return (await response.json()).predictions[0];
}

let shown = null;

const VERDICTS = {
  doubtful: "doubtful: look yourself",
  blank: "blank: no ink",
  several: "several digits? drop a photo of them",
  other: "no digit, as it seems",
};

// What stands behind an answer that is not sure, such as ", blank".
function doubt(answer) {
  return answer.doubtful ? `, ${answer.verdict}` : "";
}

function showAnswer(answer) {
  shown = answer;
  element("label").textContent = answer.label;
  element("confidence").textContent = percent(answer.confidence);
  element("doubtful").hidden = !answer.doubtful;
  element("doubtful").textContent = VERDICTS[answer.verdict] ?? "";
  if (answer.seen) showSeen(element("seen"), answer.seen);
  element("status").classList.remove("problem");
  for (const row of element("bars").rows) {
    const share = answer.probabilities[row.cells[0].textContent] ?? 0;
    row.querySelector(".bar").style.width = `${100 * share}%`;
    row.querySelector(".percent").textContent = percent(share);
    row.classList.toggle("first", row.cells[0].textContent === answer.label);
  }
}

function showNothing() {
  shown = null;
  for (const id of ["label", "confidence", "status"]) element(id).textContent = "";
  element("doubtful").hidden = true;
  clearSeen(element("seen"));
  for (const row of element("bars").rows) {
    row.querySelector(".bar").style.width = "0";
    row.querySelector(".percent").textContent = "";
    row.classList.remove("first");
  }
}

// For screen readers, once a stroke has ended: not at every move of the pen.
function announce() {
  if (!shown) return;
  element("status").textContent = `This is a ${shown.label}, ${percent(shown.confidence)}${doubt(shown)}.`;
}

function makeBars() {
  const rows = JSON.parse(model.selectedOptions[0].dataset.classes).map((label) => {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = label;
    const cell = document.createElement("td");
    cell.append(Object.assign(document.createElement("div"), { className: "bar" }));
    row.append(name, cell, Object.assign(document.createElement("td"), { className: "percent" }));
    return row;
  });
  element("bars").replaceChildren(...rows);
}

// ---- files

let fileQuestion = 0; // the number of the latest file's question
let download = null; // the address of the last answered table
const drop = element("drop");
element("file").addEventListener("change", (event) => {
  if (event.target.files.length) answerFile(event.target.files[0]);
  event.target.value = ""; // the same file may be chosen again
});
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) answerFile(event.dataTransfer.files[0]);
});
// a file dropped beside the field must not replace the page
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());

function clearUpload() {
  element("upload-result").replaceChildren();
  element("upload-status").classList.remove("problem");
  element("upload-status").textContent = "";
  if (download) URL.revokeObjectURL(download);
  download = null;
}

// What each kind of file is answered by: a function that asks, and returns one that shows.
async function answerFile(file) {
  const status = element("upload-status");
  const isTable = file.name.toLowerCase().endsWith(".csv");
  const isSheet = document.querySelector("[name=shows]:checked").value === "sheet";
  clearUpload();
  pad.clear();
  const asked = ++question;
  fileQuestion = asked;
  status.textContent = `${file.name} …`;
  try {
    const show = await (isTable ? answerTable : isSheet ? answerSheet : answerPhoto)(file);
    if (asked === fileQuestion) show(status);
  } catch (error) {
    if (asked !== fileQuestion) return;
    status.classList.add("problem");
    status.textContent = error.message;
  }
}

function form(file) {
  const parts = new FormData();
  parts.append("picture", file);
  return { method: "POST", body: parts };
}

async function answerPhoto(file) {
  const answer = await answerOf(form(file));
  return (status) => {
    if (pad.isEmpty) showAnswer(answer); // else something was drawn meanwhile
    status.textContent = `${file.name}: ${answer.label}, ${percent(answer.confidence)}${doubt(answer)}`;
  };
}

async function answerSheet(file) {
  const query = new URLSearchParams({ model: model.value });
  const reading = await (await ask(`/read?${query}`, form(file))).json();
  const digits = reading.lines.flat(2);
  const doubtful = digits.filter((digit) => digit.doubtful).length;
  const parts = digits.length ? [listOfNumbers(reading), await sheetWithBoxes(file, reading)] : [];
  return (status) => {
    const found = digits.length
      ? `${file.name}: ${digits.length} digits` + (doubtful ? `, ${doubtful} of them doubtful, underlined` : "")
      : `${file.name}: no digit was found`;
    const blots = reading.left_out.length;
    const leftOut = blots ? [`${blots} ${blots === 1 ? "blot" : "blots"} of ink left out: no digit`] : [];
    status.textContent = [found, ...leftOut, ...reading.notes].join("; ");
    element("upload-result").append(...parts);
  };
}

function listOfNumbers(reading) {
  const list = Object.assign(document.createElement("ol"), { className: "numbers" });
  for (const line of reading.lines) {
    const item = document.createElement("li");
    line.forEach((number, k) => {
      if (k) item.append("  ");
      for (const digit of number) {
        const letter = document.createElement(digit.doubtful ? "mark" : "span");
        letter.textContent = digit.label;
        letter.title = percent(digit.confidence);
        item.append(letter);
      }
    });
    list.append(item);
  }
  return list;
}

async function sheetWithBoxes(file, reading) {
  const picture = await createImageBitmap(file);
  const canvas = Object.assign(document.createElement("canvas"), { className: "sheet" });
  [canvas.width, canvas.height] = reading.size;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "the sheet with a box around each digit");
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0, ...reading.size);
  context.lineWidth = Math.max(2, reading.size[0] / 500);
  context.font = `${Math.max(14, reading.size[0] / 45)}px sans-serif`;
  context.strokeStyle = "#888";
  for (const box of reading.left_out) context.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  for (const { box, label, doubtful } of reading.lines.flat(2)) {
    context.strokeStyle = context.fillStyle = doubtful ? "#c01c28" : "#1a5fb4";
    context.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    context.fillText(label, box.left, Math.max(box.top - 3, 14));
  }
  return canvas;
}

async function answerTable(file) {
  const query = new URLSearchParams({ model: model.value, name: file.name });
  const response = await ask(`/table?${query}`, { method: "POST", headers: { "content-type": "text/csv" }, body: file });
  const answers = await response.blob();
  const rows = (await answers.text()).trimEnd().split("\n").length - 1;
  const notes = JSON.parse(response.headers.get("x-fastdigits-notes") ?? "[]");
  return (status) => {
    status.textContent = [`${file.name}: ${rows.toLocaleString("en")} rows answered`, ...notes].join("; ");
    download = URL.createObjectURL(answers);
    const words = "predictions.csv";
    const link = Object.assign(document.createElement("a"), { href: download, download: words, textContent: words });
    element("upload-result").append(link);
  };
}
