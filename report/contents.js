// Marks in the list of contents where the reader is. Quarto's pages do that themselves.
(() => {
  "use strict";
  const links = [...document.querySelectorAll("nav[aria-labelledby='_contents'] a")];
  const places = links.map(link => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  if (!links.length) return;
  let waiting = false;
  const mark = () => {
    waiting = false;
    // The last section that begins in the upper fifth of the window or above it; at the end of the page the last one.
    const begun = places.map(place => place.getBoundingClientRect().top < innerHeight / 5);
    const atEnd = scrollY > 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const here = atEnd ? links.length - 1 : Math.max(begun.lastIndexOf(true), 0);
    links.forEach((link, number) => {
      if (number === here) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", () => {
    if (!waiting) requestAnimationFrame(mark);
    waiting = true;
  }, { passive: true });
  mark();
})();
