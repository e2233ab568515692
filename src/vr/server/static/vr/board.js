// The dashboard's board asks for what changed only: the chips of procs, the heads of their swarms
// and the totals. It asks for the whole when much changes at once, while it is filtered, or when
// parts are not enough.
(() => {
  const WAIT_MS = 200;
  const MOST = 20;
  const SWARM = /^\/api\/v1\/swarms\/(\d+)\/$/;
  const board = () => document.getElementById("board");
  const chipId = (proc) => `proc-${proc.host}-${proc.name}`.replaceAll(".", "dot");
  let due = null;
  let procs = new Map();
  let swarms = new Set();

  // Returns true if asking for parts will show what the message tells of.
  function taken(message) {
    if (document.getElementById("q").value) return false;
    if (message.host && message.name) {
      const isGone = message.event === "PROCESS_GROUP_REMOVED";
      const isNew = !document.getElementById(chipId(message));
      procs.set(`${message.host}/${message.name}`, isGone || isNew ? "moved" : "proc");
      return true;
    }
    const swarm = SWARM.exec(message.resource_uri || "")?.[1];
    if (!swarm || !document.getElementById(`swarm-${swarm}`)) return false;
    swarms.add(swarm);
    return true;
  }

  function ask() {
    due = null;
    const asked = [...procs].map(([proc, how]) => [how, proc]);
    asked.push(...[...swarms].map((swarm) => ["swarm", swarm]));
    procs = new Map();
    swarms = new Set();
    if (!asked.length || !board()) return;
    if (asked.length > MOST) return void htmx.trigger(board(), "vr:changed");
    const url = `${board().dataset.changes}?${new URLSearchParams(asked)}`;
    htmx.ajax("GET", url, { source: board(), swap: "none" });
  }

  document.addEventListener("vr:message", (event) => {
    if (event.target !== board()) return;
    let message;
    try {
      message = JSON.parse(event.detail);
    } catch {
      return;
    }
    if (!taken(message)) return;
    event.preventDefault();
    due ||= setTimeout(ask, WAIT_MS);
  });

  document.addEventListener("vr:moved", (event) => {
    for (const id of event.detail.swarms || []) {
      const shown = document.getElementById(`swarm-${id}-procs`);
      // A swarm without procs has no place for them yet.
      if (document.getElementById(`swarm-${id}`) && !shown) htmx.trigger(board(), "vr:changed");
      // Closed ones fetch theirs when they are opened.
      else if (shown && (shown.firstElementChild || !shown.closest("details"))) {
        htmx.ajax("GET", shown.dataset.url, { target: shown, swap: "innerHTML" });
      }
    }
    if (!event.detail.swarms) htmx.trigger(board(), "vr:changed");
  });

  // What was opened stays so when the board is fetched whole.
  let opened = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== board()) return;
    opened = [...board().querySelectorAll("details[open][id]")].map((one) => one.id);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== board()) return;
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    opened = [];
  });
})();
