// The particle field, part 3 of 5: what points are compared with: lines, bands, and around the origin circles, the well's disc, the noise's ring.

const AROUND = { circle: true, disc: true, ring: true, scale: true };
const LABEL_AT = [60, 120, 90, 45, 135, 30, 150, 300, 240, 270]; // degrees at which a circle may carry its label, the best first

/** Guides within an area of width x height that shows `frame` at a moment `at`: below the points, or their labels above them. */
function drawGuides(pen, guides, frame, width, height, theme, wantsLabels, at) {
  const x = (value) => ((value - frame.x0) / (frame.x1 - frame.x0)) * width;
  const y = (value) => height - ((value - frame.y0) / (frame.y1 - frame.y0)) * height;
  const look = { css: theme.reference, width: 1.6, dash: [6, 5] };
  const words = { css: theme.ink, ground: theme.ground, alpha: 0.85 };
  for (const guide of guides) {
    const { kind, values, label: text } = guide;
    if (AROUND[kind]) {
      const radius = values.length > 1 ? values[at.step] + (values[at.next] - values[at.step]) * at.share : values[0];
      if (wantsLabels) labelCircle(pen, kind, text, radius, x, y, width, height, theme, words);
      else drawCircle(pen, kind, text, [x(0), y(0), x(radius) - x(0), y(0) - y(radius)], theme);
    } else if (kind === "x") {
      if (!wantsLabels) line(pen, x(values[0]), 0, x(values[0]), height, look);
      else if (x(values[0]) > 0 && x(values[0]) < width) {
        const isLeft = x(values[0]) > width * 0.6;
        label(pen, text, x(values[0]) + (isLeft ? -7 : 7), theme.type, { ...words, align: isLeft ? "right" : "left" });
      }
    } else {
      const top = y(Math.max(...values));
      if (wantsLabels) {
        if (top > -2 && top < height) label(pen, text, width - 8, top + (top < theme.type * 1.6 ? 1 : -1) * theme.type * 0.75, { ...words, align: "right" });
        continue;
      }
      if (kind === "band_y") {
        Object.assign(pen, { fillStyle: theme.reference, globalAlpha: 0.13 });
        pen.fillRect(0, top, width, y(Math.min(...values)) - top);
      }
      for (const value of values) line(pen, 0, y(value), width, y(value), kind === "y" ? look : { ...look, alpha: 0.7, width: 1, dash: [] });
    }
  }
}

/** A disc is filled and has a firm rim; a ring is dashed; a scale is a faint line; of circles only a named one is a line to read off. */
function drawCircle(pen, kind, text, [cx, cy, rx, ry], theme) {
  pen.beginPath();
  pen.ellipse(cx, cy, Math.max(0, rx), Math.max(0, ry), 0, 0, 2 * Math.PI);
  if (kind === "disc") {
    Object.assign(pen, { fillStyle: theme.normal, globalAlpha: 0.13 });
    pen.fill();
    Object.assign(pen, { strokeStyle: theme.normal, lineWidth: 2.2, globalAlpha: 0.95 });
    return pen.stroke();
  }
  const isNamed = Boolean(text);
  const looks = { ring: [theme.ink, 1.6, 0.75, [7, 5]], scale: [theme.ink, 1, 0.14, []], circle: [theme.reference, isNamed ? 1.6 : 1, isNamed ? 1 : 0.6, isNamed ? [6, 5] : [2, 3]] };
  const [strokeStyle, lineWidth, globalAlpha, dash] = looks[kind];
  Object.assign(pen, { strokeStyle, lineWidth, globalAlpha });
  pen.setLineDash(dash);
  pen.stroke();
  return pen.setLineDash([]);
}

/** The name of a circle on its line, where that lies well inside the view; that of the disc at its centre, where there are fewest points. */
function labelCircle(pen, kind, text, radius, x, y, width, height, theme, words) {
  if (!text) return;
  pen.font = `${kind === "scale" ? 400 : 500} ${theme.type * (kind === "scale" ? 0.92 : 1)}px ${theme.font}`;
  const room = pen.measureText(text).width / 2 + 4, isInside = (px, py) => px > room && px < width - room && py > theme.type && py < height - theme.type;
  const on = (degrees) => [x(radius * Math.cos((degrees * Math.PI) / 180)), y(radius * Math.sin((degrees * Math.PI) / 180))];
  if (kind === "disc" && isInside(x(0), y(0)) && y(0) < height - 3 * theme.type) label(pen, text, x(0), y(0), { ...words, align: "center" });
  else {
    const angles = kind === "ring" ? [270, ...LABEL_AT.toReversed()] : kind === "disc" ? [105, ...LABEL_AT] : LABEL_AT;
    const place = angles.map(on).find(([px, py]) => isInside(px, py));
    if (place) label(pen, text, ...place, { ...words, align: "center", alpha: kind === "scale" ? 0.7 : 0.9 });
  }
  pen.font = `${theme.type}px ${theme.font}`;
}
