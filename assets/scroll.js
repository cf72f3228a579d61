// A page opens at its top. Back and forward, and a reload, return to the place where the page was left.
// Reruns, and new choices in the address of the same page, move nothing.

const KEPT = "wtflow_places";
const MOST_PLACES = 200; // a session of that many pages may forget its first ones
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
  let addresses = []; // of the page that is shown: the browser's own may be ahead of it, or behind
  let comesBack = arrival?.type === "reload" || arrival?.type === "back_forward";
  let timer = 0;

  const isHere = () => addresses.includes(location.pathname.split("/").at(-1));
  const note = () => {
    if (timer || !isHere()) return;
    const y = scroller()?.scrollTop ?? 0;
    for (const key of [entry(), page]) {
      places.delete(key); // so that the Map is in the order of use
      places.set(key, y);
    }
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
    if (event.navigationType === "push") note(); // a new choice on the same page is made at the same place
  });
  window.addEventListener("popstate", () => {
    comesBack = !isHere();
  });
  window.addEventListener("pagehide", () => sessionStorage.setItem(KEPT, JSON.stringify([...places])));

  return (shown) => {
    if (shown.page === page) return;
    ({ page, addresses } = shown);
    // Going back twice in a hurry makes Streamlit add an entry of its own: then the page's last place counts.
    goTo(comesBack ? places.get(entry()) ?? places.get(page) ?? 0 : 0);
    comesBack = false;
    note();
  };
}

export default function ({ data }) {
  window.wtflowOpen ??= begin();
  window.wtflowOpen(data);
}
