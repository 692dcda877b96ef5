// @ts-check
// Asking the dashboard's interface, /api/v1.

const patience = 10_000; // ms: an answer that takes longer is given up, and asked for again

/** @returns {AbortSignal} */
function timeout() {
  // Debian's TypeScript does not know it yet.
  return /** @type {any} */ (AbortSignal).timeout(patience);
}

/** A failure with the problem's own words. */
export class RequestError extends Error {
  /**
   * @param {string} message
   * @param {number} status
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Fetches JSON.
 * @template {keyof API.Answers} Path
 * @param {Path} path
 * @param {Record<string, string | number | null>} parameters those that are null or "" are left out
 * @returns {Promise<API.Answers[Path]>}
 * @throws {RequestError}
 */
export async function fetchJSON(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== "") query.set(name, String(value));
  }
  return answerOf(await fetch(`.${path}?${query}`, { signal: timeout() }));
}

/**
 * Sends a change.
 * @param {string} path below the interface's own
 * @param {Record<string, unknown>} body
 * @param {string | null} password the second password, where one is needed
 * @returns {Promise<unknown>} what the interface answers
 * @throws {RequestError}
 */
export async function post(path, body, password) {
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": "application/json" };
  if (password !== null) headers["Acting-Password"] = btoa(String.fromCharCode(...new TextEncoder().encode(password)));
  return answerOf(await fetch(`api/v1/${path}`, {
    method: "POST", headers, body: JSON.stringify(body), signal: timeout(),
  }));
}

/** @param {Response} response */
async function answerOf(response) {
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  const words = problem.detail ?? problem.title ?? `${response.status} ${response.statusText}`;
  throw new RequestError(words, response.status);
}
