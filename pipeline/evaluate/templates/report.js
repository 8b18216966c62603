"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const canvas = document.getElementById("space");
  if (!canvas) return;
  const hover = document.getElementById("hover");
  const picture = hover.querySelector("i");
  const caption = hover.querySelector("div");
  const shown = new Set(Object.keys(data.points));
  const points = Object.entries(data.points).flatMap(([modality, places]) =>
    places.flatMap((place, item) => place ? [{
      modality, item, x: place[0], y: place[1],
      kind: data.items[item][2], square: modality !== "image",
    }] : []));

  function show(point) {
    if (!point) return;
    const [text, path] = data.items[point.item];
    const side = data.side;
    picture.style.cssText = `display:block;width:${side}px;height:${side}px;` +
      `background-image:url(data:image/webp;base64,${data.sheet});background-position:` +
      `-${(point.item % data.columns) * side}px -${Math.floor(point.item / data.columns) * side}px`;
    // Texts of the catalogue are set as text, never as markup.
    const title = document.createElement("b");
    title.textContent = text;
    caption.replaceChildren(title, document.createElement("br"), path, ` (${point.modality})`);
  }
  const { classes } = data;
  const space = spaceMap({
    points, classes, show, visible: (point) => shown.has(point.modality),
  });
  canvas.addEventListener("pointerdown", (event) => space.choose(space.nearest(event)));
  document.querySelectorAll(".choose input").forEach((box) =>
    box.addEventListener("change", () => {
      if (box.checked) shown.add(box.value);
      else shown.delete(box.value);
      space.choose(null);
    }));
})();
