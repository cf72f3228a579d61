// The particle field, part 4 of 5: what stands beside the view: t with the numbers that move with it, one image shown large, and arrows at
// the edge of the view for the points that lie outside it.

// In motion a share keeps to whole percents: decimals would flicker.
const SHARE_OF = { share: (value) => (value > 0 && value < 0.005 ? "under 1" : value < 1 && value >= 0.995 ? "over 99" : String(Math.round(100 * value))) + "\u00a0%",
  times: (value) => `${value.toFixed(2)}\u00a0×` };

/** The large numbers beside the clock, in a node that they share with it. */
class Readings {
  constructor(node) {
    Object.assign(this, { node, items: [], portrait: null });
  }

  /** clock: the node that writes t, which moves here if there is anything to stand beside. */
  load(title, readings, picture, clock, home) {
    this.items = readings.map((reading) => ({ ...reading, output: make("output", { style: { color: reading.colour } }) }));
    this.portrait = picture && make("figure", { className: "portrait" }, make("img", { src: picture, alt: "The image that these positions lie in", draggable: false }));
    this.marks = [];
    this.node.hidden = !readings.length && !picture;
    this.node.replaceChildren();
    if (readings.length) {
      const lines = this.items.map(({ output, label: text }) => make("p", {}, output, make("small", { textContent: text })));
      this.node.append(clock, make("div", { className: "counts" }, make("b", { textContent: title }), ...lines));
    } else home.after(clock);
    if (this.portrait) this.node.append(this.portrait);
  }

  follow({ step, next, share }) {
    for (const { output, values, kind } of this.items) output.textContent = SHARE_OF[kind](values[step] + (values[next] - values[step]) * share);
  }

  /** Frame these particles in the large image. */
  mark(members, pictures, of) {
    if (!this.portrait) return;
    this.marks.forEach((node) => node.remove());
    this.marks = members.filter((i) => pictures.of[i] === of).map((i) => {
      const [x, y] = pictures.place.subarray(2 * i, 2 * i + 2), [width, height] = pictures.size, share = (value) => `${100 * value}%`;
      return make("i", { style: { left: share(x - width / 2), top: share(y - height / 2), width: share(width), height: share(height) } });
    });
    this.portrait.append(...this.marks);
  }
}

/** Particles of a view that leave its axes at some time: only these are looked at in every frame. */
function leaversOf({ points, x: [x0, x1], y: [y0, y1] }, n) {
  const found = new Set();
  for (let k = 0; k < points.length; k += 2) if (points[k] < x0 || points[k] > x1 || points[k + 1] < y0 || points[k + 1] > y1) found.add((k / 2) % n);
  return [...found];
}

const ARROW_PX = 7;

/** A small arrow at the edge of an area of width x height, toward a point outside it; nothing for one inside. */
function drawArrow(pen, x, y, width, height, css, ground) {
  const [px, py] = [clamp(x, 0, width), clamp(y, 0, height)];
  if (px === x && py === y) return;
  const angle = Math.atan2(y - py, x - px);
  pen.save();
  pen.translate(px, py);
  pen.rotate(angle);
  pen.beginPath();
  pen.moveTo(-1, 0);
  pen.lineTo(-1 - ARROW_PX, -ARROW_PX * 0.6);
  pen.lineTo(-1 - ARROW_PX, ARROW_PX * 0.6);
  pen.closePath();
  Object.assign(pen, { fillStyle: css, strokeStyle: ground, lineWidth: 1, globalAlpha: 1 });
  pen.stroke();
  pen.fill();
  pen.restore();
}
