// What is drawn on a pad, as a model gets it.

import { normalised } from "./digit.js";
import { grayOf } from "./gray.js";

// in MNIST's form
export const drawnOn = (pad) => normalised(grayOf(pad.pixels()));
