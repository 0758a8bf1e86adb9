// The collecting page: asks for one digit after the other, each class once before any comes again.

import { Pad, PNG, ask, clearSeen, showSeen } from "./pad.js";

const element = (id) => document.getElementById(id);
const classes = element("collecting").dataset.classes.split(",");
const pad = new Pad(element("pad"), () => {});
let writer = sessionStorage.getItem("writer"); // a reloaded page is the same writer's
let last = null; // the id and label of the digit that may be taken back
let ahead = [];
let isSending = false;

element("undo").addEventListener("click", () => pad.undo());
element("clear").addEventListener("click", () => pad.clear());
element("keep").addEventListener("click", keep);
element("take-back").addEventListener("click", takeBack);
element("new-writer").addEventListener("click", () => {
  setWriter(null);
  setLast(null);
  element("yours").textContent = "0";
  say("Welcome. Draw the digit that is asked for.");
});
element("pad").addEventListener("keydown", (event) => {
  if (event.key === "Enter") keep();
});
say("Draw the digit that is asked for.");
next();

function say(text, isProblem = false) {
  element("status").textContent = text;
  element("status").classList.toggle("problem", isProblem);
}

function setWriter(name) {
  writer = name;
  if (name === null) sessionStorage.removeItem("writer");
  else sessionStorage.setItem("writer", name);
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
  element("all").textContent = told.all.toLocaleString("en");
}

async function once(work) {
  if (isSending) return; // a double tap keeps one digit
  isSending = true;
  try {
    await work();
  } catch (error) {
    say(error.message, true);
  } finally {
    isSending = false;
  }
}

function keep() {
  return once(async () => {
    if (pad.isEmpty) return say("Draw the digit first.", true);
    const query = new URLSearchParams({ label: ahead[0] });
    if (writer) query.set("writer", writer);
    const response = await ask(`/collect?${query}`, { method: "POST", headers: PNG, body: await pad.png() });
    const told = await response.json();
    setWriter(told.writer);
    setLast({ id: told.id, label: ahead.shift() });
    showSeen(element("seen"), told.seen);
    count(told);
    next();
    say(`Kept your ${last.label}. Now draw ${ahead[0]}.`);
  });
}

function takeBack() {
  return once(async () => {
    const response = await ask(`/collect/${last.id}?${new URLSearchParams({ writer })}`, { method: "DELETE" });
    count(await response.json());
    ahead.unshift(last.label);
    clearSeen(element("seen"));
    setLast(null);
    next();
    say(`Taken back. Draw ${ahead[0]} again.`);
  });
}
