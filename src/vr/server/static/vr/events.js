// The list of events asks for what is newer than its newest, and forgets the oldest.
(() => {
  const KEPT = 200;
  const list = () => document.getElementById("events");

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt !== list()) return;
    event.detail.parameters.set("after", list().querySelector("[data-id]")?.dataset.id || "0");
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== list()) return;
    for (const old of [...list().children].slice(KEPT)) old.remove();
  });
  // The filter of the dashboard is the filter of its events too: fetch the list whole.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "q") return;
    htmx.ajax("GET", list().getAttribute("hx-get"), {
      target: list(),
      swap: "innerHTML",
      values: { q: event.detail.elt.value },
    });
  });
})();
