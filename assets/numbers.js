// Numbers in words, by the rules of wtflow/numbers.py: a test compares both. Joined in front of the parts that use it.

const NBSP = "\u00a0";

/** The value with at most so many decimals, without zeros at the end, and a comma at each thousand. */
function trimmed(value, digits) {
  const [whole, decimals = ""] = value.toFixed(digits).split("."), kept = decimals.replace(/0+$/, "");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (kept && `.${kept}`);
}

/** A share: 34 %, 3.4 %, 99.6 %; under 0.0001 % it says so. */
function toPercent(share) {
  const value = Math.round(1e6 * share) / 1e4, away = Math.abs(100 - value);
  if (value === 0 && share > 0) return `under 0.0001${NBSP}%`;
  const digits = value < 10 ? (value ? 1 - Math.floor(Math.log10(value)) : 0) : away > 0 && away < 1 ? -Math.floor(Math.log10(away)) : 0;
  return `${trimmed(value, digits)}${NBSP}%`;
}

/** A score as a share of the threshold; null where a share means nothing. */
function ofThreshold(score, threshold) {
  if (!(Number.isFinite(score) && threshold > 0 && score >= 0)) return null;
  const share = score / threshold;
  return share >= 10 ? `${Math.round(share).toLocaleString("en-US")} times the threshold` : `${toPercent(share)} of the threshold`;
}

/** A time of the flow: t = 0.35. */
const toTime = (t) => (t > 0 && t < 0.005 ? `t = ${Number(t.toPrecision(1))}` : `t = ${trimmed(t, 2)}`);
