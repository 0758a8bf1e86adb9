// A sheet that was read: its picture with a box around each digit, and its numbers, which a person may correct.

import { made, percent } from "./shown.js";

// { element, numbers }: numbers() are those that stand there now, by lines
export function sheetView(picture, reading) {
  const [width, height] = reading.size;
  const canvas = made("canvas", { className: "sheet", width, height });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "the sheet with a box around each digit");
  if (picture) canvas.getContext("2d").drawImage(picture, 0, 0, width, height);
  const stage = made("div", { className: "stage" }, canvas);
  for (const box of reading.left_out) stage.append(boxOn(box, reading.size, "left-out", "left out: no digit"));
  const list = made("ol", { className: "numbers" });
  const inputs = reading.lines.map((line, i) => {
    const fields = line.map((digits, j) => numberField(digits, stage, reading.size, `line ${i + 1}, number ${j + 1}`));
    list.append(made("li", {}, ...fields));
    return fields;
  });
  return {
    element: made("div", { className: "read" }, stage, list),
    numbers: () => inputs.map((line) => line.map((field) => field.value)),
  };
}

function numberField(digits, stage, size, name) {
  const said = digits.map((digit) => digit.label).join("");
  const field = made("input", { value: said, inputMode: "numeric", size: Math.max(1, said.length), autocomplete: "off" });
  const doubtful = digits.filter((digit) => digit.doubtful);
  field.setAttribute("aria-label", name + (doubtful.length ? `, ${doubtful.length} doubtful` : ""));
  field.title = digits.map((digit) => `${digit.label} ${percent(digit.confidence)}`).join(", ");
  field.classList.toggle("doubtful", doubtful.length > 0);
  const boxes = digits.map((digit) => {
    const box = boxOn(digit.box, size, digit.doubtful ? "doubtful" : "", `${digit.label}, ${percent(digit.confidence)}`);
    box.append(made("span", { textContent: digit.label }));
    box.addEventListener("click", () => field.focus());
    stage.append(box);
    return box;
  });
  field.addEventListener("input", () => {
    field.size = Math.max(1, field.value.length);
    const isAsLong = field.value.length === digits.length; // else nobody knows which digit is which
    field.classList.toggle("corrected", field.value !== said);
    boxes.forEach((box, k) => (box.firstChild.textContent = isAsLong ? field.value[k] : digits[k].label));
  });
  for (const [name, isOn] of [["focus", true], ["blur", false]]) {
    field.addEventListener(name, () => boxes.forEach((box) => box.classList.toggle("chosen", isOn)));
  }
  return field;
}

// A box at its place, in shares of the picture, so that it stays there when that shrinks.
function boxOn(box, [width, height], kind, title) {
  const found = made("div", { className: `box ${kind}`, title });
  const share = (part, whole) => `${(100 * part) / whole}%`;
  found.style.left = share(box.left, width);
  found.style.top = share(box.top, height);
  found.style.width = share(box.right - box.left, width);
  found.style.height = share(box.bottom - box.top, height);
  return found;
}
