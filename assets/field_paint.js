// The particle field, part 1 of 5: numbers from text, colours, and the two painters of points and trails.
// pages/ui/flow/field.py joins the parts to one module.

const KINDS = { f4: Float32Array, i4: Int32Array };

/** Typed array of an encoded one: base64 of little-endian numbers, row by row. */
function decode({ data, kind }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new KINDS[kind](bytes.buffer);
}

const sample = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });

/** [red, green, blue] from 0 to 255 of any CSS colour. */
function toRgb(css) {
  sample.clearRect(0, 0, 1, 1);
  sample.fillStyle = css;
  sample.fillRect(0, 0, 1, 1);
  return [...sample.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** 256 colours of the heat scale without the end that the ground would swallow: dark on dark, or pale on white. */
function heatTable(stops, isDark) {
  const [first, last] = isDark ? [0.24, 1] : [0, 0.86];
  const points = stops.map(([at, css]) => [at, toRgb(css)]);
  return Array.from({ length: 256 }, (_, i) => {
    const at = first + ((last - first) * i) / 255;
    const k = Math.max(1, points.findIndex(([stop]) => stop >= at));
    const [[from, low], [to, high]] = [points[k - 1], points[k]];
    return low.map((value, c) => Math.round(value + ((high[c] - value) * (at - from)) / (to - from)));
  });
}

/** The saved step at or before time `now`, and which share of the way to the next one has passed. */
function moment(t, now) {
  if (t.length === 1) return { step: 0, next: 0, share: 0 };
  let step = 0;
  while (step < t.length - 2 && t[step + 1] <= now) step++;
  return { step, next: step + 1, share: Math.min(1, Math.max(0, (now - t[step]) / (t[step + 1] - t[step]))) };
}

/** A view's places (x, y of every particle at every saved time) from those sent: as they are, or from radii and angles. */
function placesOf(parts, arrays, n) {
  if (parts.xy !== undefined) return arrays[parts.xy];
  const radius = arrays[parts.radius], angle = arrays[parts.angle], points = new Float32Array(2 * radius.length);
  for (let k = 0; k < radius.length; k++) {
    const turn = angle[angle.length === n ? k % n : k];
    points[2 * k] = radius[k] * Math.cos(turn);
    points[2 * k + 1] = radius[k] * Math.sin(turn);
  }
  return points;
}

/** What a select offers: a view of a family stands for all of it. */
const familyOf = ({ family, key }) => family || key;

/* A particle's look is four bytes: red, green, blue, and its state with the number of its shape. Both painters take
     scene = { key, points (S*N*2), n, t, now, at (a moment), frame {x0, x1, y0, y1}, width, height (CSS px), ratio (device px),
               size (px), opacity, rim (px), ground [r, g, b], isDraft (a part of the points will do),
               trails: null or { fade (in t), width (px), opacity },
               lines: null or { key, points, trails, size, opacity }: other ways of the same particles, in `grey` [r, g, b] below }. */
const HIDDEN = 0, DIM = 64, PLAIN = 128, CHOSEN = 192;
const CORNERS = { // of each shape within a disc's square, y upwards; the order is that of the numbers
  disc: null, triangle: [[0, 1], [1, -0.8], [-1, -0.8]], square: [[0.8, 0.8], [0.8, -0.8], [-0.8, -0.8], [-0.8, 0.8]],
  diamond: [[0, 1], [1, 0], [0, -1], [-1, 0]],
  cross: [[0.36, 1], [0.36, 0.36], [1, 0.36], [1, -0.36], [0.36, -0.36], [0.36, -1], [-0.36, -1], [-0.36, -0.36], [-1, -0.36], [-1, 0.36], [-0.36, 0.36], [-0.36, 1]],
  wedge: [[0, -1], [1, 0.8], [-1, 0.8]],
};
const SHAPES = Object.keys(CORNERS);
const SHAPED = 1.3; // shapes with corners are drawn larger, for as much ink as a disc
const DIMMED = 0.16;
const TABLE_WIDTH = 1024; // textures are tables of this many columns, row by row
const DRAFT = 4; // a draft has every fourth point

/** Red, green and blue of particle i. */
function rgbOf(i, { kind, values, rgb, range }, theme) {
  if (kind === "group") return rgb[values[i]];
  if (!Number.isFinite(values[i])) return theme.missing;
  return theme.heat[Math.round(255 * Math.min(1, Math.max(0, (values[i] - range[0]) / (range[1] - range[0]))))];
}

/** Looks (4N bytes) of all particles and the order to draw them in: rare groups, high values and selected ones on top of the others. */
function looksOf(n, colour, groups, hidden, selected, theme) {
  const looks = new Uint8Array(4 * n), rank = new Uint16Array(n);
  const byCount = colour.kind === "group" && colour.names.map((_, group) => group).sort((a, b) => (b === colour.back) - (a === colour.back) || colour.counts[b] - colour.counts[a]);
  const rankOf = byCount && byCount.map((_, group) => byCount.indexOf(group)), chosen = byCount ? byCount.length : 257;
  for (let i = 0; i < n; i++) {
    const [red, green, blue] = rgbOf(i, colour, theme), value = colour.values[i], isChosen = selected.size && selected.has(i);
    looks[4 * i] = red;
    looks[4 * i + 1] = green;
    looks[4 * i + 2] = blue;
    const shape = groups ? SHAPES.indexOf(groups.shapes[groups.values[i]]) : 0;
    looks[4 * i + 3] = groups && hidden.has(groups.values[i]) ? HIDDEN : shape + (!selected.size ? PLAIN : isChosen ? CHOSEN : DIM);
    const share = (value - colour.range?.[0]) / (colour.range?.[1] - colour.range?.[0]);
    rank[i] = (byCount ? rankOf[value] : Number.isFinite(value) ? 1 + Math.round(255 * Math.min(1, Math.max(0, share))) : 0) + (isChosen ? chosen : 0);
  }
  const start = new Uint32Array(2 * chosen + 1), order = new Uint32Array(n);
  for (const value of rank) start[value + 1]++;
  for (let k = 1; k < start.length; k++) start[k] += start[k - 1];
  for (let i = 0; i < n; i++) order[start[rank[i]]++] = i;
  return { looks, order };
}

const FRAME_GLSL = `uniform vec4 frame; vec2 place(vec2 p) { return (p - frame.xy) * frame.zw; }
float stateOf(vec4 look) { return floor((look.a * 255.0 + 0.5) / 64.0); }`;

const POINT_VERTEX = `#version 300 es
layout(location=0) in vec2 a; layout(location=1) in vec2 b; layout(location=2) in vec4 look;
uniform float share, size, opacity; uniform vec4 tint; out vec4 ink; out float diameter; flat out int shape; ${FRAME_GLSL}
void main() {
  float state = stateOf(look);
  gl_Position = state < 0.5 ? vec4(2, 2, 2, 1) : vec4(place(mix(a, b, share)) * 2.0 - 1.0, 0, 1);
  shape = int(look.a * 255.0 + 0.5) - 64 * int(state);
  gl_PointSize = diameter = size * (state > 2.5 ? 1.2 : 1.0) * (shape > 0 ? ${SHAPED.toFixed(2)} : 1.0) + 1.0;
  ink = vec4(mix(look.rgb, tint.rgb, tint.a), state < 1.5 ? opacity * ${DIMMED} : state > 2.5 ? 1.0 : opacity);
}`;

const POINT_FRAGMENT = `#version 300 es
precision mediump float; in vec4 ink; in float diameter; flat in int shape; uniform float rim; uniform vec3 ground; out vec4 colour;
float depth(vec2 p) { // how far p lies within the shape, whose disc has radius 1; as CORNERS has them
  vec2 a = abs(p);
  if (shape == 1 || shape == 5) { p.y = shape == 1 ? p.y : -p.y; return min(p.y + 0.8, (1.0 - 1.8 * a.x - p.y) / 2.06); }
  if (shape == 2) return 0.8 - max(a.x, a.y);
  if (shape == 3) return (1.0 - a.x - a.y) / 1.414;
  if (shape == 4) return min(1.0 - max(a.x, a.y), 0.36 - min(a.x, a.y));
  return 1.0 - length(p);
}
void main() {
  float inside = diameter * 0.5 * depth((gl_PointCoord - 0.5) * vec2(2, -2));
  float cover = clamp(inside, 0.0, 1.0) * ink.a;
  if (cover <= 0.0) discard;
  colour = vec4(mix(ground, ink.rgb, rim > 0.0 ? clamp(inside - rim + 0.5, 0.25, 1.0) : 1.0) * cover, cover);
}`;

// Four vertices are one particle's way between two saved times, a quad cut at `now`. They fetch positions and looks from textures by
// their own number: instances would need less, but a browser without a graphics card draws each as if it were a separate call.
const TRAIL_VERTEX = `#version 300 es
precision highp sampler2D; uniform sampler2D positions, looks; uniform int first, second;
uniform vec2 span, pixels; uniform float now, fade, width, opacity; uniform vec4 tint; out vec4 ink; out float across, reach; ${FRAME_GLSL}
vec4 read(sampler2D table, int i) { return texelFetch(table, ivec2(i % ${TABLE_WIDTH}, i / ${TABLE_WIDTH}), 0); }
void main() {
  int i = gl_VertexID / 4; vec2 corner = vec2((gl_VertexID / 2) % 2, (gl_VertexID % 2) * 2 - 1);
  vec2 a = read(positions, first + i).xy, b = read(positions, second + i).xy; vec4 look = read(looks, i);
  float end = clamp((now - span.x) / (span.y - span.x), 0.0, 1.0), state = stateOf(look);
  vec2 from = place(a), to = place(mix(a, b, end)), way = (to - from) * pixels;
  vec2 along = length(way) > 0.0 ? normalize(way) : vec2(1, 0);
  reach = width * 0.5 + 0.5; across = corner.y * reach;
  vec2 at = mix(from, to, corner.x) + across * vec2(-along.y, along.x) / pixels;
  float age = (now - mix(span.x, span.y, corner.x * end)) / fade;
  ink = vec4(mix(look.rgb, tint.rgb, tint.a), opacity * max(0.0, 1.0 - age) * (state < 1.5 ? ${DIMMED} : state > 2.5 ? 1.6 : 1.0));
  gl_Position = state < 0.5 ? vec4(2, 2, 2, 1) : vec4(at * 2.0 - 1.0, 0, 1);
}`;

const TRAIL_FRAGMENT = `#version 300 es
precision mediump float; in vec4 ink; in float across, reach; out vec4 colour;
void main() {
  float cover = clamp(reach - abs(across), 0.0, 1.0) * ink.a;
  colour = vec4(ink.rgb * cover, cover);
}`;

/** Points and trails by WebGL 2. A view's positions are uploaded once; a frame only changes uniforms. Throws where there is no WebGL 2. */
class GlPainter {
  name = "webgl";

  constructor(canvas) {
    this.canvas = canvas;
    const gl = (this.gl = canvas.getContext("webgl2", { antialias: false, depth: false, premultipliedAlpha: true }));
    if (!gl) throw new Error("no WebGL 2");
    this.points = this.#program(POINT_VERTEX, POINT_FRAGMENT);
    this.trails = this.#program(TRAIL_VERTEX, TRAIL_FRAGMENT);
    this.looks = { buffer: gl.createBuffer(), table: null };
    this.order = gl.createBuffer();
    this.quads = { buffer: gl.createBuffer(), n: 0 };
    this.views = new Map();
    this.nothing = gl.createVertexArray(); // trails take no attributes
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    for (const location of [0, 1, 2]) gl.enableVertexAttribArray(location);
  }

  /** Forget the positions of a field that is no longer shown. */
  clear() {
    for (const { buffer, table } of this.views.values()) this.gl.deleteBuffer(buffer), this.gl.deleteTexture(table);
    this.views.clear();
  }

  /** looks (4N bytes) and the order in which points are drawn (N indices, last on top). */
  setLooks(looks, order) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.looks.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, looks, gl.STATIC_DRAW);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    const draft = order.filter((_, k) => k % DRAFT === 0); // lies behind the whole order
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, 4 * (order.length + draft.length), gl.STATIC_DRAW);
    gl.bufferSubData(gl.ELEMENT_ARRAY_BUFFER, 0, order);
    gl.bufferSubData(gl.ELEMENT_ARRAY_BUFFER, 4 * order.length, draft);
    gl.deleteTexture(this.looks.table);
    this.looks.table = this.#table(looks, 4, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE);
  }

  draw(scene) {
    const { gl } = this, { frame } = scene;
    fitCanvas(this.canvas, scene);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const window = [frame.x0, frame.y0, 1 / (frame.x1 - frame.x0), 1 / (frame.y1 - frame.y0)];
    if (scene.lines) this.#drawAll({ ...scene, ...scene.lines }, window, [...scene.grey.map((value) => value / 255), 1]);
    this.#drawAll(scene, window, [0, 0, 0, 0]);
  }

  #drawAll(scene, window, tint) {
    const { gl } = this, { ratio, n, at } = scene;
    if (scene.trails) this.#drawTrails(scene, window, tint);
    const set = this.#use(this.points, window, scene.opacity);
    gl.uniform4fv(set.tint, tint);
    gl.uniform1f(set.share, at.share);
    gl.uniform1f(set.size, scene.size * ratio);
    gl.uniform1f(set.rim, scene.rim * ratio);
    gl.uniform3fv(set.ground, scene.ground.map((value) => value / 255));
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#view(scene).buffer);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, at.step * n * 8);
    gl.vertexAttribPointer(1, 2, gl.FLOAT, false, 0, at.next * n * 8);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.looks.buffer);
    gl.vertexAttribPointer(2, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.drawElements(gl.POINTS, scene.isDraft ? Math.ceil(n / DRAFT) : n, gl.UNSIGNED_INT, scene.isDraft ? 4 * n : 0);
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #drawTrails({ key, points, t, now, n, ratio, trails }, window, tint) {
    const { gl } = this, view = this.#view({ key, points }), set = this.#use(this.trails, window, trails.opacity);
    view.table ??= this.#table(points, 2, gl.RG32F, gl.RG, gl.FLOAT);
    [view.table, this.looks.table].forEach((table, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, table);
    });
    gl.uniform4fv(set.tint, tint);
    gl.uniform1i(set.positions, 0);
    gl.uniform1i(set.looks, 1);
    gl.uniform2f(set.pixels, this.canvas.width, this.canvas.height);
    gl.uniform1f(set.now, now);
    gl.uniform1f(set.fade, trails.fade);
    gl.uniform1f(set.width, trails.width * ratio);
    gl.bindVertexArray(this.nothing);
    this.#bindQuads(n);
    for (let step = 0; step + 1 < t.length && t[step] < now; step++) {
      if (t[step + 1] <= now - trails.fade) continue;
      gl.uniform2f(set.span, t[step], t[step + 1]);
      gl.uniform1i(set.first, step * n);
      gl.uniform1i(set.second, (step + 1) * n);
      gl.drawElements(gl.TRIANGLES, 6 * n, gl.UNSIGNED_INT, 0);
    }
    gl.bindVertexArray(null);
  }

  /** Indices of two triangles for each of n quads. */
  #bindQuads(n) {
    const { gl, quads } = this;
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, quads.buffer);
    if (quads.n === n) return;
    const corners = [0, 1, 2, 2, 1, 3];
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, Uint32Array.from({ length: 6 * n }, (_, k) => 4 * Math.floor(k / 6) + corners[k % 6]), gl.STATIC_DRAW);
    quads.n = n;
  }

  #view({ key, points }) {
    const { gl } = this;
    if (!this.views.has(key)) {
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, points, gl.STATIC_DRAW);
      this.views.set(key, { buffer, table: null });
    }
    return this.views.get(key);
  }

  /** A texture with one row after the other of an array's items, `parts` numbers each. */
  #table(values, parts, inside, format, type) {
    const { gl } = this, rows = Math.ceil(values.length / parts / TABLE_WIDTH), padded = new values.constructor(rows * TABLE_WIDTH * parts);
    padded.set(values);
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, inside, TABLE_WIDTH, rows, 0, format, type, padded);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    return texture;
  }

  #use({ program, uniforms }, window, opacity) {
    const { gl } = this;
    gl.useProgram(program);
    gl.uniform4fv(uniforms.frame, window);
    gl.uniform1f(uniforms.opacity, opacity);
    return uniforms;
  }

  #program(...sources) {
    const { gl } = this;
    const program = gl.createProgram();
    sources.forEach((source, i) => {
      const shader = gl.createShader(i ? gl.FRAGMENT_SHADER : gl.VERTEX_SHADER);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    });
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) || "shaders do not link");
    const uniforms = {};
    for (let i = 0; i < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); i++) {
      const { name } = gl.getActiveUniform(program, i);
      uniforms[name] = gl.getUniformLocation(program, name);
    }
    return { program, uniforms };
  }
}

