// Keys press what says them; forms do the rest, so that the page works without as well.
let sent = false;

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target === document.getElementById("other")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = CSS.escape(event.key.toLowerCase());
  const pressed = document.querySelector(`[aria-keyshortcuts="${key}"]`);
  if (!pressed) return;
  event.preventDefault();
  if (pressed.tagName === "INPUT") pressed.focus();
  else pressed.click();
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
