// "Follow this defect", part 3 of 4: the path in the disc, its distance over time, and the run's AUROC over time.

const DOT_PX = 1.9; // a normal among three hundred
const PIECES = 60; // a path is drawn in so many pieces

/** Dots, trails and the disc of the normals. others: paths to draw, each {distance(t), angle, css, isMain}. */
function drawDisc(pen, width, height, { normals, angles, well, times: fine, rim: [outer, scale], now }, others, theme) {
  const radius = Math.min(width, height) / 2 - 6, unit = radius / Math.max(outer, 1.25), [cx, cy] = [width / 2, height / 2];
  const place = (distance, time, angle) => {
    const r = unit * drawnIn(distance / Math.max(1e-9, between(fine, well, time)), scale);
    return [cx + r * Math.cos(angle), cy - r * Math.sin(angle)];
  };
  const circle = (r, look) => {
    Object.assign(pen, { globalAlpha: 1, ...look });
    pen.beginPath();
    pen.arc(cx, cy, r, 0, 7);
  };
  circle(unit, { fillStyle: theme.normal, globalAlpha: 0.13 });
  pen.fill();
  circle(unit, { strokeStyle: theme.normal, lineWidth: 2 });
  pen.stroke();
  if (outer > 1.3) {
    circle(unit * outer, { strokeStyle: theme.reference, lineWidth: 1, globalAlpha: 0.6 });
    pen.setLineDash([2, 4]);
    pen.stroke();
    pen.setLineDash([]);
  }
  for (const [dx, dy] of [[4, 0], [0, 4]]) line(pen, cx - dx, cy - dy, cx + dx, cy + dy, { css: theme.ink, alpha: 0.5 });
  const at = moment(normals.t, now);
  Object.assign(pen, { fillStyle: theme.reference, globalAlpha: 0.8 });
  for (let i = 0; i < normals.n; i++) {
    const [x, y] = place(Math.sqrt(normals.square(i, at)), now, angles[i]);
    pen.beginPath();
    pen.arc(x, y, DOT_PX, 0, 7);
    pen.fill();
  }
  label(pen, "99 % of normal positions", cx, cy + unit + theme.type * 0.95, { css: theme.ink, ground: theme.ground, align: "center", alpha: 0.85 });
  if (outer > 1.3) label(pen, "beyond it: log scale", cx, cy + unit * outer - theme.type * 0.8, { css: theme.ink, ground: theme.ground, align: "center", alpha: 0.7 });
  for (const path of others) drawWay(pen, place, path, now, theme);
}

/** A path from its start (hollow) to where it is now (filled): a round dot, or a square one for what it is compared with. */
function drawWay(pen, place, { distance, angle, css, isMain }, now, theme) {
  const stops = Array.from({ length: PIECES + 1 }, (_, k) => place(distance((now * k) / PIECES), (now * k) / PIECES, angle));
  for (const [ink, thickness] of [[theme.ground, isMain ? 7 : 5], [css, isMain ? 3.4 : 2.2]]) {
    Object.assign(pen, { strokeStyle: ink, lineWidth: thickness, lineCap: "round", lineJoin: "round", globalAlpha: 1 });
    pen.setLineDash(isMain || ink === theme.ground ? [] : [5, 4]);
    pen.beginPath();
    stops.forEach((stop) => pen.lineTo(...stop));
    pen.stroke();
  }
  pen.setLineDash([]);
  drawHead(pen, stops[0], 3.2, css, theme.ground, isMain, true);
  drawHead(pen, stops.at(-1), isMain ? 7.5 : 5.5, css, theme.ground, isMain, false);
}

function drawHead(pen, [x, y], size, css, ground, isRound, isHollow) {
  pen.beginPath();
  if (isRound) pen.arc(x, y, size, 0, 7);
  else pen.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
  Object.assign(pen, { fillStyle: isHollow ? ground : css, strokeStyle: isHollow ? css : ground, lineWidth: 2, globalAlpha: 1 });
  pen.fill();
  pen.stroke();
}

/** Plot area of a small chart with numbers at its left and below. */
const chartBox = (width, height, type) => ({ left: type * 3.1, top: type * 0.7, width: width - type * 3.1 - 10, height: height - type * 0.7 - type * 1.7 });

