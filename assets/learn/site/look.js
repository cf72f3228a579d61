// Before anything is drawn: the look that the address wants (theme=light or dark, large=1, bare=1), and addresses of the app, whose
// ?lesson=well is well.html here.
(() => {
  const wanted = new URLSearchParams(location.search), { dataset } = document.documentElement, { page, lessons } = document.currentScript.dataset;
  const lesson = wanted.get("lesson");
  if (lesson !== page && lessons.split(" ").includes(lesson)) location.replace(`${lesson}.html${location.search}`);
  if (["light", "dark"].includes(wanted.get("theme"))) dataset.theme = wanted.get("theme");
  if (wanted.get("large") === "1") dataset.large = "";
  if (wanted.get("bare") === "1") dataset.bare = "";
})();
