// What the page's scripts say, in the language of the page. English is in the scripts, other words in the page's head.
const say = (() => {
  "use strict";
  const words = JSON.parse(document.querySelector("meta[name=words]")?.content ?? "{}");
  return (english, values = {}) => (words[english] ?? english).replace(/\{(\w+)\}/g, (_, name) => values[name]);
})();
