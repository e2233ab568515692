// The colour theme: the system's, unless the person chose one. Runs before the first paint.
(() => {
  const root = document.documentElement;
  const chosen = localStorage.getItem("vr-theme");
  if (chosen) root.dataset.theme = chosen;

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-button]")) return;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    if (next === system) {
      delete root.dataset.theme;
      localStorage.removeItem("vr-theme");
    } else {
      root.dataset.theme = next;
      localStorage.setItem("vr-theme", next);
    }
  });
})();
