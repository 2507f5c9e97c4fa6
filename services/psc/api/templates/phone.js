"use strict";
// Watches for requests that come or go. It reloads by itself while nothing has been entered, and
// only says so otherwise: an answer that is being given must not vanish.
const news = document.getElementById("news");
const shown = news.dataset.shown;
function isTouched() {
  return [...document.querySelectorAll("input[name=pin]")].some((field) => field.value) ||
    document.querySelector("input[name=number]:checked") !== null;
}
async function look() {
  try {
    const answer = await fetch(news.dataset.address, { cache: "no-store" });
    const waiting = (await answer.json()).map((request) => request.id).join(" ");
    if (waiting !== shown) {
      if (!isTouched()) {
        location.replace(document.getElementById("refresh").href);
        return;
      }
      news.textContent = "Les demandes ont changé : actualisez la page.";
    }
  } catch {
    news.textContent = "Le serveur ne répond pas, nouvel essai…";
  }
  setTimeout(look, 1500);
}
setTimeout(look, 1500);
