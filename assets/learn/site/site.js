// The site's page of a lesson, 2 of 2: it reads the address, takes the stored scene or makes that of drawn points, mounts the picture, and keeps
// in the address what a person sets. No server: scenes are scripts, because a page opened from a disk may load nothing else.

const CODE = /^[A-Za-z0-9][A-Za-z0-9-]{0,19}$/; // of a class
const byId = (id) => document.getElementById(id);
const facts = JSON.parse(byId("facts")?.textContent ?? "null"); // of the lesson; null on pages without a picture
const stored = {}, loading = {}; // scene by name, and what waits for it
let newest = 0, shown = null; // the latest wish, and what is shown: { text of drawn points, encoded scene }
const address = new URLSearchParams(location.search);

window.lessonScene = (name, scene) => { stored[name] = scene; };

const query = () => new URLSearchParams(address);

/** Change the address in place, where the browser lets a page do so: some refuse it to one that lies on a disk, and it goes on without. Nothing and "" remove a name. */
function put(changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (value) address.set(name, value);
    else address.delete(name);
  }
  try {
    history.replaceState(null, "", `${address.size ? `?${address}` : location.pathname}${location.hash}`);
  } catch (error) {
    if (error.name !== "SecurityError") throw error;
  }
  followAddress();
}

/** Links keep the look; the snippet shows what the picture shows. */
function followAddress() {
  const now = query(), look = new URLSearchParams();
  for (const name of ["theme", "large", "class"]) if (now.has(name)) look.set(name, now.get(name));
  for (const link of document.querySelectorAll("a[data-keep]")) link.search = `${look}`;
  const { theme, large } = document.documentElement.dataset, isDark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  byId("theme")?.setAttribute("aria-checked", String(isDark));
  byId("large")?.setAttribute("aria-checked", String(large !== undefined));
  sayClass(now.get("class") ?? "");
  if (!facts) return;
  const whole = new URLSearchParams(now);
  whole.delete("bare");
  byId("whole").search = `${whole}`;
  whole.set("lesson", facts.name);
  whole.set("bare", "1");
  const address = `${location.href.replace(/[?#].*$/s, "")}?${whole}`;
  byId("snippet").value = `<iframe src="${address.replace(/&/g, "&amp;")}" title="${facts.title}" width="960" height="600" style="border:0" loading="lazy"></iframe>`;
}

/** The stored scene of that name: its script is loaded once. */
function loadScene(name) {
  return (loading[name] ??= new Promise((resolve, reject) => {
    const script = make("script", { src: `scenes/${name}.js` });
    script.onload = () => resolve(stored[name]);
    script.onerror = () => reject(new Error(`The file scenes/${name}.js is missing. Write the site again, or copy all of its folder.`));
    document.head.append(script);
  }));
}

/** What the address wants to see, as far as it can be had, and a sentence where it cannot. */
function wish() {
  const now = query(), wanted = now.get("data"), text = facts.own ? now.get("points") ?? "" : "", asked = Math.max(0, Math.trunc(toNumber(now.get("seed") ?? "0")) || 0);
  const points = wanted === facts.own && text ? readPoints(text) : null, seed = asked < facts.nSamples ? asked : 0, said = [];
  if (seed !== asked) said.push(`Sample ${asked} is not stored here, only 0 to ${facts.nSamples - 1}: this is sample 0. The app has them all.`);
  if (wanted === "drawn" && facts.data.length && !points) said.push(text ? "The drawn points in the address cannot be read. Draw them again." : "There are no drawn points in the address.");
  const data = points ? facts.own : facts.data.includes(wanted) ? wanted : facts.data[0] ?? "";
  return { data, seed, points, text: points ? text : "", hasText: Boolean(text), said };
}

/** Show what the address wants. */
async function show() {
  const mine = ++newest, wanted = wish(), { data, seed, points, text } = wanted, name = [facts.name, data, seed].filter((part) => part !== "").join("-");
  let scene;
  try {
    scene = await loadScene(name);
  } catch (error) {
    return say([error.message]);
  }
  if (mine !== newest) return;
  const made = points ? LESSON[facts.name].sceneOf(points, decodeScene(scene.data)) : scene.data;
  shown = { text, encoded: { data: made, fingerprint: `${name} ${text}` } };
  mount();
  say(wanted.said);
  showWish(wanted);
  showPythonChecks(scene.checks, Boolean(points));
}

const startSettings = facts && readSettings(facts.controls, query().get("set"));

