// Colours of a map, and numbers in words. Python draws the same in wtflow/plots/pictures.py.

const LEVELS = 256, TOP = 65535;

const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));

/** Scores of a map: 16 bits a pixel between its lowest and its highest. */
function scoresOf({ values, low, high, width, height }) {
  const raw = new Uint16Array(bytes(values).buffer);
  return { width, height, raw, low, span: high - low };
}

/** 0 to 255 for each pixel: where its score lies in a range. */
function levelsOf(map, [low, high]) {
  const table = new Uint8Array(TOP + 1), span = high - low;
  for (let i = 0; i <= TOP; i++) {
    const share = span > 0 ? (map.low + (i / TOP) * map.span - low) / span : 0;
    table[i] = Math.round((LEVELS - 1) * Math.min(1, Math.max(0, share)));
  }
  return map.raw.map((value) => table[value]);
}

/** How far each level covers the image at an opacity: low scores less than high ones, so that the part stays visible. */
function coverOf(opacity) {
  return Uint8ClampedArray.from({ length: LEVELS }, (_, i) => 255 * opacity * (i / (LEVELS - 1)) ** (2 - 2 * opacity));
}

/** Paint levels in heat colours on a canvas; cover: alpha of each level. */
function paint(canvas, map, levels, heat, cover) {
  if (canvas.width !== map.width || canvas.height !== map.height) Object.assign(canvas, { width: map.width, height: map.height });
  const pixels = new Uint8ClampedArray(4 * levels.length);
  levels.forEach((level, i) => {
    pixels.set(heat.subarray(3 * level, 3 * level + 3), 4 * i);
    pixels[4 * i + 3] = cover[level];
  });
  canvas.getContext("2d").putImageData(new ImageData(pixels, map.width, map.height), 0, 0);
}

const score = (value) => String(Number(value.toPrecision(4)));

/** Some round numbers between two ends. */
function ticksOf([low, high], most = 5) {
  const raw = (high - low) / most;
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw)), step = power * ([1, 2, 5].find((one) => one * power >= raw) ?? 10);
  const ticks = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) ticks.push(Number((i * step).toPrecision(6)));
  return ticks;
}
