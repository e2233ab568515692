// Times that still run count on: <time data-since="ISO moment">.
(() => {
  function text(seconds) {
    if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    const minutes = Math.floor(seconds / 60);
    const rest = String(Math.floor(seconds % 60)).padStart(2, "0");
    if (minutes < 60) return `${minutes} min ${rest} s`;
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  }
  function tick() {
    for (const time of document.querySelectorAll("time[data-since]")) {
      const seconds = (Date.now() - Date.parse(time.dataset.since)) / 1000;
      time.textContent = text(Math.max(0, seconds));
    }
  }
  document.addEventListener("DOMContentLoaded", tick);
  document.addEventListener("htmx:afterSwap", tick);
  setInterval(tick, 200);
})();
