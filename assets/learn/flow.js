// Lesson 1: particles in the exact field of finite data, in both directions of time. Its checked twin is wtflow/lessons/flow.py.
{
  const N_TIMES = 48, BEND = 2.2; // times of a path: (k / N_TIMES) ** BEND, close to each other near the data
  const DRAFT_TIMES = 20; // while a person draws
  const SPACING = 0.4; // of the arrows
  const ERASE_PX = 14, APART_PX = 9;
  const [LOOK, DRAW, ERASE] = [0, 1, 2];

  LESSON.flow = {
    /** What `prepare` in Python makes of points drawn by hand: noise shifted to mean 0 and scaled to mean squared norm 2. A single draw stays. */
    sceneOf(points, { draws }) {
      const n = points.length / 2, noise = Float64Array.from(draws.subarray(0, 2 * n)), mean = [0, 0];
      if (n < 2) return { atoms: points, noise };
      noise.forEach((value, i) => { mean[i % 2] += value / n; });
      noise.forEach((value, i) => { noise[i] = value - mean[i % 2]; });
      const scale = Math.sqrt((2 * n) / noise.reduce((sum, value) => sum + value * value, 0));
      return { atoms: points, noise: noise.map((value) => scale * value) };
    },

    create(stage, scene, values, api) {
      const plane = stage.panel({ x: 0, y: 0, w: 0.72, h: 1 }, { x: [-3.2, 3.2], y: [-3.2, 3.2], titles: ["x", "y"], equal: true });
      const chart = stage.panel({ x: 0.72, y: 0, w: 0.28, h: 0.62 }, { x: [0, 1], y: [0, 3], titles: ["t (0 = data, 1 = noise)", ""], heading: "mean |x|² of the particles" });
      const kept = {}; // per direction: turning round a second time costs nothing
      let atoms = scene.atoms, paths, times, sizes, made = "", probe = null, isDrawing = false, isOwn = api.hasOwnPoints, version = 0;

      /** The way of every particle for these atoms and this direction: paths[i] = [x, y at each of times]. */
      const follow = () => {
        const key = `${values.way} ${version} ${isDrawing}`;
        if (made === key) return;
        made = key;
        if (kept[key]) return void ([times, paths, sizes] = kept[key]);
        const n = isDrawing ? DRAFT_TIMES : N_TIMES, count = atoms.length / 2;
        times = Float64Array.from({ length: n + 1 }, (_, k) => (k / n) ** BEND);
        const falling = times.slice().reverse(), above = times.slice(1), e = times[1];
        paths = Array.from({ length: count }, (_, i) => {
          const j = (2 * i) % scene.noise.length, zx = scene.noise[j], zy = scene.noise[j + 1], ax = atoms[2 * i], ay = atoms[2 * i + 1], path = new Float64Array(2 * (n + 1));
          if (values.way === 1) {
            const back = finitePath(zx, zy, falling, atoms);
            for (let k = 0; k <= n; k++) path.set([back[2 * (n - k)], back[2 * (n - k) + 1]], 2 * k);
          } else { // from each atom a whole bundle of paths leaves: the particle starts on its own line, an exact draw of x at that time
            path.set([ax, ay]);
            path.set(finitePath((1 - e) * ax + e * zx, (1 - e) * ay + e * zy, above, atoms), 2);
          }
          return path;
        });
        sizes = times.map((_, k) => paths.reduce((sum, path) => sum + path[2 * k] ** 2 + path[2 * k + 1] ** 2, 0) / count);
        if (!isDrawing) kept[key] = [times, paths, sizes];
      };

      /** Between which two times `t` lies: index of the earlier, and the share of the way to the next. */
      const moment = (t) => {
        let k = times.findLastIndex((time) => time <= t);
        k = Math.min(k, times.length - 2);
        return [k, (t - times[k]) / (times[k + 1] - times[k])];
      };
      const between = (row, k, share, c) => row[2 * k + c] + share * (row[2 * k + 2 + c] - row[2 * k + c]);

      const closedSize = (t) => {
        let sum = 0;
        for (const value of atoms) sum += value * value;
        return ((1 - t) ** 2 * sum) / (atoms.length / 2) + 2 * t * t;
      };

      /** How far the mean of |x|^2 over these particles is likely to be from its expectation: one standard error. */
      const chance = (xy) => {
        const n = xy.length / 2, squares = Array.from({ length: n }, (_, i) => xy[2 * i] ** 2 + xy[2 * i + 1] ** 2), mean = squares.reduce((a, b) => a + b, 0) / n;
        return Math.sqrt(squares.reduce((sum, square) => sum + (square - mean) ** 2, 0)) / n;
      };

      const furthest = (xy) => {
        let most = 0;
        for (let i = 0; i < xy.length; i += 2) {
          let least = Infinity;
          for (let j = 0; j < atoms.length; j += 2) least = Math.min(least, Math.hypot(xy[i] - atoms[j], xy[i + 1] - atoms[j + 1]));
          most = Math.max(most, least);
        }
        return most;
      };

      const drawArrows = (t) => {
        const vectors = [];
        for (let y = Math.ceil(plane.y0 / SPACING) * SPACING; y < plane.y1; y += SPACING) {
          for (let x = Math.ceil(plane.x0 / SPACING) * SPACING; x < plane.x1; x += SPACING) {
            const [vx, vy] = finiteVelocity(x, y, t, atoms), calm = 1 / (1 + Math.hypot(vx, vy) / 2);
            vectors.push(x, y, vx * calm, vy * calm);
          }
        }
        plane.arrows(vectors, C.reference, { scale: 0.19, width: 1.1, alpha: 0.75, head: 4.5 });
      };

      /** The density's own slope, by differences: a second way to the field. */
      const slopeField = (x, y, t) => {
        const logDensity = (px, py) => {
          let least = Infinity, sum = 0;
          const squares = new Float64Array(atoms.length / 2);
          for (let i = 0; i < squares.length; i++) least = Math.min(least, squares[i] = (px - (1 - t) * atoms[2 * i]) ** 2 + (py - (1 - t) * atoms[2 * i + 1]) ** 2);
          for (const square of squares) sum += Math.exp((least - square) / (2 * t * t));
          return Math.log(sum) - least / (2 * t * t);
        };
        const h = 1e-4 * Math.max(t, 0.02), sx = (logDensity(x + h, y) - logDensity(x - h, y)) / (2 * h), sy = (logDensity(x, y + h) - logDensity(x, y - h)) / (2 * h);
        return [-(x + t * sx) / (1 - t), -(y + t * sy) / (1 - t)];
      };

      const edit = (x, y) => {
        version++;
        const reach = (values.mouse === ERASE ? ERASE_PX : APART_PX) * plane.unit, kept = [];
        for (let i = 0; i < atoms.length; i += 2) if (Math.hypot(atoms[i] - x, atoms[i + 1] - y) > reach) kept.push(atoms[i], atoms[i + 1]);
        if (values.mouse === ERASE && kept.length && kept.length < atoms.length) atoms = Float32Array.from(kept);
        if (values.mouse === DRAW && kept.length === atoms.length && atoms.length < 2 * MOST_POINTS) atoms = Float32Array.from([...atoms, clamp(x, -5, 5), clamp(y, -5, 5)]);
      };

      return {
        draw() {
          const { t, way, show } = values;
          api.playBackward(way === 1);
          follow();
          const [k, share] = moment(t), n = paths.length, now = new Float32Array(2 * n);
          paths.forEach((path, i) => now.set([between(path, k, share, 0), between(path, k, share, 1)], 2 * i));
          plane.axes();
          if (show !== 2) {
            paths.forEach((path, i) => {
              const here = [now[2 * i], now[2 * i + 1]], xs = [], ys = [];
              for (let j = 0; j < times.length; j++) if (way === 0 ? j <= k : j > k) { xs.push(path[2 * j]); ys.push(path[2 * j + 1]); }
              if (way === 0) { xs.push(here[0]); ys.push(here[1]); } else { xs.unshift(here[0]); ys.unshift(here[1]); }
              plane.curve(xs, ys, C.time, 1, [], 0.32);
            });
          }
          if (show !== 1) drawArrows(t);
          plane.points(atoms, C.reference, 2.2, 0.7);
          plane.points(now, C.normal, 3.6, 0.9);
          if (n && !isDrawing) this.drawChart(t);
          this.drawProbe(t);
          const size = sizes[k] + share * (sizes[k + 1] - sizes[k]);
          api.check(`mean |x|² of ${n} particles`, size, closedSize(t), 4 * chance(now) + 1e-5);
          if (t === 0 && way === 1) api.check("largest distance of a particle to a data point", furthest(now), 0, 1e-3);
          if (t === 0) api.note("t = 0: the arrows show the value v(x, 0) = −x. At a data point itself the limit t → 0 is 0.");
          else if (way === 1) api.note("The same field, followed backward: particles run against the arrows.");
        },

        drawChart(t) {
          const ts = Array.from({ length: 61 }, (_, j) => j / 60), closed = ts.map(closedSize), top = Math.max(...closed, ...sizes) * 1.15;
          chart.setRange({ y: [0, top] });
          chart.axes();
          chart.curve(ts, closed, C.reference, 2, [6, 4]);
          chart.curve(times, sizes, C.normal, 2.2);
          chart.line("x", t, C.time, { dash: [] });
          chart.label("dashed: closed form", 0, top, { dx: 6, dy: stage.type * 0.9, colour: C.text, size: 0.9 });
        },

        drawProbe(t) {
          if (!probe || values.mouse !== LOOK) return;
          const [x, y] = probe, [vx, vy] = finiteVelocity(x, y, t, atoms), speed = Math.hypot(vx, vy);
          plane.arrows([x, y, vx / (1 + speed / 4), vy / (1 + speed / 4)], C.selected, { scale: 0.5, width: 2.6, alpha: 1, head: 9 });
          plane.marker(x, y, { radius: 5 });
          if (t >= 0.03 && t <= 0.98) api.check("speed at the pointer, by the density's slope", Math.hypot(...slopeField(x, y, t)), speed, 1e-3 * (1 + speed));
          else api.check(`speed at the pointer${t === 0 ? ", value −x" : ""}`, speed, t === 0 ? Math.hypot(x, y) : undefined);
        },

        pointer(kind, x, y, panelIndex) {
          if (panelIndex !== plane.index) return;
          probe = kind === "leave" ? null : [x, y];
          if (values.mouse === LOOK) return;
          if (kind === "down") {
            isDrawing = true;
            if (values.mouse === DRAW && !isOwn) { atoms = new Float32Array(0); isOwn = true; } // a person's drawing begins empty
            if (values.t > 0) api.set("t", 0);
          }
          if (isDrawing) edit(x, y);
          if (kind !== "up") return;
          isDrawing = false;
          api.setPoints(atoms);
        },

        dispose() {},
      };
    },
  };
}