const MOST_DRAWN_TRAILS = 500; // the 2-D canvas draws trails one by one
const SQUARES_FROM = 4000; // and small squares instead of discs for this many points

/** The same picture on a 2-D canvas, for browsers without WebGL 2. */
class CanvasPainter {
  name = "canvas";

  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.batches = new Map();
  }

  clear() {}
  destroy() {}

  setLooks(looks, order) {
    this.batches.clear();
    for (const i of order) {
      const [red, green, blue, state] = looks.subarray(4 * i, 4 * i + 4);
      if (state === HIDDEN) continue;
      const name = `${state} ${red},${green},${blue}`, css = `rgb(${red},${green},${blue})`;
      if (!this.batches.has(name)) this.batches.set(name, { css, state: state - (state % 64), corners: CORNERS[SHAPES[state % 64]], members: [] });
      this.batches.get(name).members.push(i);
    }
  }

  draw(scene) {
    const { pen } = this;
    fitCanvas(this.canvas, scene);
    pen.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
    pen.clearRect(0, 0, scene.width, scene.height);
    if (scene.lines) this.#drawAll({ ...scene, ...scene.lines }, `rgb(${scene.grey})`);
    this.#drawAll(scene, null);
  }

  #drawAll(scene, tint) {
    const { pen } = this, { at, n, points, frame, width, height, t, now } = scene;
    const scaleX = width / (frame.x1 - frame.x0), scaleY = height / (frame.y1 - frame.y0);
    const place = (step, next, share, i) => {
      const a = 2 * (step * n + i), b = 2 * (next * n + i);
      return [(points[a] + (points[b] - points[a]) * share - frame.x0) * scaleX,
              (frame.y1 - points[a + 1] - (points[b + 1] - points[a + 1]) * share) * scaleY];
    };
    const faintness = (state) => (state === DIM ? DIMMED : 1);
    for (const { css, state, members } of scene.trails && n <= MOST_DRAWN_TRAILS ? this.batches.values() : []) {
      pen.strokeStyle = tint ?? css;
      pen.lineWidth = scene.trails.width;
      for (let step = 0; step + 1 < t.length && t[step] < now; step++) {
        const age = (now - t[step + 1]) / scene.trails.fade;
        if (age >= 1) continue;
        pen.globalAlpha = scene.trails.opacity * (1 - Math.max(0, age)) * faintness(state);
        pen.beginPath();
        for (const i of members) {
          pen.moveTo(...place(step, step + 1, 0, i));
          pen.lineTo(...place(step, step + 1, Math.min(1, (now - t[step]) / (t[step + 1] - t[step])), i));
        }
        pen.stroke();
      }
    }
    for (const { css, state, corners, members } of this.batches.values()) {
      const size = scene.size * (state === CHOSEN ? 1.2 : 1) * (corners ? SHAPED : 1), radius = size / 2;
      pen.fillStyle = tint ?? css;
      pen.globalAlpha = state === CHOSEN ? 1 : scene.opacity * faintness(state);
      if (n < SQUARES_FROM) pen.beginPath();
      for (let k = 0; k < members.length; k += scene.isDraft ? DRAFT : 1) {
        const [x, y] = place(at.step, at.next, at.share, members[k]);
        if (n >= SQUARES_FROM) pen.fillRect(x - radius, y - radius, size, size);
        else if (corners) corners.forEach(([across, up], k) => (k ? pen.lineTo : pen.moveTo).call(pen, x + radius * across, y - radius * up)), pen.closePath();
        else pen.moveTo(x + radius, y), pen.arc(x, y, radius, 0, 7);
      }
      if (n < SQUARES_FROM) pen.fill();
    }
  }
}

/** Give a canvas as many pixels as the screen has for it. */
function fitCanvas(canvas, { width, height, ratio }) {
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
}
