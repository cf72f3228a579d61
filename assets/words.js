// Entries of the glossary: a link to #word-WELL opens a small card beside it. Mounted once per page by pages/ui/words.py.

const LOOK = `position: fixed; margin: 0; inset: auto; max-width: min(22rem, calc(100vw - 2rem)); padding: 0.7rem 0.9rem; border-radius: 0.5rem;
  font: 400 0.95rem/1.4 var(--st-font, sans-serif); color: var(--st-text-color, #222); background: var(--st-background-color, #fff);
  border: 1px solid var(--st-border-color, #ddd); box-shadow: 0 4px 18px rgba(0, 0, 0, 0.18);`;

/** The entry as nodes: *words* stand slanted, everything else as it is. */
function nodesOf(text) {
  return text.split(/\*([^*]+)\*/).map((part, i) => (i % 2 ? Object.assign(document.createElement("em"), { textContent: part }) : part));
}

export default function ({ data, parentElement }) {
  parentElement.words?.abort(); // the same part is drawn again with the page
  const ends = (parentElement.words = new AbortController());
  const card = parentElement.querySelector("[popover]") ?? parentElement.appendChild(document.createElement("div"));
  Object.assign(card, { popover: "auto", role: "dialog" });
  card.style.cssText = LOOK;

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href*="#word-"]'), word = link?.hash.slice("#word-".length);
    if (!data.entries[word]) return;
    event.preventDefault();
    event.stopPropagation();
    const name = Object.assign(document.createElement("b"), { textContent: word });
    const more = Object.assign(document.createElement("a"), { href: data.learn, textContent: "All words, in Learn" });
    more.style.cssText = "display: block; margin-top: 0.4rem; color: var(--st-link-color, inherit);";
    card.replaceChildren(name, ": ", ...nodesOf(data.entries[word]), more);
    card.ariaLabel = `What ${word} means`;
    card.showPopover();
    const at = link.getBoundingClientRect(), { width, height } = card.getBoundingClientRect();
    const below = at.bottom + 6 + height < innerHeight;
    card.style.left = `${Math.max(16, Math.min(at.left, innerWidth - width - 16))}px`;
    card.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - 6 - height)}px`;
    more.focus({ preventScroll: true });
    card.ontoggle = ({ newState }) => {
      const isLost = document.activeElement === document.body || card.contains(card.getRootNode().activeElement);
      if (newState === "closed" && isLost) link.focus({ preventScroll: true });
    };
  }, { capture: true, signal: ends.signal });
  return () => ends.abort();
}
