// The labelling page: pictures come in batches, what is said of them is sent one act after the other.

import { ask } from "./engine.js";
import { element } from "./shown.js";

const labelOfKey = JSON.parse(element("labelling").dataset.keys);
const checksLabels = JSON.parse(element("labelling").dataset.checks);
const AHEAD = 16; // pictures still to come when more are asked for
const LOOK_MS = 1500; // between two looks at how far it is

let token = sessionStorage.getItem("token"); // by which a reloaded page is the same person's
let waiting = []; // pictures that are to be shown
let shown = []; // those that are: look-alikes, or one
let later = []; // what was passed over since the last label, the newest last
let unsent = []; // acts that the server does not know yet
let isSending = false;
let isAsking = false;
let isTakingBack = false; // in which nothing is labelled, since it is not known yet what is shown then
let asked = 0; // questions so far
let shownTo = 0; // which of them the state that is shown answers

element("accept").addEventListener("click", accept);
element("take-back").addEventListener("click", takeBack);
element("later").addEventListener("click", () => say(null));
for (const button of document.querySelectorAll("[data-label]")) {
  button.addEventListener("click", () => say(button.dataset.label));
}
document.addEventListener("keydown", pressed);
// else Enter would press a button again that was clicked with the mouse
document.addEventListener("click", (event) => event.detail > 0 && document.activeElement?.blur());
window.addEventListener("beforeunload", (event) => unsent.length && event.preventDefault());
setInterval(look, LOOK_MS);
begin();

async function begin() {
  try {
    const query = token ? `?${new URLSearchParams({ token })}` : "";
    token = (await (await ask(`/label/begin${query}`, { method: "POST" })).json()).token;
    sessionStorage.setItem("token", token);
    await fetchMore(true);
  } catch (error) {
    tell(error.message, true);
  }
}

function address(path, more = {}) {
  return `${path}?${new URLSearchParams({ token, ...more })}`;
}

// A question, by whose number the state in its answer is known from older ones; answers may overtake each other.
async function question(path, options) {
  const number = ++asked;
  return { number, answer: await (await ask(path, options)).json() };
}

function tell(text, isProblem = false) {
  element("status").textContent = text;
  element("status").classList.toggle("problem", isProblem);
}

// ---- what is shown

async function fetchMore(isFresh = false) {
  if (isAsking) return;
  isAsking = true;
  try {
    const { number, answer } = await question(address("/label/next", isFresh ? { fresh: 1 } : {}));
    const known = new Set([...waiting, ...shown].map((one) => one.id));
    waiting.push(...answer.items.filter((one) => !known.has(one.id)).map((one) => ({ ...one, isChosen: true })));
    if (!shown.length) showNext();
    showState(answer.state, number); // after it: it says why nothing is shown
  } catch (error) {
    tell(error.message, true);
  } finally {
    isAsking = false;
  }
}

function showNext() {
  const first = waiting.shift();
  shown = first ? [first] : [];
  while (first && first.together !== null && waiting[0]?.together === first.together) shown.push(waiting.shift());
  showPictures();
  if (waiting.length < AHEAD) fetchMore();
}

function showPictures() {
  const [first] = shown;
  const one = shown.length === 1;
  element("pictures").classList.toggle("single", one);
  element("pictures").replaceChildren(...shown.map(pictureOf));
  element("beside").replaceChildren(...(first?.beside ?? []).map(besideOf));
  element("accept").disabled = !first || acceptable() === null;
  element("accept").hidden = Boolean(first) && acceptable() === null; // where nothing guesses
  element("later").disabled = !first;
  for (const button of document.querySelectorAll("[data-label]")) button.disabled = !first;
  element("why").textContent = first ? whyOf(first) : "";
  element("help").hidden = shown.length < 2;
}

function whyOf(first) {
  const taken = shown.length > 1 && first.guess !== null ? `, taken for ${first.guess}` : "";
  const labelled = checksLabels ? `labelled ${first.label}: ` : "";
  return labelled + first.reason + taken;
}

function pictureOf(item, place) {
  const image = Object.assign(document.createElement("img"), { src: item.picture, alt: `picture ${item.id}` });
  if (shown.length === 1) return image;
  const button = Object.assign(document.createElement("button"), { className: "picture", title: item.id });
  button.setAttribute("aria-pressed", item.isChosen);
  button.append(image);
  button.addEventListener("click", () => {
    item.isChosen = !item.isChosen;
    button.setAttribute("aria-pressed", item.isChosen);
  });
  button.dataset.place = place;
  return button;
}

function besideOf([label, pictures]) {
  const row = Object.assign(document.createElement("p"), { className: "alike" });
  row.append(`most alike of ${label}: `);
  for (const picture of pictures) {
    row.append(Object.assign(document.createElement("img"), { src: picture, alt: `a picture labelled ${label}` }));
  }
  return row;
}

// ---- what is said

function acceptable() {
  if (!shown.length) return null;
  return checksLabels ? shown[0].label : shown[0].guess;
}

function accept() {
  if (acceptable() !== null) say(acceptable());
}

