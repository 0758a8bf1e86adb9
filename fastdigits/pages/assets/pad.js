// A field to draw in: strokes of a mouse, pen, finger or the keyboard, kept as points so that one can be undone.

const INK = "#101010";
const PAPER = "#ffffff";
const WIDTH = 20; // of a stroke, on a pad of 280: about as bold as a felt pen's digit
const STEP = 8; // by which an arrow key moves

export class Pad {
  // canvas: its element; changed: called after every change; told: with what is to be read aloud; cleared: with the
  // strokes that were there
  constructor(canvas, { changed = () => {}, told = () => {}, cleared = () => {} }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.changed = changed;
    this.told = told;
    this.cleared = cleared;
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
    if (!this.isEmpty) this.cleared(this.strokes);
    this.bring([]);
  }

  // Draw these strokes in place of those that are there.
  bring(strokes) {
    this.strokes = strokes;
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

  // What `look` makes of the canvas without the keyboard's crosshair.
  withoutCursor(look) {
    this.draw(false);
    const made = look(this.canvas);
    this.draw();
    return made;
  }

  // the picture as a PNG file
  png() {
    return this.withoutCursor((canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/png")));
  }

  // the picture as ImageData
  pixels() {
    return this.withoutCursor(({ width, height }) => this.context.getImageData(0, 0, width, height));
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
    const { context } = this;
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
