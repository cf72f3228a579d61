// Masks as bytes, one a pixel, 0 or 255. What changes a mask gives back the box of pixels that it may have changed: [x0, y0, x1, y1],
// the ends left out. A pixel is changed where its middle lies within the shape, so that nothing is half marked.

const ON = 255;

const joined = (a, b) => (a && b ? [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])] : a ?? b);

/** A round brush from one point to another. */
function brushed({ bytes, width, height }, [ax, ay], [bx, by], radius, value) {
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy, most = Math.max(0.5, radius) ** 2;
  const x0 = Math.max(0, Math.floor(Math.min(ax, bx) - radius - 1)), x1 = Math.min(width, Math.ceil(Math.max(ax, bx) + radius + 1));
  const y0 = Math.max(0, Math.floor(Math.min(ay, by) - radius - 1)), y1 = Math.min(height, Math.ceil(Math.max(ay, by) + radius + 1));
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      const px = x + 0.5 - ax, py = y + 0.5 - ay;
      const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= most) bytes[y * width + x] = value;
    }
  }
  return x0 < x1 && y0 < y1 ? [x0, y0, x1, y1] : null;
}

/** All within a polygon, by the even-odd rule. */
function filled({ bytes, width, height }, points, value) {
  const ys = points.map((point) => point[1]), xs = points.map((point) => point[0]);
  const y0 = Math.max(0, Math.floor(Math.min(...ys))), y1 = Math.min(height, Math.ceil(Math.max(...ys)));
  for (let y = y0; y < y1; y++) {
    const at = y + 0.5, cuts = [];
    points.forEach(([ax, ay], i) => {
      const [bx, by] = points[(i + 1) % points.length];
      if (ay <= at !== by <= at) cuts.push(ax + ((at - ay) / (by - ay)) * (bx - ax));
    });
    cuts.sort((a, b) => a - b);
    for (let k = 0; k + 1 < cuts.length; k += 2) {
      const from = Math.max(0, Math.ceil(cuts[k] - 0.5)), to = Math.min(width, Math.ceil(cuts[k + 1] - 0.5));
      if (from < to) bytes.fill(value, y * width + from, y * width + to);
    }
  }
  const box = [Math.max(0, Math.floor(Math.min(...xs))), y0, Math.min(width, Math.ceil(Math.max(...xs))), y1];
  return box[0] < box[2] && box[1] < box[3] ? box : null;
}

/** Indices of the pixels that hang together with this one and hold the same value; edges count, corners do not. */
function region({ bytes, width, height }, x, y) {
  const first = y * width + x, value = bytes[first], seen = new Uint8Array(bytes.length), found = [first];
  seen[first] = 1;
  for (let k = 0; k < found.length; k++) {
    const i = found[k], column = i % width;
    for (const next of [column > 0 ? i - 1 : -1, column < width - 1 ? i + 1 : -1, i - width, i + width]) {
      if (next >= 0 && next < bytes.length && !seen[next] && bytes[next] === value) {
        seen[next] = 1;
        found.push(next);
      }
    }
  }
  return found;
}

/** The bytes within a box, row by row, and the way back. */
function cut(bytes, width, [x0, y0, x1, y1]) {
  const out = new Uint8Array((x1 - x0) * (y1 - y0));
  for (let y = y0; y < y1; y++) out.set(bytes.subarray(y * width + x0, y * width + x1), (y - y0) * (x1 - x0));
  return out;
}

function put(bytes, width, [x0, y0, x1, y1], values) {
  for (let y = y0; y < y1; y++) bytes.set(values.subarray((y - y0) * (x1 - x0), (y - y0 + 1) * (x1 - x0)), y * width + x0);
}

/** An opaque black and white PNG of the mask, as a data address. */
function encoded({ bytes, width, height }) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height }), values = new ImageData(width, height);
  const words = new Uint32Array(values.data.buffer);
  for (let i = 0; i < words.length; i++) words[i] = bytes[i] ? 0xffffffff : 0xff000000;
  canvas.getContext("2d").putImageData(values, 0, 0);
  return canvas.toDataURL("image/png");
}

/** The mask in a picture: marked is what is lighter than half. */
async function decoded(address, width, height) {
  const values = address ? await pixels(address, width, height) : null, bytes = new Uint8Array(width * height);
  if (values) for (let i = 0; i < bytes.length; i++) bytes[i] = values[4 * i] > 127 ? ON : 0;
  return { bytes, width, height };
}
