// The particle field, part 2 of 5: axes with their guides, and the small charts over t. All on 2-D canvases, in CSS pixels.

/** Round numbers within [low, high], about `wanted` of them, and how to write them. */
function ticks(low, high, wanted) {
  const raw = (high - low) / Math.max(1, wanted), power = 10 ** Math.floor(Math.log10(raw));
  const step = power * (raw / power < 1.5 ? 1 : raw / power < 3.5 ? 2 : raw / power < 7.5 ? 5 : 10);
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) values.push(k * step);
  const digits = Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const isLong = Math.max(Math.abs(low), Math.abs(high)) >= 1e5 || step < 1e-4;
  return { values, write: (value) => (isLong ? value.toExponential(1) : (Math.abs(value) < step / 1e6 ? 0 : value).toFixed(digits)).replace("-", "−") };
}

/** A number for people: four significant digits. */
function toWords(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return (size && (size >= 1e5 || size < 1e-3) ? value.toExponential(2) : String(Number(value.toPrecision(4)))).replace("-", "−");
}

/** A pen on a cleared canvas of width x height CSS pixels, with the theme's type. */
function penFor(canvas, width, height, theme) {
  const size = { width, height, ratio: theme.ratio };
  fitCanvas(canvas, size);
  const pen = canvas.getContext("2d");
  pen.setTransform(theme.ratio, 0, 0, theme.ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = `${theme.type}px ${theme.font}`;
  pen.textBaseline = "middle";
  return pen;
}

function line(pen, x0, y0, x1, y1, { css, alpha = 1, width = 1, dash = [] }) {
  pen.globalAlpha = alpha;
  pen.strokeStyle = css;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
  pen.setLineDash([]);
}

/** Text that stays readable over points: it stands on a soft copy of itself in the ground's colour. */
function label(pen, text, x, y, { css, ground, align = "left", alpha = 1, halo = true }) {
  pen.textAlign = align;
  pen.globalAlpha = 0.85;
  if (halo) {
    pen.strokeStyle = ground;
    pen.lineWidth = 5;
    pen.lineJoin = "round";
    pen.strokeText(text, x, y);
  }
  pen.globalAlpha = alpha;
  pen.fillStyle = css;
  pen.fillText(text, x, y);
  pen.globalAlpha = 1;
}

const crisp = (value) => Math.round(value) + 0.5; // a line of one pixel covers one row of pixels

/** Grid, ticks and titles around the plot area `box` {left, top, width, height} that shows `frame` of data; where circles are read off, titles alone. */
function drawAxes(pen, box, frame, { titles, ticks: hasTicks }, theme) {
  const right = box.left + box.width, bottom = box.top + box.height;
  const x = (value) => box.left + ((value - frame.x0) / (frame.x1 - frame.x0)) * box.width;
  const y = (value) => bottom - ((value - frame.y0) / (frame.y1 - frame.y0)) * box.height;
  const faint = { css: theme.ink, alpha: 0.09 }, edge = { css: theme.ink, alpha: 0.28 }, quiet = { css: theme.ink, alpha: 0.72, halo: false };
  const across = ticks(frame.x0, frame.x1, box.width / 110), up = ticks(frame.y0, frame.y1, box.height / 75);
  for (const value of hasTicks ? across.values : []) {
    line(pen, crisp(x(value)), box.top, crisp(x(value)), bottom, faint);
    label(pen, across.write(value), x(value), bottom + theme.type, { ...quiet, align: "center" });
  }
  for (const value of hasTicks ? up.values : []) {
    line(pen, box.left, crisp(y(value)), right, crisp(y(value)), faint);
    label(pen, up.write(value), box.left - 8, y(value), { ...quiet, align: "right" });
  }
  if (hasTicks) {
    line(pen, crisp(box.left), box.top, crisp(box.left), bottom, edge);
    line(pen, box.left, crisp(bottom), right, crisp(bottom), edge);
  }
  pen.font = `500 ${theme.type * 1.06}px ${theme.font}`;
  label(pen, titles[0], box.left + box.width / 2, bottom + theme.type * (hasTicks ? 2.5 : 1.1), { css: theme.ink, align: "center", halo: false });
  pen.save();
  pen.translate(theme.type * 0.75, box.top + box.height / 2);
  pen.rotate(-Math.PI / 2);
  label(pen, titles[1], 0, 0, { css: theme.ink, align: "center", halo: false });
  pen.restore();
}

const CHART_LEFT = 50; // room for the numbers on a chart's y axis; the same in all, so that their times stand below each other

/** One chart: bands and medians of the groups shown, references, and one particle's own line where `own` is {values, css}. */
function drawChart(pen, chart, t, width, height, groups, own, isLast, theme) {
  const box = { left: CHART_LEFT, top: 5, width: width - CHART_LEFT - 9, height: height - 5 - (isLast ? theme.type * 2.9 : theme.type * 0.7) };
  const bottom = box.top + box.height, [low, high] = chart.y, span = t[t.length - 1] - t[0] || 1;
  const x = (time) => box.left + ((time - t[0]) / span) * box.width;
  const y = (value) => bottom - ((value - low) / (high - low)) * box.height;
  const quiet = { css: theme.ink, alpha: 0.72, halo: false };
  const up = ticks(low, high, Math.max(1.4, box.height / 34));
  for (const value of up.values) {
    line(pen, box.left, crisp(y(value)), box.left + box.width, crisp(y(value)), { css: theme.ink, alpha: 0.09 });
    label(pen, up.write(value), box.left - 7, y(value), { ...quiet, align: "right" });
  }
  line(pen, box.left, crisp(bottom), box.left + box.width, crisp(bottom), { css: theme.ink, alpha: 0.28 });
  for (const time of isLast ? ticks(t[0], t[t.length - 1], 2).values : []) {
    label(pen, toWords(time), x(time), bottom + theme.type * 0.85, { ...quiet, align: "center" });
  }
  if (isLast) label(pen, theme.time_title, box.left + box.width / 2, bottom + theme.type * 2.1, { ...quiet, align: "center" });
  pen.save();
  pen.beginPath();
  pen.rect(box.left, box.top, box.width, box.height);
  pen.clip();
  const trace = (values, isBack) => {
    for (let k = 0; k < t.length; k++) {
      const i = isBack ? t.length - 1 - k : k;
      if (k || isBack) pen.lineTo(x(t[i]), y(values[i]));
      else pen.moveTo(x(t[i]), y(values[i]));
    }
  };
  const shown = groups.filter(({ band }) => band);
  const stroke = (values, css, thickness) => {
    Object.assign(pen, { strokeStyle: css, lineWidth: thickness, lineJoin: "round", globalAlpha: 1 });
    pen.beginPath();
    trace(values, false);
    pen.stroke();
  };
  for (const { band: [below, , above], css } of shown) {
    Object.assign(pen, { fillStyle: css, globalAlpha: own ? 0.09 : shown.length > 4 ? 0.11 : 0.17 });
    pen.beginPath();
    trace(below, false);
    trace(above, true);
    pen.fill();
  }
  for (const [, value] of chart.references) line(pen, box.left, y(value), box.left + box.width, y(value), { css: theme.reference, width: 1.4, dash: [5, 4] });
  for (const { band, css } of shown) stroke(band[1], css, own ? 1.3 : 2.2);
  for (const [text, value] of chart.references) {
    if (text) label(pen, text, box.left + box.width - 5, y(value) + (y(value) < theme.type * 1.5 ? 1 : -1) * theme.type * 0.7, { css: theme.ink, ground: theme.ground, alpha: 0.78, align: "right" });
  }
  if (own) {
    stroke(own.values, theme.ground, 5);
    stroke(own.values, own.css, 2.6);
  }
  pen.restore();
}
