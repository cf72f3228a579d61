// What stands where in the window, for test_seen.py: evaluated in the page, returns plain values.
() => {
  const below = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? below(e.shadowRoot) : [])]);
  const box = (e) => { const r = e.getBoundingClientRect(); return [r.top, r.bottom, r.left, r.right].map(Math.round); };
  const isSeen = (e) => { const r = e.getBoundingClientRect(); return r.width > 8 && r.height > 8 && getComputedStyle(e).visibility !== "hidden"; };
  const main = document.querySelector("[data-testid=stMain]"), head = document.querySelector(".st-key-page_head");
  const inside = below(main).filter((e) => !head?.contains(e) && isSeen(e));
  // What a person reads, looks at or presses: text of its own, a picture, a control.
  const says = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || ["IMG", "CANVAS", "INPUT", "svg"].includes(e.tagName);
  const content = inside.filter((e) => says(e) && e.getBoundingClientRect().bottom > (head?.getBoundingClientRect().bottom ?? 0) - 1);
  const pictures = inside.filter((e) => (e.tagName === "CANVAS" || e.tagName === "IMG" || e.classList?.contains("js-plotly-plot") || e.classList?.contains("stage")) && e.clientWidth * e.clientHeight > 60000);
  const play = inside.find((e) => /^(Play|Pause)/.test(e.getAttribute("aria-label") ?? ""));
  const field = inside.map((e) => e.shadowRoot?.field).find(Boolean);
  let spread = null;
  if (field) {
    const frame = field.frame(), x = [], y = [];
    for (let step = 0; step < field.t.length; step++) {
      const places = Array.from({ length: field.n }, (_, i) => field.place(i, frame, { step, next: step, share: 0 }));
      const reach = (k, length) => { const all = places.map((p) => p[k]).sort((a, b) => a - b), cut = Math.floor(all.length / 100); return (all.at(-1 - cut) - all[cut]) / length; };
      x.push(reach(0, field.width)), y.push(reach(1, field.height));
    }
    spread = [Math.max(...x), Math.max(...y)];
  }
  return {
    start: content.length ? Math.min(...content.map((e) => box(e)[0])) : null,
    picture: pictures.length ? box(pictures.reduce((a, b) => (b.getBoundingClientRect().top < a.getBoundingClientRect().top - 1 ? b : a))) : null,
    play: play ? box(play) : null, spread, tall: main.scrollHeight, scroll: Math.round(main.scrollTop), wide: main.scrollWidth - main.clientWidth,
  };
}
