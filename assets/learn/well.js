// Lesson 7, the well and the escape. First act: data fall into the well, anomalies are dragged, travel and are scored; a network is trained beside the stored
// one (well_train.js). Second act: what the exact field of the data does instead (well_exact.js). The network: well_net.js.

const WELL = {}; // what the files of this lesson share

{
  const REACH = 4.5, LETTERS = ["a", "b", "c"], SIDE = 45, AT_ONCE = 1400, FINE_MS = 5, OFF = { x: 2, y: 0, w: 0.1, h: 1 };
  const AT_FIRST = 24; // paths of data in the first frame
  const LOW = 1e-4, HIGH = 200; // scores outside are drawn at the edge
  const words = (value) => (value >= 1e4 ? value.toExponential(1) : value.toFixed(value < 10 ? 2 : 0));

  /** Values of a function of a place on a grid over [-REACH, REACH]^2: coarse at once, then finer from frame to frame. */
  class Map2d {
    /** evaluations: of the field, for one value. Returns whether the map is as fine as it gets. */
    show(key, evaluations, value) {
      if (key !== this.key) {
        const side = Math.max(6, Math.min(SIDE, Math.floor(Math.sqrt(AT_ONCE / evaluations))));
        Object.assign(this, { key, side, grid: new Float64Array(side * side), fine: side < SIDE ? new Float64Array(SIDE * SIDE) : null, next: 0 });
        for (let k = 0; k < side * side; k++) this.grid[k] = this.#at(k, side, value);
      } else if (this.fine) {
        const until = performance.now() + FINE_MS;
        while (this.next < SIDE * SIDE && performance.now() < until) this.fine[this.next] = this.#at(this.next++, SIDE, value);
        if (this.next >= SIDE * SIDE) Object.assign(this, { grid: this.fine, side: SIDE, fine: null });
      }
      return !this.fine;
    }

    #at(k, side, value) {
      const place = (i) => -REACH + (2 * REACH * (i + 0.5)) / side;
      return value(place(k % side), place(Math.floor(k / side)));
    }
  }

  /** Paths of all data and their scores by one step: some at once, more from frame to frame. */
  class Travel {
    constructor(atoms) {
      const order = Array.from({ length: atoms.length / 2 }, (_, i) => i).sort((i, j) => ((i * 0.618034) % 1) - ((j * 0.618034) % 1)); // few of them are spread over all
      this.starts = order.map((i) => [atoms[2 * i], atoms[2 * i + 1]]);
    }

    /** limits: the score by one step, and that by these steps, below which 99 of 100 data lie. */
    show(key, net, steps) {
      const until = performance.now() + FINE_MS;
      if (key !== this.key) Object.assign(this, { key, paths: [], one: [] });
      const { paths, one, starts } = this, least = Math.min(starts.length, paths.length + AT_FIRST);
      for (let k = paths.length; k < starts.length && (k < least || performance.now() < until); k++) {
        paths.push(net.path(...starts[k], steps));
        one.push(net.score(...starts[k], 1));
      }
      const many = paths.map(WELL.scoreOf);
      return { paths, one, many, limits: [quantile(one, 0.99), quantile(many, 0.99)], isWhole: paths.length === starts.length };
    }
  }

  WELL.Travel = Travel;

  /** Where a path of equal steps is at time t. */
  const between = (path, t) => {
    const steps = path.length / 2 - 1, at = Math.min(t * steps, steps - 1e-9), k = Math.floor(at), part = at - k;
    return [0, 1].map((c) => (1 - part) * path[2 * k + c] + part * path[2 * k + 2 + c]);
  };

  LESSON.well = {
    sceneOf: (points, beside) => ({ atoms: points, ...beside }),

    create(stage, scene, values, api) {
      const { SmallNet, N_WEIGHTS } = WELL, box = { x: [-REACH, REACH], y: [-REACH, REACH] }, map = new Map2d(), travel = new Travel(scene.atoms);
      const flat = { ...box, titles: ["x (arrow at the edge: distance from 0)", "y"], equal: true };
      const plane = stage.panel(OFF, { ...flat, heading: "The plane" }), chart = stage.panel(OFF, { ...box, titles: ["x", ""], heading: "Map", equal: true });
      const scores = stage.panel(OFF, { x: [LOW, HIGH], y: [LOW, HIGH], titles: ["score, one step", "many steps"], heading: "One step, many steps", log: "xy" });
      const beside = stage.panel(OFF, { ...flat, heading: "The stored network" });
      const stored = scene.is_stored ? [0, 1, 2].map((kind) => new SmallNet(scene.weights.subarray(kind * N_WEIGHTS, (kind + 1) * N_WEIGHTS))) : null;
      let held = -1, chosen = 0;

      const place = (i) => [values[`${LETTERS[i]}x`], values[`${LETTERS[i]}y`]];
      const move = (i, x, y) => { api.set(`${LETTERS[i]}x`, Math.round(100 * x) / 100); api.set(`${LETTERS[i]}y`, Math.round(100 * y) / 100); };

      /** Panels at their places, all others away. rows: [panel, x, y, w, h] in shares of the stage. */
      function arrange(...rows) {
        for (const panel of stage.panels) panel.place = OFF;
        for (const [panel, x, y, w, h] of rows) panel.place = { x, y, w, h };
        for (const panel of stage.panels) panel.layout();
      }

      /** Field, data and the way of A, B and C at time t. velocity(x, y, t); isWhole: data are all data, of which 99 in 100 lie within the circle. */
      function drawPlane(panel, velocity, { paths: data, isWhole }, paths, t, heading) {
        const now = data.flatMap((path) => between(path, t)), n = data.length, arrows = [], side = 13, isOneStep = paths[0].length === 4;
        for (let k = 0; k < side * side; k++) {
          const x = -REACH + (2 * REACH * ((k % side) + 0.5)) / side, y = -REACH + (2 * REACH * (Math.floor(k / side) + 0.5)) / side;
          arrows.push(x, y, ...velocity(x, y, isOneStep ? 0 : t));
        }
        panel.heading = heading;
        panel.axes();
        panel.arrows(arrows, C.reference, { scale: 0.11, alpha: 0.55, head: 4 });
        if (t > 0) panel.points(scene.atoms, C.normal, 2, 0.2);
        panel.points(now, C.normal, 3, 0.8);
        if (isWhole && n > 1) {
          const radius = quantile(Array.from({ length: n }, (_, i) => Math.hypot(now[2 * i], now[2 * i + 1])), 0.99);
          panel.circle(0, 0, radius, C.selected, 2);
          panel.label("99 % of the data", 0, -radius, { dy: 10, align: "center", colour: C.selected });
        }
        paths.forEach((path, i) => drawPath(panel, path, t, i));
        paths.forEach((path, i) => namePath(panel, path, t, i)); // no mark covers a word
      }

      /** Start, way, end and present place of an anomaly. */
      function drawPath(panel, path, t, i) {
        const [x, y] = place(i), [nx, ny] = between(path, t), [ex, ey] = path.slice(-2);
        panel.curve(path.filter((_, k) => k % 2 === 0), path.filter((_, k) => k % 2), C.time, 2.4);
        if (panel.shows(ex, ey)) panel.marker(ex, ey, { colour: C.time, radius: 5, width: 2 });
        panel.marker(x, y, { colour: C.defect, radius: 9, width: i === chosen ? 3 : 1.8 });
        if (panel.shows(nx, ny)) panel.marker(nx, ny, { colour: C.defect, shape: "dot", radius: 5 });
      }

      /** Its letter. Where it, or at first its end, is out of the picture, an arrow at the edge and the distance stand for it. */
      function namePath(panel, path, t, i) {
        const letter = LETTERS[i].toUpperCase(), [x, y] = place(i), [nx, ny] = between(path, t), [ex, ey] = path.slice(-2);
        if (panel.beyond(nx, ny, `${letter} ${Math.hypot(nx, ny).toFixed(1)}`, C.defect)) return;
        panel.label(letter, x, y, { dx: 13, dy: -11, isBold: true, colour: C.defect });
        panel.beyond(ex, ey, Math.hypot(ex, ey).toFixed(1), C.time);
      }

      /** A map of log10 of a value of each place, with data and anomalies. evaluations: of the field, for one value. */
      function drawMap(key, evaluations, value, heading) {
        const isWhole = map.show(key, evaluations, (x, y) => Math.log10(Math.max(LOW, value(x, y))));
        chart.heading = heading;
        chart.axes();
        chart.heat(map.grid, map.side, map.side, HEAT, { range: [-2, 2], area: box });
        chart.points(scene.atoms, "#7FC4F5", 1.3, 0.8);
        LETTERS.forEach((letter, i) => {
          chart.marker(...place(i), { colour: C.defect, radius: 6 });
          chart.label(letter.toUpperCase(), ...place(i), { dx: 10, dy: -9, isBold: true, colour: C.defect });
        });
        chart.label("dark 0.01, bright 100", -REACH, -REACH, { dx: 5, dy: -9, size: 0.85 });
        if (!isWhole) api.redraw();
      }

      function drawScores(data, own, steps) {
        const shown = (value) => clamp(value, LOW * 1.15, HIGH / 1.15);
        scores.titles = ["score, one step", `score, ${steps} steps`];
        scores.axes();
        scores.curve([LOW, HIGH], [LOW, HIGH], C.reference, 1, [3, 4]);
        scores.points(data.one.flatMap((one, i) => [shown(one), shown(data.many[i])]), C.normal, 2.2, 0.5);
        scores.line("x", shown(data.limits[0]), C.selected);
        scores.line("y", shown(data.limits[1]), C.selected);
        const isRight = data.limits[0] > 0.15;
        scores.label("99 % of the data", shown(data.limits[0]), LOW, { dx: isRight ? -5 : 5, dy: -10, align: isRight ? "right" : "left", colour: C.selected, size: 0.9 });
        for (const [one, many] of own) scores.marker(shown(one), shown(many), { colour: C.defect, shape: "dot", radius: 4.5 });
        own.forEach(([one, many], i) => {
          scores.label(LETTERS[i].toUpperCase(), shown(one), shown(many), { dx: 8, dy: -8, isBold: true, colour: C.defect });
        });
      }

      function sayScores(data, own, steps) {
        own.forEach(([one, many], i) => {
          const isOut = [one > data.limits[0], many > data.limits[1]], where = isOut[0] === isOut[1] ? (isOut[0] ? "in both" : "in neither") : isOut[0] ? "by one step only" : "by many steps only";
          api.note(`${LETTERS[i].toUpperCase()}: one step ${words(one)}, ${steps} steps ${words(many)}; above 99 % of the data ${where}.`);
        });
      }

      /** The well and the escape, by one network. */
      function drawWell(net, key) {
        const { t } = values, many = Math.round(values.steps), steps = values.map ? many : 1, isWide = stage.width >= 60 * stage.type;
        const data = travel.show(`${key} ${many}`, net, many), paths = LETTERS.map((_, i) => net.path(...place(i), steps));
        const own = LETTERS.map((_, i) => [net.score(...place(i), 1), net.score(...place(i), many)]), of = steps === 1 ? "one step" : `${steps} steps`;
        if (isWide) arrange([plane, 0, 0, 0.38, 1], [chart, 0.38, 0, 0.34, 1], [scores, 0.72, 0, 0.28, 1]);
        else arrange([plane, 0, 0, 0.52, 1], [chart, 0.52, 0, 0.48, 1]);
        const shown = values.map ? data : { ...data, paths: data.paths.map((path) => net.path(path[0], path[1], 1)) };
        drawPlane(plane, (x, y, time) => net.at(x, y, time), shown, paths, t, `The plane at t = ${t.toFixed(2)}, ${of}`);
        drawMap(`${key} ${steps}`, steps, (x, y) => net.score(x, y, steps), `Score of a start, ${of}`);
        if (isWide) drawScores(data, own, many);
        api.check("Score of A, one step", own[0][0]);
        sayScores(data, own, many);
        if (!data.isWhole) api.redraw();
      }

      function checkNetwork(net, kind) {
        const k = 1, [px, py, pt] = scene.probes.subarray(3 * k, 3 * k + 3), far = scene.far;
        api.check("Network at (−1, 1.5), t = 0.3: v_x in this browser, and in Python", net.at(px, py, pt)[0], scene.probe_v[(kind * scene.probes.length) / 3 * 2 + 2 * k], 1e-4);
        api.check("Learned one-step score of (4, 4): in this browser, and in Python", net.score(far[0], far[1], 1), scene.far_score[kind], 1e-3);
      }

      const lesson = { stage, scene, values, api, stored, plane, chart, beside, LETTERS, LOW, OFF, place, arrange, drawPlane, drawMap, words };
      const training = new WELL.Here(lesson), exactAct = new WELL.ExactAct(lesson);

      return {
        training,

        draw() {
          const isExact = values.act === 1, kind = isExact ? 0 : values.coupling, isHere = !stored || (!isExact && values.net === 1);
          training.watch(isHere ? kind : null);
          const net = isHere ? training.net : stored[kind], key = isHere ? training.key : `stored ${kind}`;
          if (isExact) exactAct.draw(net, key);
          else if (isHere && (stored || training.isRunning)) training.draw();
          else drawWell(net, key);
          if (isHere) training.say();
          else checkNetwork(net, kind);
        },

        /** The nearest anomaly is taken where it is, or put where nothing is near. */
        pointer(kind, x, y, index) {
          const panel = stage.panels[index];
          if (kind === "up" || kind === "leave" || ![plane, chart, beside].includes(panel)) return void (held = -1);
          if (kind === "down") {
            const gaps = LETTERS.map((_, i) => Math.hypot(place(i)[0] - x, place(i)[1] - y));
            held = chosen = gaps.indexOf(Math.min(...gaps));
          }
          if (held >= 0) move(held, x, y);
        },

        /** a, b, c choose an anomaly, arrows move it. */
        key(name) {
          const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[name], letter = LETTERS.indexOf(name);
          if (letter >= 0) chosen = letter;
          if (step) move(chosen, place(chosen)[0] + step[0], place(chosen)[1] + step[1]);
          return letter >= 0 || Boolean(step);
        },

        dispose() { training.watch(null); },
      };
    },
  };
}
