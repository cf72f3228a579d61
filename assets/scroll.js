// A page opens at its top. Back and forward, and a reload, return to the place where the page was left.
// Reruns, and new choices in the address of the same page, move nothing.

const KEPT = "wtflow_places";
const MOST_PLACES = 200; // entries of the browser's history; a session of this length has forgotten its first ones
const PATIENCE_MS = 30_000; // a page that is still being drawn may have the place only later
const STEP_MS = 60;
const HANDS = ["wheel", "touchstart", "pointerdown", "keydown"];

const scroller = () => document.querySelector("[data-testid=stMain]");
const isDrawing = () => document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "running";
/** The present entry of the history; in browsers that do not number them, its address. */
const entry = () => window.navigation?.currentEntry?.key ?? location.href;

function begin() {
  const places = new Map(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));
  const [arrival] = performance.getEntriesByType("navigation");
  let page = null;
  let path = location.pathname;
  let comesBack = arrival?.type === "reload" || arrival?.type === "back_forward";
  let leaves = false; // the address is that of another page already, but the old one is still shown
  let timer = 0;

  const note = () => {
    if (leaves || timer) return;
    places.delete(entry());
    places.set(entry(), scroller()?.scrollTop ?? 0);
    if (places.size > MOST_PLACES) places.delete(places.keys().next().value);
  };
  const letGo = () => {
    clearInterval(timer);
    timer = 0;
  };
  const goTo = (y) => {
    letGo();
    scroller().scrollTop = y;
    if (!y) return;
    const until = performance.now() + PATIENCE_MS;
    timer = setInterval(() => {
      const main = scroller();
      if (Math.abs(main.scrollTop - y) > 1) main.scrollTop = y;
      else if (!isDrawing()) letGo();
      if (performance.now() > until) letGo();
    }, STEP_MS);
  };

  document.addEventListener("scroll", (event) => event.target === scroller() && note(), true);
  HANDS.forEach((kind) => document.addEventListener(kind, letGo, { capture: true, passive: true }));
  window.navigation?.addEventListener("currententrychange", (event) => {
    if (event.navigationType === "push") note(); // a choice of the same page has the place of the one before
  });
  window.addEventListener("popstate", () => {
    comesBack = leaves = location.pathname !== path;
  });
  window.addEventListener("pagehide", () => sessionStorage.setItem(KEPT, JSON.stringify([...places])));

  return (shown) => {
    if (shown === page) return;
    goTo(comesBack ? places.get(entry()) ?? 0 : 0);
    page = shown;
    path = location.pathname;
    comesBack = leaves = false;
    note();
  };
}

export default function ({ data }) {
  window.wtflowOpen ??= begin();
  window.wtflowOpen(data.page);
}
