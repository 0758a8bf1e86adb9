// Who answers the page: here the server that sent it. engine_here.js has the same functions, for pages without one.

export const PNG = { "content-type": "image/png" };
const LOOK_MS = 300; // between two looks at how far a table is

// The answer of an endpoint; throws an Error with the server's line where it refuses.
export async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the server does not answer; is it still running?");
  }
  if (!response.ok) {
    const told = await response.json().catch(() => ({}));
    const line = told.error ?? `the server answered ${response.status}`;
    throw Object.assign(new Error(line), { status: response.status });
  }
  return response;
}

function form(file) {
  const parts = new FormData();
  parts.append("picture", file);
  return { method: "POST", body: parts };
}

async function answerOf(asked, options) {
  const query = new URLSearchParams({ ...asked, seen: true });
  const response = await ask(`/predict?${query}`, options);
  return (await response.json()).predictions[0];
}

// { label, confidence, verdict, doubtful, probabilities, seen } of what is drawn
export async function answerDrawing(pad, model) {
  return answerOf({ model, normalise: true }, { method: "POST", headers: PNG, body: await pad.png() });
}

// the same of a photo, which is normalised where the model expects that
export const answerPhoto = (file, model) => answerOf({ model }, form(file));

// { numbers, lines, left_out, notes, size } of a photo of several digits
export async function readSheet(file, model) {
  return (await ask(`/read?${new URLSearchParams({ model })}`, form(file))).json();
}

// { answers: Blob of a csv, notes } of a csv of pixel rows; `told` is called with rows done and, if known, all
export async function answerTable(file, model, told) {
  const ticket = Math.random().toString(36).slice(2);
  let isOver = false;
  const looking = setInterval(async () => {
    const found = await ask(`/table/${ticket}`).catch(() => null); // it has not begun, or is done
    const { done, rows } = found ? await found.json() : {};
    if (!isOver) told(done, rows);
  }, LOOK_MS);
  try {
    const query = new URLSearchParams({ model, name: file.name, ticket });
    const response = await ask(`/table?${query}`, { method: "POST", headers: { "content-type": "text/csv" }, body: file });
    const notes = JSON.parse(response.headers.get("x-fastdigits-notes") ?? "[]");
    return { answers: await response.blob(), notes };
  } finally {
    isOver = true;
    clearInterval(looking);
  }
}

// Keep a drawn digit: { id, token, seen, yours, all }.
export async function keepDigit(label, pad, token) {
  const query = new URLSearchParams({ label, ...(token && { token }) });
  return (await ask(`/collect?${query}`, { method: "POST", headers: PNG, body: await pad.png() })).json();
}

// Remove one that was drawn by mistake: { yours, all }.
export async function takeBack(id, token) {
  return (await ask(`/collect/${id}?${new URLSearchParams({ token })}`, { method: "DELETE" })).json();
}
