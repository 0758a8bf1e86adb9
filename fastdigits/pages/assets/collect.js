// The collecting page: asks for one digit after the other, each class once before any comes again.

import { keepDigit, takeBack } from "./engine.js";
import { Pad } from "./pad.js";
import { clearSeen, element, showSeen } from "./shown.js";

const classes = JSON.parse(element("collecting").dataset.classes);
const pad = new Pad(element("pad"), { told: (text) => (element("pen").textContent = text) });
let token = sessionStorage.getItem("token"); // by which a reloaded page is the same writer's
let last = null; // the id and label of the digit that may be taken back
let ahead = [];
let isSending = false;

element("undo").addEventListener("click", () => pad.undo());
element("clear").addEventListener("click", () => pad.clear());
element("keep").addEventListener("click", keep);
element("take-back").addEventListener("click", takeLastBack);
element("new-writer").addEventListener("click", () => {
  once(async () => {
    forget();
    pad.clear();
    say(`Welcome. Draw ${ahead[0]}.`);
  });
});
element("pad").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.repeat) keep();
  if (event.key === "Backspace" && !event.repeat && last !== null) takeLastBack();
});
element("yours").textContent = sessionStorage.getItem("yours") ?? "0";
say("Draw it, then keep it: with the button, or Enter.");
next();

function say(text, isProblem = false) {
  element("status").textContent = text;
  element("status").classList.toggle("problem", isProblem);
}

// The next digit is by somebody whom nobody knows yet.
function forget() {
  token = null;
  sessionStorage.clear();
  setLast(null);
  element("yours").textContent = "0";
}

function setLast(digit) {
  last = digit;
  element("take-back").disabled = digit === null;
}

function shuffled(values) {
  return values
    .map((value) => ({ value, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value);
}

function next() {
  if (!ahead.length) ahead = shuffled(classes);
  element("wanted").textContent = ahead[0];
  pad.clear();
}

function count(told) {
  element("yours").textContent = told.yours;
  sessionStorage.setItem("yours", told.yours);
  element("all").textContent = told.all.toLocaleString("en");
}

async function once(work) {
  if (isSending) return; // a double tap keeps one digit
  isSending = true;
  const buttons = ["keep", "take-back", "new-writer"].map(element);
  for (const button of buttons) button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } catch (error) {
    say(error.message, true);
  } finally {
    isSending = false;
    for (const button of buttons) button.removeAttribute("aria-disabled");
  }
}

function keep() {
  return once(async () => {
    if (pad.isEmpty) return say("Draw the digit first.", true);
    const told = await keepDigit(ahead[0], pad, token).catch((error) => {
      if (error.status !== 404 || !token) throw error;
      forget(); // the server collects into another folder now
      return keepDigit(ahead[0], pad, token);
    });
    token = told.token;
    sessionStorage.setItem("token", token);
    setLast({ id: told.id, label: ahead.shift() });
    showSeen(element("seen"), told.seen);
    count(told);
    next();
    say(`Kept your ${last.label}. Now draw ${ahead[0]}.`);
  });
}

function takeLastBack() {
  return once(async () => {
    count(await takeBack(last.id, token));
    ahead.unshift(last.label);
    clearSeen(element("seen"));
    setLast(null);
    next();
    say(`Taken back. Draw ${ahead[0]} again.`);
  });
}