/** Mount the picture, or draw it again: colours and size may have changed. */
function mount() {
  if (!shown) return;
  mountLesson({
    parentElement: byId("lesson"),
    data: { ...shown.encoded, name: facts.name, controls: facts.controls, settings: startSettings, told: 1, points: shown.text, alt: `Picture of the lesson: ${facts.title}`, height: "var(--picture)", least: document.documentElement.dataset.large === undefined ? "17rem" : "58vh" },
    setStateValue: (_, state) => keep(state),
  });
}

/** Keep in the address what was set in the picture; points that were drawn are a scene of their own. */
function keep({ settings, points }) {
  const changes = { lesson: facts.name, set: settingsText(facts.controls, settings) }, isDrawn = facts.own && points !== shown.text;
  put(isDrawn ? { ...changes, data: points ? facts.own : facts.data[0], points } : changes);
  if (isDrawn) show();
}

/** The questions below the text; the picture glides to what an answer shows. */
function ask() {
  const asked = JSON.parse(byId("asked").textContent), code = query().get("class") ?? "";
  mountPredictions({
    parentElement: byId("predictions"),
    data: { ...asked, code: CODE.test(code) ? code : "" },
    setTriggerValue: (_, look) => {
      const view = byId("lesson")?.lesson;
      if (!view?.values) return;
      const settings = { ...view.values, ...look };
      view.follow(settings);
      view.redraw();
      keep({ settings, points: shown.text });
      byId("lesson").scrollIntoView({ block: "nearest" });
    },
  });
}

/** On the page for teachers: the address that a class opens. */
function sayClass(code) {
  const field = byId("class");
  if (!field) return;
  const home = new URL("index.html", location.href);
  home.search = `?class=${code}`;
  byId("class-link").textContent = !code ? "" : CODE.test(code) ? `Send this address: ${home}` : "Use letters, digits and hyphens, a letter or digit first.";
  if (document.activeElement !== field) field.value = code;
}

// ---- around the picture -----------------------------------------------------------------------------------------------

function say(sentences) {
  byId("told").replaceChildren(...sentences.map((sentence) => make("p", { textContent: sentence })));
}

function showWish({ data, seed, hasText }) {
  byId("sample").textContent = `Sample ${seed} ↻`;
  byId("sample").setAttribute("aria-label", `Sample ${seed} of ${facts.nSamples}, take the next`);
  const select = byId("data");
  if (!select) return;
  select.querySelector("[data-own]").hidden = !hasText;
  select.value = data;
}

/** The numbers that Python compared when the site was written, folded to one line. */
function showPythonChecks(checks, isDrawn) {
  const agree = checks.filter(({ holds }) => holds).length;
  byId("checked").textContent = isDrawn ? "Checked by Python: not for drawn points" : `Checked by Python: ${agree} of ${checks.length}`;
  byId("checks").replaceChildren(...checks.map(({ label, words, source, holds }) => make("li", { dataset: { holds } },
    make("b", { textContent: `${holds ? "✓" : "✗"} ${label}` }), make("span", { textContent: words }), make("small", { textContent: source }))));
}

function listen() {
  byId("theme")?.addEventListener("click", (event) => {
    const theme = event.currentTarget.getAttribute("aria-checked") === "true" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    put({ theme });
    mount();
  });
  byId("large")?.addEventListener("click", () => {
    const isLarge = document.documentElement.toggleAttribute("data-large");
    put({ large: isLarge ? "1" : "" });
    mount();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { followAddress(); mount(); });
  for (const button of document.querySelectorAll("[data-opens]")) button.addEventListener("click", () => byId(button.dataset.opens).showModal());
  byId("class")?.addEventListener("input", (event) => {
    put({ class: CODE.test(event.target.value) ? event.target.value : "" });
    sayClass(event.target.value);
  });
  if (!facts) return;
  byId("data")?.addEventListener("change", (event) => { put({ data: event.target.value }); show(); });
  byId("sample").addEventListener("click", () => { put({ seed: String((wish().seed + 1) % facts.nSamples) }); show(); });
  byId("copy").addEventListener("click", async () => {
    byId("snippet").select();
    await (navigator.clipboard?.writeText(byId("snippet").value) ?? Promise.reject()).catch(() => document.execCommand("copy"));
    byId("copied").textContent = "Copied";
  });
}

listen();
followAddress();
if (byId("asked")) ask();
if (facts) show();
