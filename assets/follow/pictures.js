// "Follow this defect", part 2 of 4: the image, the enlarged patch and the map. All in CSS pixels of their canvas.

const AROUND = 7; // positions of the grid that an enlarged patch shows side by side
const FINE_PX = 256; // the map is interpolated to so many pixels at most, from scores and not from colours

/** Where a picture of this shape lies within a canvas: as large as fits, in the middle. */
function fitted(width, height, wide, high) {
  const scale = Math.min(wide / width, high / height), w = width * scale, h = height * scale;
  return { left: (wide - w) / 2, top: (high - h) / 2, width: w, height: h };
}

/** The frame of a position of the grid within a box. */
function frameOf([row, column], [rows, columns], box) {
  const width = box.width / columns, height = box.height / rows;
  return { left: box.left + column * width, top: box.top + row * height, width, height };
}

/** A frame that can be seen on any ground: colour within dark. */
function drawFrame(pen, { left, top, width, height }, css, halo, thick = 2, dash = []) {
  const least = 5, grow = Math.max(0, (least - Math.min(width, height)) / 2); // a tiny position still shows
  for (const [ink, thickness] of [[halo, thick + 2.5], [css, thick]]) {
    Object.assign(pen, { strokeStyle: ink, lineWidth: thickness, globalAlpha: ink === halo ? 0.75 : 1 });
    pen.setLineDash(ink === halo ? [] : dash);
    pen.strokeRect(left - grow, top - grow, width + 2 * grow, height + 2 * grow);
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}

/** The true defect's outline within a box that shows the whole image, or a part of it. */
function drawOutline(pen, outline, box, look, thick = 1.4) {
  for (const [ink, thickness] of [[look.halo, thick + 2], [look.truth, thick]]) {
    Object.assign(pen, { strokeStyle: ink, lineWidth: thickness, globalAlpha: ink === look.halo ? 0.6 : 1, lineJoin: "round" });
    for (const points of outline) {
      pen.beginPath();
      for (let k = 0; k < points.length; k += 2) pen.lineTo(box.left + points[k] * box.width, box.top + points[k + 1] * box.height);
      pen.stroke();
    }
  }
  pen.globalAlpha = 1;
}

/** The part of an image around a position, in shares of its sides: AROUND positions a side, moved inward at the border. */
function windowAround([row, column], [rows, columns]) {
  const side = (at, n) => {
    const length = Math.min(AROUND, n) / n;
    return [clamp((at + 0.5) / n - length / 2, 0, 1 - length), length];
  };
  const [top, height] = side(row, rows), [left, width] = side(column, columns);
  return { left, top, width, height };
}

/** A piece of an image, as large as fits in a box of the canvas, and its position framed; returns where the image would lie. */
function drawPatch(pen, image, cell, grid, box, look, css, outline, dash) {
  const part = windowAround(cell, grid), { naturalWidth: w, naturalHeight: h } = image;
  const place = fitted(part.width * w, part.height * h, box.width, box.height);
  const at = { left: box.left + place.left, top: box.top + place.top, width: place.width, height: place.height };
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, part.left * w, part.top * h, part.width * w, part.height * h, at.left, at.top, at.width, at.height);
  const whole = { left: at.left - (part.left / part.width) * at.width, top: at.top - (part.top / part.height) * at.height, width: at.width / part.width, height: at.height / part.height };
  pen.save();
  pen.beginPath();
  pen.rect(at.left, at.top, at.width, at.height);
  pen.clip();
  drawOutline(pen, outline, whole, look, 1.6);
  pen.restore();
  drawFrame(pen, frameOf(cell, grid, whole), css, look.halo, 2.5, dash);
  return at;
}

/** Linear interpolation from n_in to n_out cells between their centres, as the run's own maps are enlarged: lower neighbour and share. */
function stretch(n_in, n_out) {
  const low = new Int32Array(n_out), share = new Float32Array(n_out);
  for (let k = 0; k < n_out; k++) {
    const centre = clamp(((k + 0.5) * n_in) / n_out - 0.5, 0, n_in - 1);
    low[k] = Math.min(Math.floor(centre), Math.max(0, n_in - 2));
    share[k] = n_in > 1 ? centre - low[k] : 0;
  }
  return { low, share, next: n_in > 1 ? 1 : 0 };
}

/** The map of an image, drawn again for every time on a canvas of its own. */
class HeatMap {
  constructor([rows, columns], aspect, colours, range) {
    const width = aspect >= 1 ? FINE_PX : Math.round(FINE_PX * aspect), height = aspect >= 1 ? Math.round(FINE_PX / aspect) : FINE_PX;
    Object.assign(this, { rows, columns, width, height, colours, range });
    this.canvas = make("canvas", { width, height });
    this.pen = this.canvas.getContext("2d");
    this.image = this.pen.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.ink = Uint32Array.from(colours, ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red); // as little-endian memory has them
    this.down = stretch(rows, height);
    this.across = stretch(columns, width);
    this.scores = new Float32Array(rows * columns);
    this.wide = new Float32Array(rows * width); // stretched across, not yet down
  }

  colourOf(score) {
    const [low, high] = this.range;
    return this.colours[Math.round(255 * clamp((score - low) / (high - low || 1), 0, 1))];
  }

  paint(paths, now) {
    if (this.at === now) return this.canvas;
    this.at = now;
    const { rows, columns, width, height, pixels, ink, scores, wide, across, down } = this, [low, high] = this.range, unit = 255 / (high - low || 1);
    paths.scores(now, scores);
    for (let row = 0, k = 0; row < rows; row++) {
      for (let x = 0; x < width; x++, k++) {
        const left = row * columns + across.low[x], value = scores[left];
        wide[k] = value + (scores[left + across.next] - value) * across.share[x];
      }
    }
    for (let y = 0, k = 0; y < height; y++) {
      const top = down.low[y] * width, bottom = top + down.next * width, share = down.share[y];
      for (let x = 0; x < width; x++, k++) {
        const value = wide[top + x] + (wide[bottom + x] - wide[top + x]) * share;
        pixels[k] = ink[Math.round(clamp((value - low) * unit, 0, 255))];
      }
    }
    this.pen.putImageData(this.image, 0, 0);
    return this.canvas;
  }
}
