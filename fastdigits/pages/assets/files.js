// Files that are dropped, pasted or chosen: photos, sheets and tables, answered one after the other.

import * as engine from "./engine.js";
import { doubt, element, made, percent, save, savingLink } from "./shown.js";
import { sheetView } from "./sheet_view.js";

const PICTURE = "pasted.png"; // the name of a picture without one

// page: what `draw.js` gives: model(), begun() -> question, isLatest(question), answered(answer)
export function listenForFiles(page) {
  const status = element("upload-status");
  const result = element("upload-result");
  const isSheet = () => document.querySelector("[name=shows]:checked").value === "sheet";
  let read = []; // of each file what its JSON says, as functions

  function clear() {
    for (const link of result.querySelectorAll("a[download]")) URL.revokeObjectURL(link.href);
    result.replaceChildren();
    status.classList.remove("problem");
    status.textContent = "";
    read = [];
  }

  async function answerAll(files) {
    clear();
    const asked = page.begun();
    const model = page.model();
    for (const [k, file] of files.entries()) {
      const place = files.length > 1 ? ` (${k + 1} of ${files.length})` : "";
      status.classList.remove("problem");
      status.textContent = `${file.name}${place} …`;
      await new Promise((done) => setTimeout(done)); // so that it is seen
      try {
        const show = await kindOf(file)(file, model, () => page.isLatest(asked));
        if (!page.isLatest(asked)) return;
        show(files.length > 1);
      } catch (error) {
        if (!page.isLatest(asked)) return;
        say(error.message, files.length > 1, true);
      }
    }
    if (read.length) result.append(savedAsJson());
  }

  // The last file's line, and of several files every one's.
  function say(line, isOneOfMany, isProblem = false) {
    status.classList.toggle("problem", isProblem);
    status.textContent = line;
    if (isOneOfMany) result.append(made("p", { className: isProblem ? "problem" : "", textContent: line }));
  }

  function kindOf(file) {
    if (file.name.toLowerCase().endsWith(".csv")) return answerTable;
    return isSheet() ? answerSheet : answerPhoto;
  }

  async function answerPhoto(file, model) {
    const { seen, ...answer } = await engine.answerPhoto(file, model);
    return (isOneOfMany) => {
      page.answered({ ...answer, seen });
      say(`${file.name}: ${answer.label}, ${percent(answer.confidence)}${doubt(answer)}`, isOneOfMany);
      read.push(() => ({ file: file.name, model, ...answer }));
      if (answer.verdict === "several" && !isOneOfMany) result.append(readAsSheet(file));
    };
  }

  function readAsSheet(file) {
    const button = made("button", { textContent: "Read it as a sheet of several digits" });
    button.addEventListener("click", () => {
      document.querySelector("[name=shows][value=sheet]").checked = true;
      answerAll([file]);
    });
    return button;
  }

  async function answerSheet(file, model) {
    const reading = await engine.readSheet(file, model);
    const digits = reading.lines.flat(2);
    const doubtful = digits.filter((digit) => digit.doubtful).length;
    // a picture that only the server reads has its numbers without it
    const picture = digits.length ? await createImageBitmap(file).catch(() => null) : null;
    const view = digits.length ? sheetView(picture, reading) : null;
    picture?.close();
    return (isOneOfMany) => {
      const found = digits.length
        ? `${file.name}: ${digits.length} digits` + (doubtful ? `, ${doubtful} of them doubtful, marked` : "")
        : `${file.name}: no digit was found`;
      const blots = reading.left_out.length;
      const leftOut = blots ? [`${blots} ${blots === 1 ? "blot" : "blots"} of ink left out: no digit`] : [];
      say([found, ...leftOut, ...reading.notes].join("; "), isOneOfMany);
      if (view) result.append(view.element);
      read.push(() => ({ file: file.name, model, ...reading, numbers: view ? view.numbers() : [] }));
    };
  }

  async function answerTable(file, model, isLatest) {
    if (!engine.answerTable) throw new Error(`${file.name} is a table; this page answers pictures, fastdigits predict tables`);
    const { answers, notes } = await engine.answerTable(file, model, (done, rows) => {
      if (!done || !isLatest()) return;
      const count = (number) => number.toLocaleString("en");
      status.textContent = `${file.name}: ${count(done)}${rows ? ` of ${count(rows)}` : ""} rows …`;
      status.append(" ", made("progress", { ...(rows && { max: rows, value: done }) }));
    });
    const rows = (await answers.text()).trimEnd().split("\n").length - 1;
    return (isOneOfMany) => {
      say([`${file.name}: ${rows.toLocaleString("en")} rows answered`, ...notes].join("; "), isOneOfMany);
      result.append(savingLink("predictions.csv", answers));
    };
  }

  // What was read, as it stands when the button is pressed: numbers may be corrected until then.
  function savedAsJson() {
    const button = made("button", { textContent: "Save what was read (JSON)", id: "save-json" });
    button.addEventListener("click", () => {
      const text = JSON.stringify({ read: read.map((one) => one()) }, null, 1);
      save("read.json", text, "application/json");
    });
    return made("p", {}, button);
  }

  element("file").addEventListener("change", (event) => {
    if (event.target.files.length) answerAll([...event.target.files]);
    event.target.value = ""; // the same file may be chosen again
  });
  // wherever a file is dropped, it must not replace the page
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    window.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return; // text is moved
      event.preventDefault();
      const isLeaving = name === "drop" || (name === "dragleave" && event.relatedTarget === null);
      document.body.classList.toggle("over", !isLeaving);
      if (name === "drop" && event.dataTransfer.files.length) answerAll([...event.dataTransfer.files]);
    });
  }
  window.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files].map((file) => (file.name ? file : new File([file], PICTURE, { type: file.type })));
    if (pasted.length) answerAll(pasted);
  });
  return { clear };
}
