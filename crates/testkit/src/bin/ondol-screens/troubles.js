const out = [];
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) {
  out.push("the page is " + document.documentElement.scrollWidth + " wide on " + width);
}
const shown = (e) => {
  const box = e.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && getComputedStyle(e).visibility !== "hidden";
};
const words = (e) => (e.innerText || e.name || e.getAttribute("aria-label") || "").trim().slice(0, 30);
for (const e of document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select, textarea")) {
  if (!shown(e)) continue;
  let box = e.getBoundingClientRect();
  const label = e.closest("label") || (e.id && document.querySelector('label[for="' + e.id + '"]'));
  if (label && (e.type === "radio" || e.type === "checkbox")) box = label.getBoundingClientRect();
  if (e.closest("#road") || e.closest(".skip") || e.classList.contains("skip")) continue;
  if (box.height < 43.5) out.push("low " + Math.round(box.height) + " px: " + e.tagName + " " + words(e));
}
for (const e of document.querySelectorAll("main *, .top *, .actions *, .banner *")) {
  if (!shown(e) || e.closest(".scroll") || e.classList.contains("hidden")) continue;
  const box = e.getBoundingClientRect();
  if (box.right > width + 1) { out.push("beyond the edge: " + e.tagName + "." + e.className + " " + words(e)); break; }
}
return out;
