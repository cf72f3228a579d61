// What the components share to build their parts. Joined in front of the scripts that use it.

function add(parent, tag, attributes = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.append(text);
  parent.append(element);
  return element;
}

/** The picture at this address, ready to be drawn. */
async function load(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

/** RGBA of the picture at this address at this size, row by row. */
async function pixels(address, width, height) {
  const image = await load(address);
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}
