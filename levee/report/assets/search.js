"use strict";
(() => {
  const field = document.getElementById("search");
  const cards = [...document.querySelectorAll("a.table")];
  const parts = [...document.querySelectorAll(".tables"), ...document.querySelectorAll(".domain")];

  // A card stays where it has every word; a part without a card goes with its heading.
  const search = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const card of cards) card.hidden = !words.every((word) => card.dataset.words.includes(word));
    for (const part of parts) {
      const empty = !part.querySelector("a.table:not([hidden])");
      part.hidden = empty;
      if (part.classList.contains("tables")) part.previousElementSibling.hidden = empty;
    }
    document.getElementById("nothing").hidden = cards.some((card) => !card.hidden);
  };

  field.addEventListener("input", search);
  search();
})();
