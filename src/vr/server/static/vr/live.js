// Live parts of a page: an element with data-stream hears of changes from those streams, and lets
// htmx fetch it anew (event vr:changed). The server alone renders; streams only say when.
//
// Streams are closed while the page is hidden: a browser allows six connections to a server, and
// each stream holds one. On return, and after any reconnect, parts are fetched again, so that
// nothing missed stays missing.
(() => {
  const SLOWEST_MS = 250;
  const streams = new Map();

  function changed(element) {
    if (element.dataset.due) return;
    element.dataset.due = "1";
    const wait = Number(element.dataset.quiet || SLOWEST_MS);
    setTimeout(() => {
      delete element.dataset.due;
      if (element.isConnected) htmx.trigger(element, "vr:changed");
    }, wait);
  }

  function showLink() {
    const all = [...streams.values()];
    const broken = all.some((stream) => stream.failed && !stream.ended);
    document.documentElement.dataset.streams = all.filter(
      (stream) => stream.source?.readyState === EventSource.OPEN,
    ).length;
    for (const state of document.querySelectorAll(".link-state")) state.hidden = !broken;
    document.body.classList.toggle("offline", broken);
  }

  function open(url) {
    const stream = streams.get(url);
    const source = new EventSource(url);
    stream.source = source;
    stream.failed = false;
    const tell = () => stream.elements.forEach(changed);
    source.onopen = () => {
      stream.failed = false;
      showLink();
      // Whatever changed between the rendering of the page and now, or while we were away.
      tell();
    };
    // An element that makes more of a message than asking for itself prevents that.
    const hear = (event) => stream.elements.forEach((element) => {
      const options = { bubbles: true, cancelable: true, detail: event.data };
      if (element.dispatchEvent(new CustomEvent("vr:message", options))) changed(element);
    });
    source.onmessage = hear;
    source.addEventListener("PROCESS_GROUP_REMOVED", hear);
    source.addEventListener("end", () => {
      source.close();
      stream.ended = true;
      tell();
    });
    source.onerror = () => {
      stream.failed = true;
      showLink();
      // A refusal (the login has lapsed, the server restarts behind a proxy) is final for the
      // browser; we try again.
      if (source.readyState === EventSource.CLOSED && !stream.ended) {
        stream.retry = setTimeout(() => document.hidden || open(url), 3000);
      }
    };
  }

  function watch(root) {
    for (const element of root.querySelectorAll("[data-stream]")) {
      for (const url of element.dataset.stream.split(" ")) {
        if (!streams.has(url)) streams.set(url, { elements: new Set() });
        streams.get(url).elements.add(element);
      }
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    watch(document);
    if (!document.hidden) for (const url of streams.keys()) open(url);
  });
  document.addEventListener("visibilitychange", () => {
    for (const [url, stream] of streams) {
      clearTimeout(stream.retry);
      if (stream.ended) continue;
      stream.source?.close();
      if (!document.hidden) open(url);
    }
  });
  // A closed page must not keep its connections until the browser tidies up.
  addEventListener("pagehide", () => {
    for (const stream of streams.values()) stream.source?.close();
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  // A fragment asked for after the login has lapsed comes back as the login page.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (new URL(event.detail.xhr.responseURL || location.href).pathname === "/login/") {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });
})();
