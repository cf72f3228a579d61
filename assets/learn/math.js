// Lessons, kernel 1 of 5: closed forms of fields and flows, and what is computed from points. Pure functions in float64.
// Time runs from data (t = 0) to standard Gaussian noise (t = 1). Points lie row by row: atoms = [x0, y0, x1, y1, ...].
// The same forms, checked, are in wtflow/flow/exact.py; tests/browser/test_learn_math.py compares the two.

/** Variance of x_t for data of spread s and correlation rho, in a form that cannot fall below 0 by rounding. */
function gaussVariance(t, s, rho) {
  return ((1 - t) * s - t) ** 2 + 2 * (1 + rho) * t * (1 - t) * s;
}

/** Velocity at x, t for data N(m, s^2) whose correlation with the noise is rho: -1 worst, 0 independent, +1 optimal. NaN where it is singular. */
function gaussVelocity(x, t, m, s, rho) {
  const variance = gaussVariance(t, s, rho);
  if (!(variance > 0)) return NaN;
  return -m + ((t - (1 - t) * s * s + rho * s * (1 - 2 * t)) / variance) * (x - (1 - t) * m);
}

/** Where the flow has brought x, which started at t = 0, by time t. NaN for rho = -1 after all paths met at s / (1 + s): the way on is open. */
function gaussFlow(x, t, m, s, rho) {
  if (rho <= -1 && t > s / (1 + s) + 1e-12) return NaN;
  return (1 - t) * m + (Math.sqrt(gaussVariance(t, s, rho)) * (x - m)) / s;
}

/**
 * How likely each atom is the data of the line that passes (px, py) at t, for independent noise: a softmax of -|p - (1-t) a|^2 / (2 t^2), summing
 * to 1. At t = 0 its limit from above: the nearest atoms share all of it. `out` may be a Float64Array to fill.
 */
function posterior(px, py, t, atoms, out = new Float64Array(atoms.length / 2)) {
  const n = out.length, stay = 1 - t, scale = t > 0 ? -0.5 / (t * t) : -Infinity;
  let least = Infinity, sum = 0;
  for (let i = 0; i < n; i++) {
    const dx = px - stay * atoms[2 * i], dy = py - stay * atoms[2 * i + 1];
    out[i] = dx * dx + dy * dy;
    if (out[i] < least) least = out[i];
  }
  for (let i = 0; i < n; i++) {
    const further = out[i] - least;
    sum += out[i] = further === 0 ? 1 : Math.exp(further * scale);
  }
  for (let i = 0; i < n; i++) out[i] /= sum;
  return out;
}

let squares = new Float64Array(0); // reused: millions of estimates must not leave millions of arrays behind
const NOTHING = -45; // a weight of exp(-45) does not show in the 16 digits of a sum that begins with 1

/** E[data | x_t = (px, py)] for data that is one of the atoms: [x, y]. The mean of the atoms by `posterior`, in fewer passes. */
function finiteEstimate(px, py, t, atoms) {
  const n = atoms.length / 2, stay = 1 - t, scale = t > 0 ? -0.5 / (t * t) : -Infinity;
  if (squares.length < n) squares = new Float64Array(n);
  let least = Infinity, sum = 0, x = 0, y = 0;
  for (let i = 0; i < n; i++) {
    const dx = px - stay * atoms[2 * i], dy = py - stay * atoms[2 * i + 1], square = dx * dx + dy * dy;
    squares[i] = square;
    if (square < least) least = square;
  }
  for (let i = 0; i < n; i++) {
    const further = squares[i] - least, logit = further === 0 ? 0 : further * scale;
    if (logit < NOTHING) continue;
    const weight = Math.exp(logit);
    sum += weight;
    x += weight * atoms[2 * i];
    y += weight * atoms[2 * i + 1];
  }
  return [x / sum, y / sum];
}

/** Velocity for data that is one of the atoms, independent noise: (x - E[data | x_t = x]) / t; at t = 0 the value there, -x. */
function finiteVelocity(px, py, t, atoms) {
  if (t === 0) return [-px, -py];
  const [ax, ay] = finiteEstimate(px, py, t, atoms);
  return [(px - ax) / t, (py - ay) / t];
}

