// Begins a page that answers by itself: the drawing page or, at #collect, the collecting one.

import { opened } from "./engine_here.js";
import { clearKept, digitsCsv, keptDigits, writersCsv } from "./kept_here.js";
import { element, savingLink } from "./shown.js";

const isCollecting = location.hash === "#collect" && element("collecting-page") !== null;
document.body.prepend(element(isCollecting ? "collecting-page" : "drawing-page").content);
window.addEventListener("hashchange", () => location.reload());

if (isCollecting) {
  for (const [id, name, text] of [["save-digits", "digits.csv", digitsCsv], ["save-writers", "writers.csv", writersCsv]]) {
    element(id).addEventListener("click", () => savingLink(name, text(), "text/csv").click());
  }
  element("clear-kept").addEventListener("click", () => {
    if (!confirm(`Clear all ${keptDigits().length} digits? Save both tables before.`)) return;
    clearKept();
    sessionStorage.clear();
    location.reload();
  });
  element("all").textContent = keptDigits().length.toLocaleString("en");
  import("./collect.js");
} else {
  const waiting = element("waiting");
  const said = waiting.textContent;
  waiting.textContent = "The model is being opened …";
  // after a moment, in which the page is shown
  requestAnimationFrame(() =>
    setTimeout(async () => {
      try {
        await opened();
        waiting.textContent = said;
        document.body.dataset.ready = "true";
      } catch (error) {
        waiting.classList.add("problem");
        waiting.textContent = error.message;
      }
    }),
  );
  import("./draw.js");
}
