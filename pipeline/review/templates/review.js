// Keys press the buttons that say them; forms do the rest, so that the page works without as well.
const buttons = {a: "accept", k: "keep", s: "skip", u: "undo"};
let sent = false;

document.addEventListener("keydown", event => {
  const field = document.getElementById("other");
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target === field) {
    if (event.key === "Escape") field.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (key === "e" && field) {
    event.preventDefault();
    field.focus();
  } else if (key in buttons) {
    document.getElementById(buttons[key])?.click();
  }
});

// The next finding may not be there yet when a key is pressed twice.
document.addEventListener("submit", event => {
  if (sent) event.preventDefault();
  sent = true;
});

// A page that the browser has kept shows what is decided already.
window.addEventListener("pageshow", event => {
  if (event.persisted) location.reload();
});