/**
 * The way of a particle through the field of finite data, as it passes (x, y) at times[0]: Float64Array [x, y] per time. Times rise from above 0,
 * or fall to 0 or above. Between two times the estimate of the data is held (its mean of both ends), and the rest of the field, linear in x, is
 * solved exactly: so the singular end t = 0 costs nothing. Second order.
 */
function finitePath(x, y, times, atoms) {
  const path = new Float64Array(2 * times.length);
  path.set([x, y]);
  for (let k = 1; k < times.length; k++) {
    const share = times[k] / times[k - 1];
    let [ax, ay] = finiteEstimate(x, y, times[k - 1], atoms);
    if (times[k] > 0) {
      const [bx, by] = finiteEstimate(ax + (x - ax) * share, ay + (y - ay) * share, times[k], atoms);
      [ax, ay] = [(ax + bx) / 2, (ay + by) / 2];
    }
    [x, y] = [ax + (x - ax) * share, ay + (y - ay) * share];
    path[2 * k] = x;
    path[2 * k + 1] = y;
  }
  return path;
}

// Per method its stages: where in the step the field is evaluated (coming from the stage before), and the weight of that value.
const SOLVERS = {
  euler: [[0, 1]],
  midpoint: [[0, 0], [0.5, 1]],
  heun: [[0, 0.5], [1, 0.5]],
  rk4: [[0, 1 / 6], [0.5, 1 / 3], [0.5, 1 / 3], [1, 1 / 6]],
};

/** A path in equal steps from (x0, y0) at t0 to t1 (which may be earlier): Float64Array of steps + 1 points. field(x, y, t) gives [vx, vy]. */
function integrate(field, x0, y0, steps, solver, t0 = 0, t1 = 1) {
  const path = new Float64Array(2 * (steps + 1)), h = (t1 - t0) / steps, stages = SOLVERS[solver];
  if (!stages) throw new Error(`Unknown solver ${solver}: choose one of ${Object.keys(SOLVERS)}.`);
  path.set([x0, y0]);
  for (let k = 0; k < steps; k++) {
    const x = path[2 * k], y = path[2 * k + 1];
    let vx = 0, vy = 0, moveX = 0, moveY = 0;
    for (const [share, weight] of stages) {
      [vx, vy] = field(x + share * h * vx, y + share * h * vy, t0 + (k + share) * h);
      moveX += weight * vx;
      moveY += weight * vy;
    }
    path[2 * k + 2] = x + h * moveX;
    path[2 * k + 3] = y + h * moveY;
  }
  return path;
}

/**
 * The cheapest way (or, with `maximise`, the dearest) to pair n rows with n columns: Int32Array, entry i is the column of row i.
 * cost: Float64Array n * n, row by row. Shortest augmenting paths with potentials, O(n^3): Kuhn 1955, Munkres 1957, Jonker and Volgenant 1987.
 */
function assign(cost, n, maximise = false) {
  const sign = maximise ? -1 : 1, rowPrice = new Float64Array(n + 1), columnPrice = new Float64Array(n + 1);
  const rowOf = new Int32Array(n + 1), cameFrom = new Int32Array(n + 1), least = new Float64Array(n + 1), isDone = new Uint8Array(n + 1);
  for (let row = 1; row <= n; row++) { // rows and columns count from 1: column 0 stands for "the new row's start"
    rowOf[0] = row;
    least.fill(Infinity);
    isDone.fill(0);
    let column = 0;
    do {
      isDone[column] = 1;
      const from = rowOf[column], base = (from - 1) * n - 1;
      let gap = Infinity, next = 0;
      for (let j = 1; j <= n; j++) {
        if (isDone[j]) continue;
        const reduced = sign * cost[base + j] - rowPrice[from] - columnPrice[j];
        if (reduced < least[j]) { least[j] = reduced; cameFrom[j] = column; }
        if (least[j] < gap) { gap = least[j]; next = j; }
      }
      for (let j = 0; j <= n; j++) {
        if (isDone[j]) { rowPrice[rowOf[j]] += gap; columnPrice[j] -= gap; } else least[j] -= gap;
      }
      column = next;
    } while (rowOf[column]);
    for (; column; column = cameFrom[column]) rowOf[column] = rowOf[cameFrom[column]];
  }
  const partner = new Int32Array(n);
  for (let j = 1; j <= n; j++) partner[rowOf[j] - 1] = j - 1;
  return partner;
}

