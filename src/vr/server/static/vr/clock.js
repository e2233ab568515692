// Times that go on while one looks: <time data-age="seconds"> since something happened, and
// <time data-running="seconds"> of what still runs. The server says how much it is at first, so
// that a wrong clock in the browser's machine shows no wrong time; the words are those of the
// server's own.
(() => {
  const UNITS = [[86400, "day"], [3600, "h"], [60, "min"]];
  const begun = new WeakMap();

  function ago(seconds) {
    for (const [size, name] of UNITS) {
      const count = Math.floor(seconds / size);
      if (count) return `${count} ${name}${name === "day" && count > 1 ? "s" : ""} ago`;
    }
    return seconds < 10 ? "just now" : `${Math.floor(seconds)} s ago`;
  }

  function running(seconds) {
    if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    const minutes = Math.floor(seconds / 60);
    const rest = String(Math.floor(seconds % 60)).padStart(2, "0");
    if (minutes < 60) return `${minutes} min ${rest} s`;
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  }

  function show(time, atFirst, words) {
    if (!begun.has(time)) begun.set(time, Date.now() - 1000 * Number(atFirst));
    const text = words(Math.max(0, (Date.now() - begun.get(time)) / 1000));
    // Setting what is there already would undo a selection.
    if (time.textContent !== text) time.textContent = text;
  }

  function tick() {
    for (const time of document.querySelectorAll("time[data-age]")) {
      show(time, time.dataset.age, ago);
    }
    for (const time of document.querySelectorAll("time[data-running]")) {
      show(time, time.dataset.running, running);
    }
  }
  document.addEventListener("DOMContentLoaded", tick);
  document.addEventListener("htmx:afterSwap", tick);
  setInterval(tick, 200);
})();
