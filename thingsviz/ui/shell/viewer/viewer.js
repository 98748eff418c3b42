// The entry: which of our views this frame is, told by the first message.

import { start } from "./frame.js";
import { link } from "./link.js";
import { slices } from "./slices.js";

const views = { link, slices };
let show;

start((args) => {
  show ??= views[args.view](document.body);
  show(args);
});
