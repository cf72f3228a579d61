// "Follow this defect", part 1 of 4: what a position is at any time. Between two saved states it moves in a straight line, so its
// distance follows from its norms at both ends and the inner product of the two.
// pages/ui/follow/strip.py joins assets/field_paint.js, field_axes.js, field_parts.js, numbers.js and this folder to one module.

/** Decoded paths of n positions with distances and scores at any time. */
class Paths {
  constructor({ norm, between, t, channels, factors = null }) {
    Object.assign(this, { norm: decode(norm), between: decode(between), t, channels, factors: factors && decode(factors) });
    this.n = this.norm.length / t.length;
  }

  /** Square of the distance from the origin of position i at a moment {step, next, share}. */
  square(i, { step, next, share }) {
    const a = this.norm[step * this.n + i], b = this.norm[next * this.n + i], stay = 1 - share;
    return Math.max(0, stay * stay * a * a + 2 * share * stay * this.between[step * this.n + i] + share * share * b * b);
  }

  distance(i, now) {
    return Math.sqrt(this.square(i, moment(this.t, now)));
  }

  /** The score of position i if the flow ended now. */
  score(i, now) {
    const at = moment(this.t, now);
    return this.square(i, at) / (2 * this.channels) / this.factor(i, at);
  }

  factor(i, { step, next, share }) {
    return this.factors ? (1 - share) * this.factors[step * this.n + i] + share * this.factors[next * this.n + i] : 1;
  }

  /** The scores of all positions now, into `out`. */
  scores(now, out) {
    const at = moment(this.t, now);
    for (let i = 0; i < this.n; i++) out[i] = this.square(i, at) / (2 * this.channels) / this.factor(i, at);
    return out;
  }
}

/** A quantity known at rising times, at any time. */
function between(times, values, now) {
  const { step, next, share } = moment(times, now);
  return values[step] + (values[next] - values[step]) * share;
}

/** Radius as it is drawn: itself inside the disc, logarithmic beyond, as wtflow/plots/disc.py has it. */
const drawnIn = (radius, scale) => (radius <= 1 ? radius : 1 + scale * Math.log(radius));

/** The heat scale as 256 colours, whole: as pictures show it. */
function heatColours(stops) {
  const points = stops.map(([at, css]) => [at, toRgb(css)]);
  return Array.from({ length: 256 }, (_, i) => {
    const at = i / 255, k = Math.max(1, points.findIndex(([stop]) => stop >= at)), [[from, low], [to, high]] = [points[k - 1], points[k]];
    return low.map((value, c) => Math.round(value + ((high[c] - value) * (at - from)) / (to - from)));
  });
}

/** A multiple of the disc's radius: 0.71 times, 2.3 times, 34 times. */
const times = (radius) => `${radius < 10 ? radius.toFixed(2) : radius.toFixed(0)} times`;