/** Distance over time against the band of the normals. */
function drawDistance(pen, width, height, { well, median, times: fine, steps, now }, others, theme) {
  const box = chartBox(width, height, theme.type), bottom = box.top + box.height;
  const curve = (distance) => Array.from({ length: PIECES + 1 }, (_, k) => distance(k / PIECES));
  const curves = others.map((path) => ({ ...path, values: curve(path.distance) }));
  const high = 1.06 * Math.max(...well, ...curves.flatMap(({ values }) => values));
  const x = (t) => box.left + t * box.width, y = (value) => bottom - (value / high) * box.height;
  const quiet = { css: theme.ink, alpha: 0.75, halo: false };
  for (const value of ticks(0, high, Math.max(2, box.height / 45)).values) {
    line(pen, box.left, crisp(y(value)), box.left + box.width, crisp(y(value)), { css: theme.ink, alpha: 0.08 });
    label(pen, toWords(value), box.left - 6, y(value), { ...quiet, align: "right" });
  }
  for (const t of steps) line(pen, crisp(x(t)), bottom, crisp(x(t)), bottom + 4, { css: theme.ink, alpha: 0.5 });
  label(pen, "0", x(0), bottom + theme.type, { ...quiet, align: "center" });
  label(pen, "1", x(1), bottom + theme.type, { ...quiet, align: "center" });
  label(pen, "t", x(0.5), bottom + theme.type, { ...quiet, align: "center" });
  const trace = (times_, values) => times_.forEach((t, k) => pen.lineTo(x(t), y(values[k])));
  Object.assign(pen, { fillStyle: theme.normal, globalAlpha: 0.14 });
  pen.beginPath();
  trace(fine, well);
  pen.lineTo(x(1), bottom);
  pen.lineTo(x(0), bottom);
  pen.fill();
  for (const [values, thickness, alpha, dash] of [[well, 2, 1, []], [median, 1.2, 0.75, [4, 3]]]) {
    Object.assign(pen, { strokeStyle: theme.normal, lineWidth: thickness, globalAlpha: alpha });
    pen.setLineDash(dash);
    pen.beginPath();
    trace(fine, values);
    pen.stroke();
  }
  pen.setLineDash([]);
  label(pen, "99 % of normal positions", x(0) + 6, bottom - theme.type * 0.8, { css: theme.ink, ground: theme.ground, alpha: 0.85, halo: false });
  for (const { values, css, isMain } of curves) {
    for (const [until, alpha] of [[1, 0.28], [now, 1]]) {
      const last = Math.max(1, Math.round(until * PIECES));
      Object.assign(pen, { strokeStyle: css, lineWidth: isMain ? 3.2 : 2.2, globalAlpha: alpha, lineJoin: "round" });
      pen.setLineDash(isMain ? [] : [5, 4]);
      pen.beginPath();
      for (let k = 0; k <= last; k++) pen.lineTo(x(Math.min(until, k / PIECES)), y(values[k]));
      pen.stroke();
    }
    pen.setLineDash([]);
  }
  line(pen, x(now), box.top, x(now), bottom, { css: theme.time, width: 2 });
  for (const { distance, css, isMain } of others) drawHead(pen, [x(now), y(distance(now))], isMain ? 6 : 5, css, theme.ground, isMain, false);
}

/** AUROC of the run after each step: dots, the one that was reached last filled. */
function drawAuroc(pen, width, height, { values, steps, now }, theme) {
  const box = { left: theme.type * 1.6, top: 7, width: width - theme.type * 1.6 - 7, height: height - 14 }, known = values.filter((value) => value !== null);
  if (!known.length) return;
  const low = Math.min(0.5, ...known), reached = steps.findLastIndex((t) => t <= now + 1e-6);
  const x = (t) => box.left + t * box.width, y = (value) => box.top + box.height - ((value - low) / (1 - low)) * box.height;
  for (const value of box.height > 1.8 * theme.type ? [low, 1] : []) label(pen, trimmed(value, 2), box.left - 5, y(value), { css: theme.ink, alpha: 0.7, align: "right", halo: false });
  for (const value of [low, 1]) line(pen, box.left, crisp(y(value)), box.left + box.width, crisp(y(value)), { css: theme.ink, alpha: 0.16 });
  Object.assign(pen, { strokeStyle: theme.ink, lineWidth: 1.2, globalAlpha: 0.55 });
  pen.beginPath();
  values.forEach((value, k) => value !== null && pen.lineTo(x(steps[k]), y(value)));
  pen.stroke();
  line(pen, x(now), box.top - 3, x(now), box.top + box.height + 3, { css: theme.time, width: 2 });
  values.forEach((value, k) => value !== null && steps.length <= 25 && drawHead(pen, [x(steps[k]), y(value)], k === reached ? 4.5 : 2.6, k === reached ? theme.time : theme.ink, theme.ground, true, false));
}
