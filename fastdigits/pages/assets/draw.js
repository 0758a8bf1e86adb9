// The drawing page: the probabilities follow the pen; photos, sheets and tables are answered below.

import { answerDrawing } from "./engine.js";
import { listenForFiles } from "./files.js";
import { Pad } from "./pad.js";
import { VERDICTS, clearSeen, doubt, element, made, percent, showSeen } from "./shown.js";

const MOST_KEPT = 12; // digits that were cleared
const KEPT_SIDE = 56; // pixels
const LEAST_TOLD = 0.0005; // of a runner-up, which else is 0.0 %
const model = element("model");
const pad = new Pad(element("pad"), {
  changed,
  told: (text) => (element("pen").textContent = text),
  cleared: remember,
});
let question = 0; // the latest; an answer to an older one is not shown
let fileQuestion = 0; // that of the latest files
let drawing = 0; // the number of the one on the pad; clearing begins another
let shown = null; // the answer

element("undo").addEventListener("click", () => pad.undo());
element("clear").addEventListener("click", () => pad.clear());
const files = listenForFiles({
  model: () => model.value,
  begun() {
    pad.clear();
    showNothing();
    return (fileQuestion = ++question);
  },
  isLatest: (asked) => asked === fileQuestion,
  // a photo's answer stands beside the pad, unless something was drawn meanwhile
  answered: (answer) => pad.isEmpty && showAnswer(answer),
});
model.addEventListener("change", () => {
  fileQuestion = ++question; // what the other model says of files comes too late
  files.clear();
  makeBars();
  showNothing();
  changed();
});
makeBars();

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
    await answerWhatIsDrawn();
  }
  isAsking = false;
  if (!pad.isDrawing) announce();
}

async function answerWhatIsDrawn() {
  if (pad.isEmpty) {
    if (question !== fileQuestion) showNothing(); // else a file is answered
    return;
  }
  const [asked, asDrawn] = [question, drawing];
  try {
    const answer = await answerDrawing(pad, model.value);
    if (asked <= fileQuestion || asDrawn !== drawing) return; // it was cleared, or a photo dropped, meanwhile
    showAnswer(answer);
  } catch (error) {
    showNothing();
    element("status").classList.add("problem");
    element("status").textContent = error.message;
  }
}

function showAnswer(answer) {
  shown = answer;
  const [, second] = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
  element("waiting").hidden = true;
  element("label").textContent = answer.label;
  element("confidence").textContent = percent(answer.confidence);
  const isNear = second && second[1] >= LEAST_TOLD;
  element("runner-up").textContent = isNear ? `then ${second[0]}, ${percent(second[1])}` : "";
  element("doubtful").hidden = !answer.doubtful;
  document.querySelector(".answer").classList.toggle("unsure", answer.doubtful);
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
  for (const id of ["label", "confidence", "runner-up", "status"]) element(id).textContent = "";
  element("waiting").hidden = false;
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
  const rows = JSON.parse(model.selectedOptions[0].dataset.classes).map((label) =>
    made(
      "tr",
      {},
      made("th", { scope: "row", textContent: label }),
      made("td", { className: "share" }, made("div", { className: "bar" })),
      made("td", { className: "percent" }),
    ),
  );
  element("bars").replaceChildren(...rows);
}

// What was drawn before it is cleared, as a picture that brings it back.
function remember(strokes) {
  drawing += 1;
  if (!shown) return;
  const { label, confidence } = shown;
  shown = null;
  const picture = made("canvas", { width: KEPT_SIDE, height: KEPT_SIDE });
  pad.drawOn(picture.getContext("2d")); // its strokes are still there
  const button = made("button", { className: "kept" }, picture, made("span", { textContent: label }));
  button.setAttribute("aria-label", `${label}, ${percent(confidence)}: draw it again`);
  button.addEventListener("click", () => {
    if (!pad.isEmpty) pad.clear();
    button.remove();
    element("strip").hidden = !element("last").children.length;
    pad.bring(strokes);
    element("pad").focus();
  });
  element("last").prepend(button);
  while (element("last").children.length > MOST_KEPT) element("last").lastChild.remove();
  element("strip").hidden = false;
}