/** The q-quantile of numbers (0 the least, 1 the greatest), linear between neighbours. */
function quantile(values, q) {
  const sorted = Float64Array.from(values).sort(), at = q * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

const CDF_STEP = 1 / 64, CDF_END = 8.5;
let cdfTable = null; // value and slope by turns

/** Phi(x) of the standard normal law, within 1e-9: a table joined by cubics that keep its slope, because a picture needs it many thousand times. */
function normalCdf(x) {
  if (x >= CDF_END) return 1;
  if (x <= -CDF_END) return 0;
  cdfTable ??= Float64Array.from({ length: (4 * CDF_END) / CDF_STEP + 4 }, (_, i) => {
    const at = Math.floor(i / 2) * CDF_STEP - CDF_END;
    return i % 2 ? CDF_STEP * normalDensity(at) : normalTail(-at);
  });
  const place = (x + CDF_END) / CDF_STEP, k = Math.floor(place), u = place - k;
  const a = cdfTable[2 * k], da = cdfTable[2 * k + 1], b = cdfTable[2 * k + 2], db = cdfTable[2 * k + 3];
  return a + u * (da + u * (3 * (b - a) - 2 * da - db + u * (2 * (a - b) + da + db)));
}

/** The density of the standard normal law. */
function normalDensity(x) {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** 1 - Phi(x), with all its digits also where it is tiny: a series up to 3, a continued fraction beyond (both textbook). */
function normalTail(x) {
  if (x < 0) return 1 - normalTail(-x);
  if (x < 3) {
    let term = x, sum = x;
    for (let k = 1; term > 1e-17 * sum; k++) sum += term *= (x * x) / (2 * k + 1);
    return 0.5 - normalDensity(x) * sum;
  }
  let fraction = x;
  for (let k = 60; k > 0; k--) fraction = x + k / fraction;
  return normalDensity(x) / fraction;
}

/** The x whose normalTail is q, 0 < q <= 0.5: Newton's method on the logarithm, down to the smallest numbers. */
function tailQuantile(q) {
  let x = Math.sqrt(Math.max(0, -2 * Math.log(2 * q)));
  for (let k = 0; k < 60; k++) {
    const tail = normalTail(x), step = (Math.log(tail / q) * tail) / normalDensity(x);
    x += step;
    if (Math.abs(step) < 1e-14 * (1 + x)) break;
  }
  return x;
}

/** On a line, data from N(m, s^2) with m one of `means`, equally likely; independent noise. At x, t: density of x_t, its score function d log q / dx, the velocity. */
function mixtureAt(x, t, means, s, out = new Float64Array(3)) {
  const variance = gaussVariance(t, s, 0), stay = 1 - t, n = means.length;
  let least = Infinity, sum = 0, mean = 0;
  for (let k = 0; k < n; k++) least = Math.min(least, (x - stay * means[k]) ** 2);
  for (let k = 0; k < n; k++) {
    const weight = Math.exp((least - (x - stay * means[k]) ** 2) / (2 * variance));
    sum += weight;
    mean += weight * means[k];
  }
  mean /= sum;
  const gap = x - stay * mean;
  out[0] = ((sum / n) * Math.exp(-least / (2 * variance))) / Math.sqrt(2 * Math.PI * variance);
  out[1] = -gap / variance;
  out[2] = -mean + ((t - stay * s * s) / variance) * gap;
  return out;
}

/** Where the exact flow of `mixtureAt` brings x from t = 0 by t = 1. On a line no two paths pass one another, so as much of the noise lies below the end as of the data below x. */
function mixtureEnd(x, means, s) {
  const share = (side) => means.reduce((sum, m) => sum + normalTail((side * (x - m)) / s), 0) / means.length, above = share(1), below = share(-1);
  return above < below ? tailQuantile(above) : -tailQuantile(below);
}
