// Lesson 2: all lines through one place at one time, and their mean, which is the field. Its checked twin is wtflow/lessons/lines.py.
{
  const SHOWN = 12; // lines in the chart of weights
  const SPACING = 0.4; // of the arrows
  const STEP = 0.05; // of the place, by arrow keys

  LESSON.lines = {
    sceneOf: (points) => ({ atoms: points }),

    create(stage, scene, values, api) {
      const plane = stage.panel({ x: 0, y: 0, w: 0.72, h: 1 }, { x: [-3.4, 3.4], y: [-3.4, 3.4], titles: ["x", "y"], equal: true });
      const chart = stage.panel({ x: 0.72, y: 0, w: 0.28, h: 0.62 }, { x: [0.5, SHOWN + 0.5], y: [0, 1], titles: ["line, from the likeliest", ""], heading: "weights of the lines" });
      const { atoms } = scene, n = atoms.length / 2;
      let hovered = null, isHeld = false;

      /** Per line its noise (x, y), and how likely it is: data are equally likely, so a line is as likely as its noise, exp(-|z|^2 / 2). */
      const linesThrough = (x, y, t) => {
        const noise = new Float64Array(2 * n), weights = new Float64Array(n);
        let least = Infinity, sum = 0;
        for (let i = 0; i < n; i++) {
          const zx = (x - (1 - t) * atoms[2 * i]) / t, zy = (y - (1 - t) * atoms[2 * i + 1]) / t;
          noise[2 * i] = zx;
          noise[2 * i + 1] = zy;
          weights[i] = (zx * zx + zy * zy) / 2;
          least = Math.min(least, weights[i]);
        }
        for (let i = 0; i < n; i++) sum += weights[i] = Math.exp(least - weights[i]);
        for (let i = 0; i < n; i++) weights[i] /= sum;
        return { noise, weights };
      };

      const drawField = (t) => {
        const vectors = [];
        for (let y = Math.ceil(plane.y0 / SPACING) * SPACING; y < plane.y1; y += SPACING) {
          for (let x = Math.ceil(plane.x0 / SPACING) * SPACING; x < plane.x1; x += SPACING) {
            const [vx, vy] = finiteVelocity(x, y, t, atoms), calm = 1 / (1 + Math.hypot(vx, vy) / 2);
            vectors.push(x, y, vx * calm, vy * calm);
          }
        }
        plane.arrows(vectors, C.time, { scale: 0.19, width: 1, alpha: 0.5, head: 4 });
      };

      const drawLines = (x, y, t) => {
        const { noise, weights } = linesThrough(x, y, t), most = Math.max(...weights), alpha = Array.from(weights, (w) => 0.8 * Math.sqrt(w / most));
        const ends = new Float64Array(4 * n), mean = [0, 0, 0, 0];
        for (let i = 0; i < n; i++) {
          const four = [atoms[2 * i], atoms[2 * i + 1], noise[2 * i], noise[2 * i + 1]];
          ends.set(four, 4 * i);
          four.forEach((value, c) => { mean[c] += weights[i] * value; });
        }
        plane.segments(ends, C.reference, 1.2, alpha);
        for (let i = 0; i < n; i++) if (alpha[i] > 0.02) plane.points([noise[2 * i], noise[2 * i + 1]], C.text, 2.6, alpha[i] * 0.9);
        plane.points(atoms, C.normal, 3.2, 0.35);
        for (let i = 0; i < n; i++) if (alpha[i] > 0.02) plane.points([atoms[2 * i], atoms[2 * i + 1]], C.normal, 4, alpha[i]);
        plane.segments(mean, C.time, 3, 1);
        plane.arrows([x, y, mean[2] - mean[0], mean[3] - mean[1]], C.time, { scale: (1 - t), width: 3, alpha: 1, head: 11 });
        plane.marker(mean[0], mean[1], { colour: C.time, radius: 4, shape: "dot" });
        plane.marker(mean[2], mean[3], { colour: C.time, radius: 4, shape: "dot" });
        const [cx, cy] = finiteVelocity(x, y, t, atoms), vx = mean[2] - mean[0], vy = mean[3] - mean[1], most_ = Math.max(1, Math.hypot(cx, cy));
        api.check("x of the lines' mean velocity", vx, cx, 1e-6 * most_ / t);
        api.check("y", vy, cy, 1e-6 * most_ / t);
        const sorted = Array.from(weights).sort((a, b) => b - a);
        drawWeights(sorted);
        api.check("lines that share half of the weight", String(1 + sorted.findIndex((_, k) => sorted.slice(0, k + 1).reduce((a, b) => a + b) >= 0.5 - 1e-12)));
      };

      const drawWeights = (sorted) => {
        const shown = sorted.slice(0, SHOWN);
        chart.setRange({ y: [0, Math.max(...shown) * 1.15] });
        chart.axes();
        chart.bars(Array.from({ length: shown.length + 1 }, (_, k) => k + 0.5), shown, C.reference, 0.75);
        if (n > SHOWN) chart.label(`the other ${n - SHOWN}: ${(100 * sorted.slice(SHOWN).reduce((a, b) => a + b, 0)).toFixed(0)} %`, SHOWN + 0.5, chart.y1, { align: "right", dx: -4, dy: stage.type * 0.9 });
      };

      /** At t = 0 no line but those of a data point pass: the value of the field there, and the limit from above. */
      const drawStart = (x, y) => {
        plane.points(atoms, C.normal, 3.6, 0.7);
        plane.arrows([x, y, -x, -y], C.time, { width: 3, alpha: 1, head: 11 });
        const [vx, vy] = finiteVelocity(x, y, 0, atoms);
        let nearest = 0;
        for (let i = 1; i < n; i++) if (Math.hypot(atoms[2 * i] - x, atoms[2 * i + 1] - y) < Math.hypot(atoms[2 * nearest] - x, atoms[2 * nearest + 1] - y)) nearest = i;
        const [ax, ay] = [atoms[2 * nearest], atoms[2 * nearest + 1]];
        plane.marker(ax, ay, { colour: C.reference, radius: 8 });
        chart.setRange({ y: [0, 1] });
        chart.axes();
        chart.label("none at t = 0", 0.5, 0.5, { dx: 8 });
        api.note("t = 0: shown is the value v(x, 0) = E[noise] − x = −x. Lines pass only through data points, each with all noises.");
        api.check("|v(x, 0)|", Math.hypot(vx, vy), Math.hypot(x, y), 1e-9);
        api.check("limit t → 0 at the ringed data point: |v| at t = 0.0001", Math.hypot(...finiteVelocity(ax, ay, 1e-4, atoms)), 0, 1e-3);
      };

      return {
        draw() {
          const { t, px, py, field } = values, [x, y] = hovered ?? [px, py];
          plane.axes();
          if (field === 1) drawField(t);
          if (t > 0) drawLines(x, y, t);
          else drawStart(x, y);
          if (hovered) plane.marker(px, py, { colour: C.reference, radius: 4, shape: "cross", width: 2 });
          plane.marker(x, y, { radius: 8 });
        },

        pointer(kind, x, y, panelIndex) {
          if (panelIndex !== plane.index) return;
          if (kind === "down") isHeld = true;
          if (kind === "leave") hovered = null;
          else if (isHeld) {
            hovered = null;
            api.set("px", x);
            api.set("py", y);
          } else hovered = [x, y];
          if (kind === "up") isHeld = false;
        },

        key(name) {
          const move = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[name];
          if (!move) return false;
          api.set("px", values.px + move[0]);
          api.set("py", values.py + move[1]);
          return true;
        },

        dispose() {},
      };
    },
  };
}
