// What a model says: a label, its confidence, and whether it can be taken as it is; and the numbers of a sheet. The
// reasons stand in fastdigits/answers/verdicts.py and reading.py.

import { BLANK, DIGIT, OTHER, SEVERAL, contentsOf } from "./contents.js";
import { heightOf, widthOf } from "./sheet.js";

const NAMES = { [BLANK]: "blank", [SEVERAL]: "several", [OTHER]: "other" };
const SURE_OF_PARTS = 0.999;
const STRETCH = 2;

// What clients are told of one picture, light ink on dark.
// about: { classes, leastSure, above }; shares: its probabilities, and behind them those of several digits and of none
export function answerTo(gray, shares, about) {
  const { classes, leastSure } = about;
  const probabilities = Array.from(shares.slice(0, classes.length));
  const confidence = Math.max(...probabilities);
  const contents = judged(contentsOf(gray), shares, confidence, about);
  const verdict = NAMES[contents] ?? (confidence < leastSure ? "doubtful" : "sure");
  return {
    label: classes[probabilities.indexOf(confidence)],
    confidence,
    verdict,
    doubtful: verdict !== "sure",
    probabilities: Object.fromEntries(classes.map((label, k) => [label, probabilities[k]])),
  };
}

function judged(measured, shares, confidence, { classes, above }) {
  if (above === null) return measured === SEVERAL && confidence >= SURE_OF_PARTS ? DIGIT : measured;
  if (measured === BLANK || measured === OTHER) return measured;
  const [several, other] = shares.slice(classes.length);
  if (several + other <= above) return DIGIT;
  return several > other ? SEVERAL : OTHER;
}

// What a cut sheet says. answers: a Map from each cut, halves included, to its answer.
export function readingOf(sheet, answers, { above }) {
  const digitsOf = (cut) => {
    const { label, confidence, verdict, doubtful } = answers.get(cut);
    const halves = cut.halves.map(digitsOf);
    const parts = halves.every((half) => half.length) ? halves.flat() : [];
    const leastOfParts = parts.length ? Math.min(...parts.map((digit) => digit.confidence)) : 0;
    const isTold = above !== null;
    if (isTold && verdict === NAMES[OTHER]) return parts.every((digit) => !digit.doubtful) ? parts : [];
    if (isTold && verdict === NAMES[SEVERAL] && parts.length) return parts;
    const likenessOfOne = Math.exp(-STRETCH * Math.max(0, widthOf(cut.box) / heightOf(cut.box) - 1));
    if (leastOfParts > confidence * likenessOfOne) return parts;
    return [{ label, confidence, verdict, doubtful, box: cut.box }];
  };
  const leftOut = [];
  const lines = sheet.lines.map((line) =>
    line
      .map((number) =>
        number.flatMap((cut) => {
          const digits = digitsOf(cut);
          if (!digits.length) leftOut.push(cut.box);
          return digits;
        }),
      )
      .filter((number) => number.length),
  );
  const kept = lines.filter((line) => line.length);
  const numbers = kept.map((line) => line.map((number) => number.map((digit) => digit.label).join("")));
  return { numbers, lines: kept, left_out: leftOut, notes: sheet.notes };
}
