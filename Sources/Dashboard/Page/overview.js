// @ts-check
// The overview: who needs somebody now, who is being watched, everybody else.

import { Customers } from "./parts/customers.js";
import { Episodes } from "./parts/episodes.js";
import { startFrame } from "./parts/frame.js";
import { People } from "./people/people.js";

const people = new People();
const customers = new Customers();
const episodes = new Episodes();

const begin = Date.now(), patience = 3000; // ms

startFrame(({ state, ...rest }) => {
  const isComplete = customers.isShown && episodes.isShown;
  if (isComplete || Date.now() - begin > patience) document.body.classList.remove("loading");
  if (state === null) return;
  const view = { state, ...rest };
  people.show(view);
  customers.show(view);
  episodes.show(view);
});
