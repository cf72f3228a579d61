// Lessons, a part of the kernel: words beside the heading of a panel, where they cover nothing.

/** Words at the right end of the heading's line, [text, colour] each from left to right; smaller where the heading leaves little room, else rows in the plot. */
function writeAside(panel, words) {
  const { stage: { words: written, type }, left, top, width } = panel;
  for (const share of [1, 0.85, 0.7]) {
    let right = left + width;
    const placed = [...words].reverse().map(([text, colour]) => {
      const fitted = written.fit(text, width, { size: type * share, isBold: true }), box = written.boxOf(fitted, right, top - type * 0.95, "right");
      right = box[0] - 0.8 * fitted.size;
      return { fitted, box, colour };
    });
    if (!placed.every(({ box }) => box[0] >= left && written.isFree(box))) continue;
    for (const { fitted, box, colour } of placed) written.write(fitted, box, "right", { colour });
    return;
  }
  words.forEach(([text, colour], k) => written.label(text, left + width, top, panel.inner, { dx: -6, dy: type * (0.6 + k), align: "right", size: 0.75, isBold: true, colour }));
}
