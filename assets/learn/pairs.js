// Lesson 3, who pairs with whom: three couplings of the same points and noise, found again whenever a point moves.

{
  const KINDS = ["independent", "optimal", "worst"];
  const TINTS = { independent: C.reference, optimal: C.normal, worst: C.defect };
  const REACH_PX = 16; // how far from a point it can still be grabbed: a finger's width

  /** Partner of each point, exact inside each stretch of `batch` entries of `order`; points and noise [x, y, ...], of which d axes count. */
  function pairUp(points, noise, d, kind, batch, order) {
    const n = order.length, partner = Int32Array.from({ length: n }, (_, i) => i);
    if (kind === "independent") return partner;
    for (let start = 0; start < n; start += batch) {
      const rows = order.slice(start, start + batch), size = rows.length, cost = new Float64Array(size * size);
      for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) cost[i * size + j] = squaredDistance(points, rows[i], noise, rows[j], d);
      assign(cost, size, kind === "worst").forEach((j, i) => { partner[rows[i]] = rows[j]; });
    }
    return partner;
  }

  function squaredDistance(points, i, noise, j, d) {
    const dx = points[2 * i] - noise[2 * j], dy = d === 2 ? points[2 * i + 1] - noise[2 * j + 1] : 0;
    return dx * dx + dy * dy;
  }

  function totalCost(points, noise, d, partner) {
    let sum = 0;
    for (let i = 0; i < partner.length; i++) sum += squaredDistance(points, i, noise, partner[i], d);
    return sum;
  }

  /** Sum of squared norms minus twice the inner products: the same cost, where only the last sum depends on the pairing. */
  function costFromInner(points, noise, d, partner) {
    let norms = 0, inner = 0;
    for (let i = 0; i < partner.length; i++) {
      for (let k = 0; k < d; k++) {
        const a = points[2 * i + k], own = noise[2 * i + k];
        norms += a * a + own * own;
        inner += a * noise[2 * partner[i] + k];
      }
    }
    return norms - 2 * inner;
  }

  /** Total cost of rising values with rising (or falling) ones, batch by batch: by sorting, without an assignment. */
  function sortedCost(points, noise, batch, order, isReversed) {
    let sum = 0;
    for (let start = 0; start < order.length; start += batch) {
      const rows = order.slice(start, start + batch);
      const a = Float64Array.from(rows, (i) => points[2 * i]).sort(), z = Float64Array.from(rows, (i) => noise[2 * i]).sort();
      if (isReversed) z.reverse();
      for (let k = 0; k < a.length; k++) sum += (a[k] - z[k]) ** 2;
    }
    return sum;
  }

  /** Do the lines of i and j cross? In 1-D over t, where order must change; in 2-D on paper, where the ends of each lie on two sides of the other. */
  function doCross(points, noise, d, partner, i, j) {
    const [p, q] = [2 * i, 2 * j], [e, f] = [2 * partner[i], 2 * partner[j]];
    if (d === 1) return (points[p] - points[q]) * (noise[e] - noise[f]) < 0;
    const side = (ax, ay, bx, by, cx, cy) => (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    const [ax, ay, bx, by] = [points[p], points[p + 1], noise[e], noise[e + 1]], [cx, cy, dx, dy] = [points[q], points[q + 1], noise[f], noise[f + 1]];
    return side(ax, ay, bx, by, cx, cy) * side(ax, ay, bx, by, dx, dy) < 0 && side(cx, cy, dx, dy, ax, ay) * side(cx, cy, dx, dy, bx, by) < 0;
  }

  /** All crossings, and those between lines of one batch. */
  function countCrossings(points, noise, d, partner, batchOf) {
    let all = 0, inside = 0;
    for (let i = 0; i < partner.length; i++) {
      for (let j = 0; j < i; j++) {
        if (!doCross(points, noise, d, partner, i, j)) continue;
        all++;
        if (batchOf[i] === batchOf[j]) inside++;
      }
    }
    return { all, inside };
  }

  /** Exchanges of two partners within a batch that would improve on an optimal (or worst) pairing: there must be none. */
  function countBetterSwaps(points, noise, d, partner, batchOf, kind) {
    let n = 0;
    for (let i = 0; i < partner.length; i++) {
      for (let j = 0; j < i; j++) {
        if (batchOf[i] !== batchOf[j]) continue;
        let inner = 0; // <a_i - a_j, z_i - z_j>: what an exchange would change, twice
        for (let k = 0; k < d; k++) inner += (points[2 * i + k] - points[2 * j + k]) * (noise[2 * partner[i] + k] - noise[2 * partner[j] + k]);
        if (kind === "optimal" ? inner < -1e-9 : inner > 1e-9) n++;
      }
    }
    return n;
  }

  /** To the nearest whole number, halves to the even one: as NumPy rounds. */
  const toEven = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

  LESSON.pairs = {
    /** What `prepare` in Python makes of points drawn by hand, but for SciPy's costs: at most 64 of them, evenly spaced, rounded to two digits. */
    sceneOf(points, { noise, orders }) {
      const count = points.length / 2, most = noise.length / 2, n = Math.min(most, count);
      const rows = Array.from({ length: n }, (_, k) => (n < count ? toEven(k * ((count - 1) / (n - 1))) : k)), sizes = [];
      for (let size = 1; size < n; size *= 2) sizes.push(size);
      return {
        x: Float32Array.from(rows.flatMap((i) => [points[2 * i], points[2 * i + 1]]), (value) => toEven(100 * value) / 100),
        z: noise.subarray(0, 2 * n), order: orders.subarray((n * (n - 1)) / 2, (n * (n + 1)) / 2), sizes: [...sizes, n],
      };
    },

    create(stage, scene, values, api) {
      const points = Float64Array.from(scene.x), noise = Float64Array.from(scene.z), order = Array.from(scene.order), n = order.length;
      const sizes = Array.from(scene.sizes), flat = { equal: true, titles: ["first axis", "second axis"] };
      const panels = KINDS.map((kind, k) => stage.panel({ x: k / 3, y: 0, w: 1 / 3, h: 0.7 }, { x: [-3, 3], y: [-3, 3], heading: kind, ...flat }));
      const chart = stage.panel({ x: 0, y: 0.71, w: 1, h: 0.29 }, { x: [1, Math.max(2, n)], y: [0, 1], titles: ["batch size B (within which pairs are sought)", "total cost"], log: "x" });
      let isMoved = false, isSizing = false, held = -1, hovered = -1, found = null, lineCosts = null;

      const dimension = () => Math.round(values.dimension) + 1;
      const batch = () => clamp(Math.round(values.batch), 1, n);

      /** Pairings and what is counted on them, kept until a point, the batch size or the dimension changes. */
      function solve() {
        const d = dimension(), size = batch();
        if (found && found.d === d && found.size === size) return;
        const batchOf = new Int32Array(n);
        order.forEach((i, place) => { batchOf[i] = Math.floor(place / size); });
        found = { d, size, batchOf };
        for (const kind of KINDS) {
          const partner = pairUp(points, noise, d, kind, size, order);
          found[kind] = { partner, cost: totalCost(points, noise, d, partner), ...countCrossings(points, noise, d, partner, batchOf) };
        }
        if (lineCosts?.d === d) return;
        lineCosts = { d };
        for (const kind of ["optimal", "worst"]) {
          lineCosts[kind] = sizes.map((B) => totalCost(points, noise, d, pairUp(points, noise, d, kind, B, order)));
        }
      }

      const forget = () => { found = lineCosts = null; };
      const onPaper = (d, xy, i, t) => (d === 2 ? [xy[2 * i], xy[2 * i + 1]] : [t, xy[2 * i]]);

      function drawPairs(panel, kind) {
        const { d } = found, { partner, cost, all } = found[kind], t = values.t, ends = [], starts = [], stops = [], now = [], marked = held >= 0 ? held : hovered;
        for (let i = 0; i < n; i++) {
          const from = onPaper(d, points, i, 0), to = onPaper(d, noise, partner[i], 1);
          ends.push(...from, ...to);
          starts.push(...from);
          stops.push(...to);
          now.push(from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1]));
        }
        const isFlat = d === 2;
        if (panel.equal !== isFlat) {
          Object.assign(panel, { equal: isFlat, titles: isFlat ? flat.titles : ["t (0 = data, 1 = noise)", "value"] });
          panel.setRange({ x: isFlat ? [-3, 3] : [-0.03, 1.03], y: isFlat ? [-3, 3] : [-3.2, 3.2] });
        }
        panel.heading = `${kind}: cost ${cost.toFixed(1)}`;
        panel.axes();
        panel.segments(ends, C.time, 1.2, n > 40 ? 0.45 : 0.6);
        panel.points(stops, C.reference, 3);
        panel.points(starts, C.normal, 3.8, 0.95);
        if (marked >= 0) {
          panel.segments(ends.slice(4 * marked, 4 * marked + 4), C.selected, 3, 1);
          panel.marker(starts[2 * marked], starts[2 * marked + 1], { radius: 7 });
        }
        if (t > 0) panel.points(now, C.selected, 3.4, 0.9);
        if (!isFlat && t > 0) panel.line("x", t, C.selected, { width: 1 });
        panel.label(`${all.toLocaleString("en-US")} ${all === 1 ? "crossing" : "crossings"}`, panel.x0, panel.y1, { dx: 8, dy: stage.type });
      }

      function drawChart() {
        const { size } = found, own = found.independent.cost, high = 1.12 * Math.max(...lineCosts.worst, found.worst.cost);
        chart.setRange({ y: [0, high] });
        chart.axes();
        chart.line("y", own, TINTS.independent, { width: 1.6 });
        for (const kind of ["worst", "optimal"]) {
          chart.curve(sizes, lineCosts[kind], TINTS[kind], 2);
          chart.points(sizes.flatMap((B, k) => [B, lineCosts[kind][k]]), TINTS[kind], 3);
          const at = kind === "worst" ? sizes.length - 1 : Math.max(0, sizes.length - 2); // beside each other where the picture is low
          chart.label(kind, sizes[at], lineCosts[kind][at], { colour: TINTS[kind], isBold: true, align: "right", dx: -12, dy: kind === "worst" ? 15 : -13 });
        }
        chart.label("independent", sizes[0], own, { colour: TINTS.independent, isBold: true, dx: 12, dy: -11 }); // the three curves part to the right
        chart.line("x", size, C.selected, { width: 1.2 });
        for (const kind of KINDS) chart.marker(size, found[kind].cost, { radius: 4.5, shape: "dot", colour: TINTS[kind] });
      }

      function sayChecks() {
        const { d, size, batchOf, independent, optimal, worst } = found, costs = [independent.cost, optimal.cost, worst.cost].sort((a, b) => a - b);
        api.check("middle of the three costs, independent's", costs[1], independent.cost);
        api.check("worst cost, by inner products", worst.cost, costFromInner(points, noise, d, worst.partner));
        const better = countBetterSwaps(points, noise, d, optimal.partner, batchOf, "optimal") + countBetterSwaps(points, noise, d, worst.partner, batchOf, "worst");
        api.check("exchanges of two that would improve", better, 0);
        if (d === 1) {
          api.check("optimal cost in 1-D, against pairing sorted with sorted", optimal.cost, sortedCost(points, noise, size, order, false));
          api.check("worst cost in 1-D, against pairing sorted with reversed", worst.cost, sortedCost(points, noise, size, order, true));
          api.check("worst crossings inside batches", worst.inside, pairsThatDiffer(batchOf));
          return;
        }
        const at = ((d - 1) * sizes.length + sizes.indexOf(size)) * 2;
        if (isMoved || !scene.costs || !sizes.includes(size)) return; // what SciPy found holds for the points as they came
        api.check("optimal cost, by SciPy", optimal.cost, scene.costs[at]);
        api.check("worst cost, by SciPy", worst.cost, scene.costs[at + 1]);
      }

      /** B (B - 1) / 2 of each batch, less the pairs of one value. */
      function pairsThatDiffer(batchOf) {
        let count = 0;
        for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) if (batchOf[i] === batchOf[j] && points[2 * i] !== points[2 * j]) count++;
        return count;
      }

      /** The point nearest to (x, y) of a panel that is still within reach, or -1. */
      function nearest(panel, x, y) {
        const [px, py] = panel.px(x, y);
        let best = -1, least = REACH_PX;
        for (let i = 0; i < n; i++) {
          const [qx, qy] = panel.px(...onPaper(dimension(), points, i, 0)), far = Math.hypot(px - qx, py - qy);
          if (far < least) [best, least] = [i, far];
        }
        return best;
      }

      function drag(x, y) {
        const limit = (value) => clamp(Math.round(value * 100) / 100, -3, 3); // two digits: the address stays short
        if (dimension() === 2) points.set([limit(x), limit(y)], 2 * held);
        else points[2 * held] = limit(y);
        isMoved = true;
        forget();
        api.setPoints(points);
      }

      return {
        draw() {
          solve();
          panels.forEach((panel, k) => drawPairs(panel, KINDS[k]));
          drawChart();
          sayChecks();
        },
        pointer(kind, x, y, panelIndex) {
          const panel = panels[panelIndex];
          if (kind === "down") [isSizing, held] = [!panel, panel ? nearest(panel, x, y) : -1];
          if (isSizing && kind !== "leave") api.set("batch", clamp(Math.round(x), 1, n));
          if (held >= 0 && (kind === "move" || kind === "up")) drag(x, y);
          else hovered = panel && kind !== "leave" ? nearest(panel, x, y) : -1;
          if (kind === "up") [isSizing, held] = [false, -1];
        },
        dispose() {},
      };
    },
  };
}
