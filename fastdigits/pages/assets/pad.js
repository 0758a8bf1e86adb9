// A field to draw in: strokes of a mouse, pen, finger or the keyboard, kept as points so that one can be undone.

const INK = "#101010";
const PAPER = "#ffffff";
const SIDE = 280; // of the pad, in which strokes are measured
const SHOWN_SIDE = 560; // pixels, so that it is sharp on fine screens
const ASKED_SIDE = 144; // pixels of what a model is asked about: enough for a digit of 20, and three times PAPER_GRID
const WIDTH = 20; // of a stroke: about as bold as a felt pen's digit
const HINT = { text: "draw here", colour: "#70767f", font: "15px system-ui, sans-serif", fromBottom: 18 };
const STEP = 8; // by which an arrow key moves

export class Pad {
  // canvas: its element; changed: called after every change; told: with what is to be read aloud; cleared: with the
  // strokes that were there
  constructor(canvas, { changed = () => {}, told = () => {}, cleared = () => {} }) {
    this.canvas = canvas;
    canvas.width = canvas.height = SHOWN_SIDE;
    this.asked = Object.assign(document.createElement("canvas"), { width: ASKED_SIDE, height: ASKED_SIDE });
    this.askedContext = this.asked.getContext("2d", { willReadFrequently: true });
    this.changed = changed;
    this.told = told;
    this.cleared = cleared;
    this.strokes = [];
    this.stroke = null; // the one that is being drawn, by the pointer or by the keyboard
    this.pointer = null;
    this.cursor = { x: SIDE / 2, y: SIDE / 2 };
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

  // the picture as a PNG file
  png() {
    this.drawOn(this.askedContext);
    return new Promise((resolve) => this.asked.toBlob(resolve, "image/png"));
  }

  // the picture as ImageData
  pixels() {
    this.drawOn(this.askedContext);
    return this.askedContext.getImageData(0, 0, ASKED_SIDE, ASKED_SIDE);
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
      x: ((event.clientX - box.left) / box.width) * SIDE,
      y: ((event.clientY - box.top) / box.height) * SIDE,
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
        x: Math.min(Math.max(this.cursor.x + dx * STEP, 0), SIDE),
        y: Math.min(Math.max(this.cursor.y + dy * STEP, 0), SIDE),
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

  draw() {
    const context = this.canvas.getContext("2d");
    this.drawOn(context);
    if (this.isEmpty) drawHint(context);
    if (this.canvas.matches(":focus-visible")) this.drawCursor(context);
  }

  // The strokes on the whole of a canvas.
  drawOn(context) {
    const scale = context.canvas.width / SIDE;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = PAPER;
    context.fillRect(0, 0, SIDE, SIDE);
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
  }

  drawCursor(context) {
    const { x, y } = this.cursor;
    context.strokeStyle = this.keyboardPenIsDown ? "#a33200" : "#1b5cb0";
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x - 12, y);
    context.lineTo(x + 12, y);
    context.moveTo(x, y - 12);
    context.lineTo(x, y + 12);
    context.stroke();
  }
}

// On the empty pad alone, and never on what a model is asked about.
function drawHint(context) {
  context.fillStyle = HINT.colour;
  context.font = HINT.font;
  context.textAlign = "center";
  context.fillText(HINT.text, SIDE / 2, SIDE - HINT.fromBottom);
}
