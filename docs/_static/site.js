// Boxes of notebook outputs that scroll sideways can be reached, and so scrolled, with the keyboard.
function reachScrollingBoxes() {
  for (const box of document.querySelectorAll("div.cell_output .output, div.highlight pre, mjx-container, div.math")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
}
window.addEventListener("load", reachScrollingBoxes);
window.addEventListener("resize", reachScrollingBoxes);

// The theme's buttons that unfold a part of the side bar have no name.
for (const summary of document.querySelectorAll(".bd-sidebar-primary summary:not([aria-label])")) {
  const link = summary.closest("li")?.querySelector("a");
  if (link) summary.ariaLabel = `Pages below ${link.textContent.trim()}`;
}
