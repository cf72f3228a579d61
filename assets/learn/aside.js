// Lessons, a part of the kernel: words beside the heading of a panel, where they cover nothing.

/** Words at the right end of the heading's line, [text, colour] each from left to right; written smaller where the heading leaves little room. */
function writeAside(panel, words) {
  const { stage: { pen, type, font }, left, top, width, heading } = panel;
  const write = (size) => { pen.font = `600 ${size}px ${font}`; };
  pen.save();
  Object.assign(pen, { textAlign: "right", textBaseline: "middle" });
  write(type * 1.1);
  const room = width - pen.measureText(heading).width - type;
  write(type);
  const size = type * clamp(room / words.reduce((sum, [text]) => sum + pen.measureText(text).width + 0.8 * type, 0), 0.6, 1);
  write(size);
  let right = left + width;
  for (const [text, colour] of [...words].reverse()) {
    pen.fillStyle = colour;
    pen.fillText(text, right, top - type * 0.95);
    right -= pen.measureText(text).width + 0.8 * size;
  }
  pen.restore();
}
