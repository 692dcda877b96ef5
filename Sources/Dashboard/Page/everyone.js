// @ts-check
// Everyone as a table, with an address that can be sent.

import { Customers } from "./parts/customers.js";
import { startFrame } from "./parts/frame.js";

const customers = new Customers();

startFrame(({ state, ...rest }) => {
  if (state !== null) customers.show({ state, ...rest });
});
