// A log that grows: <pre data-log-stream="url">. Text of the stream replaces what the page came
// with, without terminal escapes; it stays at the end while "Follow" is ticked.
document.addEventListener("DOMContentLoaded", () => {
  const KEPT_CHARACTERS = 1_000_000;
  // As vr/text/terminal.py: sequences with the controls inside of them, C1's too, and controls.
  const INNER = "\\x00-\\x09\\x0b-\\x17\\x19\\x1c-\\x1f\\x7f";
  const STEERING = new RegExp(
    `(?:\\x1b[${INNER}]*\\[|\\x9b)[${INNER}0-?]*[${INNER} -/]*[@-~]?` +
      `|(?:\\x1b[${INNER}]*[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])` +
      "[^\\n\\x07\\x18\\x1a\\x1b\\x9c]*(?:[\\x07\\x18\\x1a\\x9c]|\\x1b\\\\)?" +
      `|\\x1b[${INNER} -/]*[0-~]?` +
      "|[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]",
    "g",
  );
  const BIDIRECTIONAL = /[\u202a-\u202e\u2066-\u2069]/g;
  const written = (mark) => `<U+${mark.charCodeAt(0).toString(16).toUpperCase()}>`;
  // Not by a pattern: one that looks for a \r from each character on takes for ever on long lines.
  const overwritten = (line) => line.slice(line.lastIndexOf("\r", line.length - 1) + 1);
  const readable = (text) => text.replace(STEERING, "").replace(BIDIRECTIONAL, written)
    .replace(/\r+\n/g, "\n").split("\n").map(overwritten).join("\n");
  const log = document.getElementById("log");
  const follow = document.getElementById("follow");
  if (!log) return;

  const toEnd = () => {
    if (follow.checked) log.scrollTop = log.scrollHeight;
  };
  toEnd();
  follow.addEventListener("change", toEnd);
  // Scrolling up to read is a wish to stay there.
  log.addEventListener("wheel", (event) => {
    if (event.deltaY < 0) follow.checked = false;
  });
  log.addEventListener("scroll", () => {
    if (log.scrollTop + log.clientHeight >= log.scrollHeight - 4) follow.checked = true;
  });

  const url = log.dataset.logStream;
  if (!url) return;
  const dot = document.querySelector("[data-live-dot]");
  const card = log.closest(".log-card");
  let source;
  let waiting = "";
  let kept = 0;

  function show() {
    if (!waiting) return;
    const more = readable(waiting.slice(-KEPT_CHARACTERS));
    waiting = "";
    log.append(more);
    kept += more.length;
    while (kept > KEPT_CHARACTERS && log.childNodes.length > 1) {
      kept -= log.firstChild.textContent.length;
      log.firstChild.remove();
    }
    toEnd();
  }

  function end() {
    source.close();
    source = null;
    show();
    dot?.remove();
    const done = document.querySelector(log.dataset.logDone || "#none");
    if (done) htmx.trigger(done, "vr:changed");
  }

  function open() {
    source = new EventSource(url);
    // A stream whose events have ids goes on where it broke off; any other begins anew, and what
    // is shown goes.
    let fresh = true;
    let resumes = false;
    source.onopen = () => {
      fresh = !resumes;
      card.classList.remove("offline");
    };
    source.onmessage = (event) => {
      if (fresh) log.textContent = waiting = "";
      if (fresh) kept = 0;
      fresh = false;
      resumes = Boolean(event.lastEventId);
      if (!waiting) requestAnimationFrame(show);
      waiting += `${event.data}\n`;
    };
    source.addEventListener("end", end);
    source.onerror = () => {
      card.classList.add("offline");
      if (source?.readyState === EventSource.CLOSED) explain();
    };
  }

  // An EventSource doesn't say why it was refused; a plain request does.
  async function explain() {
    const stop = new AbortController();
    const answer = await fetch(url, { signal: stop.signal }).catch(() => null);
    if (answer && !answer.ok && !log.textContent) {
      const told = await answer.json().catch(() => ({}));
      log.textContent = told.error || `The log can't be read now (${answer.status}).`;
    }
    stop.abort();
    setTimeout(() => source && !document.hidden && open(), 5000);
  }

  open();
  document.addEventListener("visibilitychange", () => {
    if (!source) return;
    source.close();
    if (!document.hidden) open();
  });
  addEventListener("pagehide", () => source?.close());
});
