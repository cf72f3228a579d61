// Lesson 7: its small network, evaluated and trained in the browser. The same network and training in NumPy: wtflow/lessons/small_net.py.

{
  const WIDTH = 64, OFFSETS = [0, 192, 256, 4352, 4416, 4544], N_WEIGHTS = 4546; // of W1 b1 W2 b2 W3 b3, matrices row by row
  const BATCH = 128, GROUP = 64, RATE = 4e-3, N_STEPS = 1000;

  class SmallNet {
    constructor(weights) {
      Object.assign(this, { w: Float64Array.from(weights), h1: new Float64Array(WIDTH), h2: new Float64Array(WIDTH) });
    }

    /** The learned velocity [vx, vy] at (x, y), t. */
    at(x, y, t) {
      const { w, h1, h2 } = this, [W1, B1, W2, B2, W3, B3] = OFFSETS, s = 2 * t - 1;
      for (let i = 0; i < WIDTH; i++) h1[i] = Math.tanh(w[W1 + 3 * i] * x + w[W1 + 3 * i + 1] * y + w[W1 + 3 * i + 2] * s + w[B1 + i]);
      let vx = w[B3], vy = w[B3 + 1];
      for (let i = 0, at = W2; i < WIDTH; i++) {
        let a = w[B2 + i], b = 0, c = 0, d = 0; // four sums at a time: one alone would wait for itself
        for (let j = 0; j < WIDTH; j += 4, at += 4) {
          a += w[at] * h1[j];
          b += w[at + 1] * h1[j + 1];
          c += w[at + 2] * h1[j + 2];
          d += w[at + 3] * h1[j + 3];
        }
        const sum = (h2[i] = Math.tanh(a + b + c + d));
        vx += w[W3 + i] * sum;
        vy += w[W3 + WIDTH + i] * sum;
      }
      return [vx, vy];
    }

    path(x, y, steps) {
      return integrate((px, py, t) => this.at(px, py, t), x, y, steps, "euler");
    }

    score(x, y, steps) {
      return scoreOf(this.path(x, y, steps));
    }
  }

  /** Half the mean square of a path's last point. */
  const scoreOf = (path) => (path.at(-2) ** 2 + path.at(-1) ** 2) / 4;

  /** Uniform numbers in [0, 1) from a seed (mulberry32), and normal ones (Box and Muller): the same seed trains the same network. */
  function makeRandom(seed) {
    let state = (seed + 0x9e3779b9) | 0;
    const next = () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
    return { next, normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()) };
  }

  /** `count` pairs under a coupling (0 independent, 1 optimal, 2 worst), exact within groups: rows of x_t, y_t, t and the target velocity. */
  function drawPairs(atoms, kind, random, count) {
    const n = atoms.length / 2, pairs = new Float64Array(5 * count), cost = new Float64Array(GROUP * GROUP);
    for (let start = 0; start < count; start += GROUP) {
      const x = new Float64Array(2 * GROUP), z = new Float64Array(2 * GROUP).map(() => random.normal());
      for (let i = 0; i < GROUP; i++) {
        const atom = Math.floor(random.next() * n);
        x.set([atoms[2 * atom], atoms[2 * atom + 1]], 2 * i);
      }
      let partner = null;
      if (kind) {
        for (let i = 0; i < GROUP; i++) for (let j = 0; j < GROUP; j++) cost[i * GROUP + j] = (x[2 * i] - z[2 * j]) ** 2 + (x[2 * i + 1] - z[2 * j + 1]) ** 2;
        partner = assign(cost, GROUP, kind === 2);
      }
      for (let i = 0; i < GROUP; i++) {
        const j = partner ? partner[i] : i, t = random.next(), [ax, ay, bx, by] = [x[2 * i], x[2 * i + 1], z[2 * j], z[2 * j + 1]];
        pairs.set([(1 - t) * ax + t * bx, (1 - t) * ay + t * by, t, bx - ax, by - ay], 5 * (start + i));
      }
    }
    return pairs;
  }

  /** Fits a network to the atoms under a coupling, some milliseconds at a time. Adam, cosine decay. */
  class Training {
    constructor(atoms, kind, seed) {
      Object.assign(this, { atoms, kind, random: makeRandom(seed * 3 + kind), step: 0 });
      const start = new Float64Array(N_WEIGHTS), sizes = [3, 0, WIDTH, 0, WIDTH, 0];
      sizes.forEach((inputs, k) => {
        if (!inputs && k !== 1) return; // offsets start at 0, but those of the first layer: its units shall bend in different places
        for (let i = OFFSETS[k]; i < (OFFSETS[k + 1] ?? N_WEIGHTS); i++) start[i] = this.random.normal() / Math.sqrt(inputs || 1);
      });
      this.net = new SmallNet(start);
      for (const name of ["slope", "first", "second"]) this[name] = new Float64Array(N_WEIGHTS);
      const pairs = drawPairs(atoms, kind, this.random, BATCH);
      this.test = { index: OFFSETS[2] + 7 * WIDTH + 5, slope: 0, quotient: 0 }; // one weight's slope by two methods, for the student
      this.lossAndSlope(pairs);
      this.test.slope = this.slope[this.test.index];
      const w = this.net.w, kept = w[this.test.index], sides = [1e-4, -1e-4].map((move) => { w[this.test.index] = kept + move; return this.lossAndSlope(pairs); });
      w[this.test.index] = kept;
      this.test.quotient = (sides[0] - sides[1]) / 2e-4;
    }

    get isDone() {
      return this.step >= N_STEPS;
    }

    /** Half the mean squared miss per pair; its slope along every weight is left in this.slope. */
    lossAndSlope(pairs) {
      const { net: { w, h1, h2 }, net, slope } = this, [W1, B1, W2, B2, W3, B3] = OFFSETS, back = new Float64Array(WIDTH);
      let loss = 0;
      slope.fill(0);
      for (let row = 0; row < pairs.length; row += 5) {
        const x = pairs[row], y = pairs[row + 1], t = pairs[row + 2], s = 2 * t - 1, [vx, vy] = net.at(x, y, t);
        const mx = (vx - pairs[row + 3]) / BATCH, my = (vy - pairs[row + 4]) / BATCH;
        loss += (BATCH * (mx * mx + my * my)) / 2;
        slope[B3] += mx;
        slope[B3 + 1] += my;
        back.fill(0);
        for (let i = 0, at = W2; i < WIDTH; i++) {
          slope[W3 + i] += mx * h2[i];
          slope[W3 + WIDTH + i] += my * h2[i];
          const to2 = (mx * w[W3 + i] + my * w[W3 + WIDTH + i]) * (1 - h2[i] * h2[i]);
          slope[B2 + i] += to2;
          for (let j = 0; j < WIDTH; j++, at++) {
            slope[at] += to2 * h1[j];
            back[j] += to2 * w[at];
          }
        }
        for (let j = 0; j < WIDTH; j++) {
          const to1 = back[j] * (1 - h1[j] * h1[j]);
          slope[W1 + 3 * j] += to1 * x;
          slope[W1 + 3 * j + 1] += to1 * y;
          slope[W1 + 3 * j + 2] += to1 * s;
          slope[B1 + j] += to1;
        }
      }
      return loss;
    }

    /** One step of Adam on a new batch. */
    advance() {
      const { net, slope, first, second, atoms, kind, random } = this, step = ++this.step;
      this.lossAndSlope(drawPairs(atoms, kind, random, BATCH));
      const rate = (RATE * 0.5 * (1 + Math.cos((Math.PI * step) / N_STEPS))) / (1 - 0.9 ** step), fix = 1 / (1 - 0.999 ** step);
      for (let i = 0; i < N_WEIGHTS; i++) {
        first[i] += 0.1 * (slope[i] - first[i]);
        second[i] += 0.001 * (slope[i] * slope[i] - second[i]);
        net.w[i] -= (rate * first[i]) / (Math.sqrt(second[i] * fix) + 1e-8);
      }
    }
  }

  /** What a network in training is measured on: the same pairs at every step, none of them of a batch. stored: the network beside it, or null. */
  class Measure {
    constructor(atoms, kind, stored) {
      this.pairs = drawPairs(atoms, kind, makeRandom(-1 - kind), 4 * GROUP);
      this.stored = stored && this.#along(stored);
      this.storedLoss = stored ? this.#loss(this.stored) : NaN;
      this.exactLoss = kind === 0 ? this.#loss(this.#along({ at: (x, y, t) => finiteVelocity(x, y, t, atoms) })) : NaN;
    }

    /** loss: half the mean squared miss; apart: root mean square of the distance to the stored field, as a share of that field's own. */
    of(net) {
      const v = this.#along(net);
      if (!this.stored) return { loss: this.#loss(v), apart: NaN };
      let gap = 0, size = 0;
      for (let i = 0; i < v.length; i++) {
        gap += (v[i] - this.stored[i]) ** 2;
        size += this.stored[i] ** 2;
      }
      return { loss: this.#loss(v), apart: Math.sqrt(gap / size) };
    }

    #along(net) {
      const { pairs } = this, v = new Float64Array((2 * pairs.length) / 5);
      for (let i = 0; i < v.length / 2; i++) v.set(net.at(pairs[5 * i], pairs[5 * i + 1], pairs[5 * i + 2]), 2 * i);
      return v;
    }

    #loss(v) {
      let sum = 0;
      for (let i = 0; i < v.length / 2; i++) sum += (v[2 * i] - this.pairs[5 * i + 3]) ** 2 + (v[2 * i + 1] - this.pairs[5 * i + 4]) ** 2;
      return sum / v.length;
    }
  }

  Object.assign(WELL, { SmallNet, Training, Measure, scoreOf, N_WEIGHTS, N_STEPS });
}
