// The model inside the page: gray pictures in, probabilities out, by onnxruntime-web.

const FEW = 64; // pictures at a time

// what an element of the page holds: gzip as base64
async function unpacked(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The classes and rules of the model, as its model.json has them.
export const about = JSON.parse(document.getElementById("about").textContent);

let opening = null; // the promise of a session, once it is asked for

export function opened() {
  opening ??= open();
  return opening;
}

async function open() {
  const code = new Blob([await unpacked("runtime")], { type: "text/javascript" });
  const address = URL.createObjectURL(code);
  const ort = await import(address);
  URL.revokeObjectURL(address);
  ort.env.wasm.numThreads = 1; // a page from a disk may have no more
  ort.env.wasm.wasmBinary = await unpacked("runtime-wasm");
  const session = await ort.InferenceSession.create(await unpacked("graph"), { executionProviders: ["wasm"] });
  const model = { ort, session };
  await check(model);
  return model;
}

// What the model said of some pictures where the page was made must be what it says here.
async function check(model) {
  const { pictures, side, shares } = about.check;
  const images = Uint8Array.from(atob(pictures), (letter) => letter.charCodeAt(0));
  const found = await asked(model, images, shares.length, side, side);
  const differences = shares.flatMap((row, k) => row.map((share, j) => Math.abs(share - found[k][j])));
  if (!(Math.max(...differences) <= about.check.tolerance)) {
    throw new Error("this browser computes other answers than the model gives; use another browser");
  }
}

async function asked({ ort, session }, images, n, height, width) {
  const outputs = about.above === null ? ["probabilities"] : ["probabilities", "outliers"];
  const answers = await session.run({ images: new ort.Tensor("uint8", images, [n, height, width]) }, outputs);
  const rows = outputs.map((name) => ({ data: answers[name].data, length: answers[name].dims[1] }));
  return Array.from({ length: n }, (_, k) =>
    rows.flatMap(({ data, length }) => Array.from(data.subarray(k * length, (k + 1) * length))),
  );
}

// Of each picture, all of one size, its probabilities and behind them, where the model tells them, the shares of several
// digits and of none.
export async function sharesOf(planes) {
  const model = await opened();
  const found = [];
  for (let start = 0; start < planes.length; start += FEW) {
    const some = planes.slice(start, start + FEW);
    const [{ height, width }] = some;
    const images = new Uint8Array(some.length * height * width);
    some.forEach((plane, k) => images.set(plane.data, k * height * width));
    found.push(...(await asked(model, images, some.length, height, width)));
  }
  return found;
}
