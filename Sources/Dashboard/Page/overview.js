// @ts-check
// The overview: who needs somebody now, who is being watched, everybody else.

import { Customers } from "./parts/customers.js";
import { Episodes } from "./parts/episodes.js";
import { startFrame } from "./parts/frame.js";
import { People } from "./people/people.js";

const people = new People();
const customers = new Customers();
const episodes = new Episodes();

startFrame(({ state, ...rest }) => {
  if (state === null) return;
  const view = { state, ...rest };
  people.show(view);
  customers.show(view);
  episodes.show(view);
});
