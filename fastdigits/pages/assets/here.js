// Begins a page that answers by itself: the drawing page or, at #collect, the collecting one.

import { opened } from "./engine_here.js";
import { clearKept, digitsCsv, keptDigits, writersCsv } from "./kept_here.js";
import { element, save } from "./shown.js";

const isCollecting = location.hash === "#collect" && element("collecting-page") !== null;
element("no-page").remove();
document.body.prepend(element(isCollecting ? "collecting-page" : "drawing-page").content);
window.addEventListener("hashchange", () => location.reload());

if (isCollecting) {
  for (const [id, name, text] of [["save-digits", "digits.csv", digitsCsv], ["save-writers", "writers.csv", writersCsv]]) {
    element(id).addEventListener("click", () => save(name, text(), "text/csv"));
  }
  element("clear-kept").addEventListener("click", () => {
    if (!confirm(`Clear all ${keptDigits().length} digits? Save both tables before.`)) return;
    clearKept();
    sessionStorage.clear();
    location.reload();
  });
  try {
    element("all").textContent = keptDigits().length.toLocaleString("en");
    import("./collect.js");
  } catch (error) {
    element("status").textContent = error.message;
  }
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
