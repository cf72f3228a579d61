// Lesson 5: where noise and data lie in d dimensions, and how weak the worst coupling gets there. Dragging across the lower left and the right
// picture moves the dimension, in the upper left one the thickness of the data.

{
  const GROUPS = [2, 8, 64, 256], DOTS = 200;
  const WHOLE = 65536; // an image as one vector: 8 x 8 positions with 1,024 channels

  /** ln Gamma(x) for x > 0: Stirling's series from 8 upward, reached by x Gamma(x) = Gamma(x + 1). */
  const lnGamma = (x) => {
    let shift = 0;
    while (x < 8) shift += Math.log(x++);
    return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - shift;
  };
  const chiMean = (d) => Math.SQRT2 * Math.exp(lnGamma((d + 1) / 2) - lnGamma(d / 2));
  const chiStd = (d) => Math.sqrt(Math.max(0, d - chiMean(d) ** 2));
  const chiDensity = (x, d) => {
    if (x <= 0) return x === 0 && d === 1 ? Math.sqrt(2 / Math.PI) : 0;
    return Math.exp((d - 1) * Math.log(x) - (x * x) / 2 - (d / 2 - 1) * Math.LN2 - lnGamma(d / 2));
  };
  /** gamma of groups of 2, and of groups without end: see wtflow/lessons/gamma.py. */
  const pairStrength = (d) => Math.exp((d - 1) * Math.LN2 + 2 * lnGamma(d / 2) - 0.5 * Math.log(Math.PI) - lnGamma(d - 0.5)) / (2 * Math.sqrt(Math.PI * d));
  const fullStrength = (d) => chiMean(d) / Math.sqrt(d);

  const range = (low, high, n) => Float64Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
  const count = (value) => value.toLocaleString("en-US");
  const short = (value) => value.toPrecision(3);
  const jitter = (i) => ((i * 0.618034) % 1) - 0.5;
  const POWERS = Array.from({ length: 13 }, (_, k) => 2 ** k), MANY = Array.from({ length: 65 }, (_, i) => 2 ** (i / 4));

  /** Rows [d, n, gamma, error] of a flat array. */
  const rows = (flat, width) => Array.from({ length: flat.length / width }, (_, i) => Array.from(flat.subarray(i * width, (i + 1) * width)));

  LESSON.shell = {
    create(stage, scene, values, api) {
      const law = stage.panel({ x: 0, y: 0, w: 0.54, h: 0.56 }, { x: [0, 6], y: [0, 1], titles: ["norm |x|", ""], heading: "How far from the origin?" });
      const norms = stage.panel({ x: 0, y: 0.56, w: 0.54, h: 0.44 }, { x: [0.8, 5200], y: [0.06, 110], log: "xy", titles: ["dimension d", "norm |x|"] });
      const strength = stage.panel({ x: 0.54, y: 0, w: 0.46, h: 1 },
        { x: [0.8, 110000], y: [0.002, 1.25], log: "xy", titles: ["dimension d", "γ"], heading: "How strongly can “worst” pair opposites?" });
      const table = rows(scene.table, 4), live = rows(scene.live, 4), method = rows(scene.method, 3);
      const find = (list, d, n) => list.find((row) => row[0] === d && row[1] === n);
      const of = (name, k) => scene[name].subarray(k * DOTS, (k + 1) * DOTS);
      const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

      const drawLaw = (k, d, s, isNormed) => {
        const root = Math.sqrt(d), end = isNormed && of("places", k)[0] > 0 ? 1.6 * root : Math.max(1, isNormed ? 1 : s) * root + 4, x = range(0, end, 1201), noise = x.map((value) => chiDensity(value, d));
        const data = x.map((value) => chiDensity(value / s, d) / s), peak = noise.reduce((a, b) => Math.max(a, b));
        const top = 1.25 * (isNormed ? peak : Math.min(2.4 * peak, Math.max(peak, ...data))), below = 0.2 * top;
        law.setRange({ x: [0, end], y: [-below, top] });
        law.heading = `How far from the origin, at d = ${count(d)}?`;
        law.axes();
        const zeros = x.map(() => 0);
        law.area(x, zeros, noise, C.reference, 0.22);
        law.curve(x, noise, C.reference, 2);
        const scatter = (list, scale, level, colour) => {
          const xy = new Float32Array(2 * list.length);
          list.forEach((value, i) => xy.set([scale * value, -below * (level + 0.28 * jitter(i))], 2 * i));
          law.points(xy, colour, 1.8, 0.6);
        };
        scatter(of("noise", k), 1, 0.28, C.reference);
        law.line("x", root, C.time, { text: `√d = ${short(root)}` });
        const places = of("places", k);
        if (!isNormed) {
          law.area(x, zeros, data, C.normal, 0.18);
          law.curve(x, data, C.normal, 2);
          scatter(of("data", k), s, 0.72, C.normal);
          if (Math.abs(s - 1) > 0.04) law.line("x", s * root, C.normal, { width: 1.2 });
        } else {
          law.line("x", of("normed", k)[0], C.normal, { width: 3, dash: [] });
          scatter(of("normed", k), 1, 0.62, C.normal);
          if (places[0] > 0) scatter(places, 8, 0.88, C.selected);
        }
        const said = isNormed ? (d === 1 ? "data: a layer norm leaves 0" : "data: every one on √d") : `data: near s√d = ${short(s * root)}`;
        const words = [["noise: chi law", C.text], [said, C.normal]];
        if (isNormed && places[0] > 0) words.push(["one of 64 positions, × 8", C.selected]);
        const isRight = Math.max(root, isNormed ? root : s * root) < 0.55 * end, at = isRight ? law.range.x[1] : 0;
        words.forEach(([text, colour], i) => law.label(text, at, top, { colour, dx: isRight ? -8 : 8, dy: stage.type * (2.4 + 1.5 * i), align: isRight ? "right" : "left", isBold: true }));
        let area = 0;
        for (let i = 1; i < x.length; i++) area += ((noise[i] + noise[i - 1]) / 2) * (x[i] - x[i - 1]);
        return area;
      };

      const drawNorms = (d, s, isNormed) => {
        norms.axes();
        const band = (scale, colour) => {
          const middle = MANY.slice(0, 49).map((value) => scale * chiMean(value)), spread = MANY.slice(0, 49).map((value) => 2 * scale * chiStd(value));
          norms.area(MANY.slice(0, 49), middle.map((value, i) => Math.max(0.01, value - spread[i])), middle.map((value, i) => value + spread[i]), colour, 0.2);
        };
        band(1, C.reference);
        if (!isNormed) band(s, C.normal);
        POWERS.forEach((value, k) => {
          const put = (name, scale, colour, shift) => {
            const list = of(name, k), xy = new Float32Array(80);
            for (let i = 0; i < 40; i++) xy.set([value * (1 + shift + 0.05 * jitter(i)), scale * list[i]], 2 * i);
            norms.points(xy, colour, 1.4, 0.7);
          };
          put("noise", 1, C.reference, -0.06);
          put(isNormed ? "normed" : "data", isNormed ? 1 : s, C.normal, 0.06);
        });
        norms.curve(MANY, MANY.map(Math.sqrt), C.time, 1.6, [5, 4]);
        norms.label("√d", 300, Math.sqrt(300), { dx: -8, dy: -10, align: "right", colour: C.time, isBold: true });
        norms.line("x", d, C.selected, { width: 2, dash: [] });
      };

      const drawStrength = (d, n) => {
        strength.axes();
        strength.curve(MANY, MANY.map(fullStrength), C.time, 1.5, [2, 4]);
        strength.label("opposites exactly: E|z| / √d", 65536, fullStrength(4096), { dy: stage.type, align: "right", colour: C.time });
        for (const size of GROUPS) {
          const own = table.filter((row) => row[1] === size && row[0] < WHOLE), isOwn = size === n, colour = isOwn ? C.selected : C.reference;
          strength.curve(own.map((row) => row[0]), own.map((row) => row[2]), colour, isOwn ? 2.6 : 1.3);
          const [endD, , endValue] = own.at(-1);
          strength.label(size === 2 ? "n = 2" : String(size), endD, endValue, { dx: 8, dy: stage.type * (size === 256 ? -0.4 : size === 64 ? 0.4 : 0), colour: isOwn ? C.selected : C.text, isBold: isOwn });
          for (const [at, , value, error] of live.filter((row) => row[1] === size)) {
            strength.segments([at, Math.max(0.002, value - 2 * error), at, value + 2 * error], colour, 1.2, 0.9);
            strength.marker(at, value, { colour, radius: 2, shape: "dot", width: 1 });
          }
        }
        for (const [at, , value] of method) strength.marker(at, value, { colour: C.warn, radius: 3, shape: "cross", width: 1.4 });
        const [, , whole] = find(table, WHOLE, 8);
        strength.marker(WHOLE, whole, { colour: C.text, radius: 3, shape: "dot" });
        strength.label("8 whole images", WHOLE, whole, { dx: 6, dy: stage.type * 1.1, align: "right" });
        strength.line("x", d, C.selected, { width: 1.4 });
        const chosen = find(table, d, n);
        strength.marker(d, chosen[2], { colour: C.selected });
        if (strength.width > 22 * stage.type) strength.label("• measured now   ✕ older figures", strength.range.x[0], strength.range.y[0], { dx: 10, dy: -stage.type * 0.9 });
        const isLeft = d < 100;
        strength.label(`d = ${count(d)}, groups of ${n}: γ = ${short(chosen[2])}`, isLeft ? strength.range.x[0] : d, isLeft ? strength.range.y[0] : chosen[2],
          { dx: isLeft ? 10 : 12, dy: stage.type * (isLeft ? -2.4 : -1.6), align: isLeft || d < 1000 ? "left" : "right", isBold: true, colour: C.selected });
        return chosen;
      };

      const tell = (k, d, n, area, [, , stored, error]) => {
        const noise = of("noise", k), middle = mean(noise), spread = Math.sqrt(mean(noise.map((value) => (value - middle) ** 2)));
        api.check(`mean norm of 200 noises, d = ${count(d)}`, middle, chiMean(d), (5 * chiStd(d)) / Math.sqrt(DOTS));
        api.check("spread of their norms", spread, chiStd(d), 0.3 * chiStd(d)); // its standard error is about 5 %
        if (values.norm < 0.5) api.check("area under the noise's curve", area, 1, 0.002);
        else if (d > 1) api.check("norm of data after a layer norm", of("normed", k).reduce((far, value) => (Math.abs(value - Math.sqrt(d)) > Math.abs(far - Math.sqrt(d)) ? value : far)), Math.sqrt(d), 1e-5 * d);
        const now = find(live, d, n), said = find(method, d, n);
        if (n === 2) api.check("γ of groups of 2, in the table", stored, pairStrength(d), 5 * error);
        const inTable = `in the table ${stored.toFixed(4)} ± ${error.toPrecision(1)}`;
        api.check("γ", now ? `measured now ${now[2].toFixed(4)} ± ${now[3].toPrecision(1)}, ${inTable}` : `${inTable} (too slow to measure while you wait)`);
        if (said) api.note(`Orange cross, an older figure of ours: ${said[2].toPrecision(2)}.`);
        if (d > 2) api.note(`In the plane the same groups reach ${short(find(table, 2, n)[2])}: ${(find(table, 2, n)[2] / stored).toFixed(1)} times as much.`);
      };

      return {
        draw() {
          const k = Math.round(values.k), d = 2 ** k, n = GROUPS[Math.round(values.group)], isNormed = values.norm > 0.5;
          const area = drawLaw(k, d, values.s, isNormed);
          drawNorms(d, values.s, isNormed);
          tell(k, d, n, area, drawStrength(d, n));
        },
        pointer(kind, x, y, index) {
          if (kind === "down") this.isHeld = true;
          if (this.isHeld && (kind === "down" || kind === "move")) {
            if (index === law.index && values.norm < 0.5) api.set("s", Math.round(x / Math.sqrt(2 ** Math.round(values.k)) / 0.05) * 0.05);
            else if (index !== law.index) api.set("k", Math.round(Math.log2(Math.max(1, x))));
          }
          if (kind === "up" || kind === "leave") this.isHeld = false;
        },
        key(name) {
          const move = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[name];
          if (move) api.set("k", Math.round(values.k) + move);
          return Boolean(move);
        },
        dispose() {},
      };
    },
  };
}