// A label for the pictures that are chosen; null: later.
function say(label) {
  if (!shown.length || isTakingBack) return;
  const chosen = label === null ? [] : shown.filter((one) => one.isChosen);
  const left = shown.filter((one) => !chosen.includes(one));
  if (label !== null && !chosen.length) return tell("Choose a picture, or press → for later.", true);
  const labels = Object.fromEntries(chosen.map((one) => [one.id, label]));
  unsent.push({ labels, passed_over: left.map((one) => one.id) });
  later = label === null ? [...later, shown] : [];
  const many = chosen.length > 1 ? `${chosen.length} pictures: ` : "";
  tell(label === null ? "Later." : `${many}${label}`);
  showNext();
  send();
}

// One act after the other, each until the server has it; an answer says how far all is.
async function send() {
  if (isSending) return;
  isSending = true;
  try {
    while (unsent.length) {
      const body = JSON.stringify(unsent[0]);
      const { number, answer } = await question(address("/label"), { method: "POST", body });
      unsent.shift();
      if (answer.late.length) tell(`${answer.late.length} were left as they are: somebody else has them.`, true);
      showState(answer.state, number);
    }
  } catch (error) {
    const refused = error.status === 400 ? unsent.shift() : null; // which would be refused again
    const which = refused ? `: ${Object.keys(refused.labels).join(", ")}` : "";
    tell(`${error.message}${which} (${unsent.length} not yet written down)`, true);
    if (error.status === 404) await begin(); // another server is there, for which one is somebody new
  } finally {
    isSending = false;
  }
}

// What was passed over since the last label comes again; else the last label is taken back.
async function takeBack() {
  if (isTakingBack) return;
  if (later.length) {
    showAgain(later.pop());
    return tell("Here it is again.");
  }
  isTakingBack = true;
  try {
    while (isSending) await new Promise((resolve) => setTimeout(resolve, 10));
    await send();
    if (unsent.length) return; // which was told
    const { number, answer } = await question(address("/label"), { method: "DELETE" });
    showState(answer.state, number);
    if (!answer.items.length) return tell("There is nothing to take back.", true);
    showAgain(answer.items.map((one) => ({ ...one, isChosen: true })));
    tell(`Taken back: ${shown.length === 1 ? "one picture" : `${shown.length} pictures`}.`);
  } catch (error) {
    tell(error.message, true);
  } finally {
    isTakingBack = false;
  }
}

function showAgain(pictures) {
  waiting.unshift(...shown);
  shown = pictures;
  showPictures();
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const onPicture = document.activeElement?.dataset.place;
  const onButton = document.activeElement?.tagName === "BUTTON";
  if (event.key === "Backspace") takeBack();
  else if (event.key === "Enter" && !onButton) accept();
  else if (event.key === "ArrowRight" && onPicture === undefined) say(null);
  else if (event.key.startsWith("Arrow") && onPicture !== undefined) move(event.key, Number(onPicture));
  else if (labelOfKey[event.key] !== undefined) say(labelOfKey[event.key]);
  else if (labelOfKey[event.key.toLowerCase()] !== undefined) say(labelOfKey[event.key.toLowerCase()]);
  else return;
  event.preventDefault();
}

// To the picture beside the one that has the focus.
function move(key, place) {
  const pictures = element("pictures").children;
  const across = Math.max(1, [...pictures].findIndex((one) => one.offsetTop > pictures[0].offsetTop));
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[key];
  pictures[place + step]?.focus();
}

// ---- how far it is

async function look() {
  if (token === null || isSending || document.hidden) return;
  if (unsent.length) return send();
  if (!shown.length) return fetchMore();
  try {
    const { number, answer } = await question(address("/label/state"));
    showState(answer, number);
  } catch (error) {
    tell(error.message, true);
  }
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function showState(state, number) {
  if (number < shownTo) return;
  shownTo = number;
  element("labelled").textContent = state.labelled.toLocaleString("en");
  element("all").textContent = state.is_read ? ` of ${state.arrived.toLocaleString("en")}` : "";
  element("yours").textContent = state.yours.toLocaleString("en");
  for (const cell of document.querySelectorAll("[data-count]")) {
    cell.textContent = state.counts[cell.dataset.count].toLocaleString("en");
  }
  const found = state.expectation;
  element("expected").textContent = state.trained
    ? `A model learnt from ${state.trained.toLocaleString("en")} labels; expected accuracy on what it has not learnt ` +
      (found ? `${percent(found.accuracy)} (${percent(found.low)} .. ${percent(found.high)}).` : "after some more labels.")
    : "";
  element("work").classList.toggle("problem", Boolean(state.problem));
  element("work").textContent = state.problem ?? workOf(state);
  if (!shown.length && !waiting.length) {
    element("why").textContent =
      state.is_choosing || !state.is_read ? "The pictures are being read and compared." : "Nothing is left for you.";
  }
}

function workOf(state) {
  const parts = [`${state.arrived.toLocaleString("en")} pictures${state.is_read ? "" : " so far"}`];
  if (state.is_training) parts.push("a model is being trained");
  return [`${parts.join("; ")}.`, ...state.notes].join(" ");
}
