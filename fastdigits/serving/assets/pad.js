// A field to draw in: strokes of a mouse, pen, finger or the keyboard, kept as points so that one can be undone.

const INK = "#101010";
const PAPER = "#ffffff";
const WIDTH = 20; // of a stroke, on a pad of 280: about as bold as a felt pen's digit
const STEP = 8; // by which an arrow key moves

export class Pad {
  // canvas: its element; changed: called after every change; told: with what is to be read aloud
  constructor(canvas, changed, told = () => {}) {
    this.canvas = canvas;
    this.changed = changed;
    this.told = told;
    this.strokes = [];
    this.stroke = null; // the one that is being drawn, by the pointer or by the keyboard
    this.pointer = null;
    this.cursor = { x: canvas.width / 2, y: canvas.height / 2 };
    this.keyboardPenIsDown = false;
    this.listen();
    this.draw();
  }

  get isDrawing() {
    return this.stroke !== null;
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  clear() {
    this.strokes = [];
    this.lift();
    this.report();
  }

  undo() {
    this.strokes.pop();
    this.lift();
    this.report();
  }

  begin(point) {
    this.stroke = [point];
    this.strokes.push(this.stroke);
  }

  lift() {
    this.stroke = this.pointer = null;
    this.keyboardPenIsDown = false;
  }

  // the picture as a PNG file, without the keyboard's crosshair
  png() {
    this.draw(false);
    const made = new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
    this.draw();
    return made;
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => {
      if (this.pointer !== null || event.button !== 0) return; // one finger draws
      this.lift();
      this.pointer = event.pointerId;
      canvas.setPointerCapture(event.pointerId);
      this.begin(this.place(event));
      this.report();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      this.stroke.push(...(events.length ? events : [event]).map((one) => this.place(one)));
      this.report();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => {
        if (event.pointerId !== this.pointer) return;
        this.lift();
        this.report();
      });
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("focus", () => this.draw());
    canvas.addEventListener("blur", () => this.draw());
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * this.canvas.width,
      y: ((event.clientY - box.top) / box.height) * this.canvas.height,
    };
  }

  turnPen() {
    if (this.keyboardPenIsDown) {
      this.lift();
    } else {
      this.begin(this.cursor);
      this.keyboardPenIsDown = true;
    }
    this.report();
    this.told(this.keyboardPenIsDown ? "Pen down." : "Pen up.");
  }

  key(event) {
    if (this.pointer !== null) return; // one pen at a time
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      this.cursor = {
        x: Math.min(Math.max(this.cursor.x + dx * STEP, 0), this.canvas.width),
        y: Math.min(Math.max(this.cursor.y + dy * STEP, 0), this.canvas.height),
      };
      if (this.keyboardPenIsDown) {
        this.stroke.push(this.cursor);
        this.report();
      } else {
        this.draw();
      }
    } else if (event.key === " ") {
      if (!event.repeat) this.turnPen();
    } else if (event.key === "Escape") {
      this.clear();
    } else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
      this.undo();
    } else {
      return;
    }
    event.preventDefault();
  }

  report() {
    this.draw();
    this.changed();
  }

  draw(withCursor = true) {
    const context = this.canvas.getContext("2d");
    context.fillStyle = PAPER;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.strokeStyle = INK;
    context.lineWidth = WIDTH;
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(stroke[0].x, stroke[0].y);
      for (const point of stroke) context.lineTo(point.x, point.y); // one point makes a dot
      context.stroke();
    }
    if (withCursor && this.canvas.matches(":focus-visible")) this.drawCursor(context);
  }

  drawCursor(context) {
    const { x, y } = this.cursor;
    context.strokeStyle = this.keyboardPenIsDown ? "#c01c28" : "#1a5fb4";
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x - 12, y);
    context.lineTo(x + 12, y);
    context.moveTo(x, y - 12);
    context.lineTo(x, y + 12);
    context.stroke();
  }
}

// Gray levels, rows of numbers 0..255, into a canvas of that size.
export function showSeen(canvas, rows) {
  canvas.height = rows.length;
  canvas.width = rows[0].length;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  rows.flat().forEach((level, k) => pixels.data.set([level, level, level, 255], 4 * k));
  context.putImageData(pixels, 0, 0);
}

export function clearSeen(canvas) {
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
}

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

export const PNG = { "content-type": "image/png" };
