"use strict";
(async () => {
  const { classes, points: places } = await (await fetch("points")).json();
  const canvas = document.getElementById("space");
  const hover = document.getElementById("hover");
  const points = places.map(([x, y, kind, picture, id, title, path], item) =>
    ({ item, kind, x, y, picture, id, title, path }));
  const likeAddress = (point) => `./?${new URLSearchParams({ like: point.id })}`;
  let chosen = null;
  document.getElementById("map").hidden = false;

  function show(point) {
    chosen = point;
    if (!point) return;
    // Texts of the catalogue are set as text, never as markup.
    const title = document.createElement("a");
    title.textContent = point.title || "(no text)";
    title.href = likeAddress(point);
    const picture = new Image();
    picture.alt = "";
    picture.src = `picture/${point.picture}`;
    const words = document.createElement("span");
    words.append(title, document.createElement("br"), point.path);
    hover.replaceChildren(...(point.picture === null ? [words] : [picture, words]));
  }
  const space = spaceMap({ points, classes, show });
  // A mouse has shown the point already; a finger shows it first and opens it with its link.
  canvas.addEventListener("click", (event) => {
    const point = space.nearest(event);
    if (point && event.pointerType === "mouse") location.assign(likeAddress(point));
    else space.choose(point);
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && chosen) location.assign(likeAddress(chosen));
  });
})();
