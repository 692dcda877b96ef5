// @ts-check
// Whom the notifier tells of alarms, what became of that, and a test message.

import { testReceiver } from "./changes.js";
import { element, part, plainTable, setText } from "../lib/dom.js";
import { count, timeText } from "../lib/format.js";

const choice = part("test-receiver", HTMLSelectElement);

part("test-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const receiver = choice.value;
  try {
    const isSent = await testReceiver(receiver) !== null;
    setText(part("test-note"), isSent ? `A test message to ${receiver} is on its way.` : "");
  } catch (failure) {
    setText(part("test-note"), `Not done: ${failure instanceof Error ? failure.message : failure}.`);
  }
});

/** @param {API.State["receivers"]} receivers */
export function showReceivers(receivers) {
  part("receivers-panel").hidden = receivers.length === 0;
  const text = JSON.stringify(receivers);
  if (part("receivers").dataset.shown === text) return;
  part("receivers").dataset.shown = text;
  const names = receivers.map(({ name }) => name);
  if (names.join() !== [...choice.options].map(({ value }) => value).join()) {
    choice.replaceChildren(...names.map((name) => element("option", {}, name)));
  }
  part("receivers").replaceChildren(plainTable("What became of messages in the last 24 hours",
    ["Receiver", "Sent", "Waiting", "Given up", "Why not sent"], receivers.map((receiver) => [
      receiver.name, `${count(receiver.sent_last_day)}${timeOf(", last at", receiver.sent_at)}`,
      `${count(receiver.waiting)}${timeOf(", since", receiver.waiting_since)}`, count(receiver.dead_last_day),
      receiver.error ?? ""])));
}

/**
 * @param {string} words
 * @param {string | null} moment
 */
function timeOf(words, moment) {
  return moment === null ? "" : `${words} ${timeText(Date.parse(moment), Date.now())}`;
}
